/**
 * Where Prometheus 3.14, which this server follows, answers otherwise than the 3.5 that it is compared with. Nothing
 * else may differ.
 */
import { type Answer, differenceInContent, keyOf, pointsOf, valuesOf } from "./answers.ts";
import { parameterOf, type Question } from "./questions.ts";

interface Allowance {
  /** What changed, and since when. */
  readonly reason: string;
  readonly holds: (query: string, theirs: Answer, ours: Answer, question: Question) => boolean;
}

const filter = /(==|!=|<=?|>=?)(?!\s*bool)/i;
const sorting = /\b(sort|sort_desc|topk|bottomk)\b/i;

/** Whole answers that are different. */
export const allowances: readonly Allowance[] = [
  {
    reason: "3.9: filters check who matches whom before they drop elements",
    holds: (query, theirs, ours) =>
      theirs.status === 200 &&
      ours.error?.startsWith("multiple matches for labels: ") === true &&
      filter.test(query),
  },
  {
    reason:
      "3.9: series that label_replace, label_join or a minus make equal are merged where they do not overlap",
    holds: (query, theirs, ours) =>
      theirs.error === "vector cannot contain metrics with the same labelset" &&
      ours.resultType === "matrix" &&
      /label_replace|label_join|-\s*\(/i.test(query),
  },
  {
    reason: "3.6: topk and bottomk refuse NaN in other words, and also where there are no series",
    holds: (query, theirs, ours) =>
      ours.error === "Parameter value is NaN" &&
      (theirs.status === 200 || theirs.error === "Scalar value NaN overflows int64") &&
      /topk|bottomk/i.test(query),
  },
  {
    reason:
      "3.13: no subquery is evaluated beyond the last step that needs it, with what would be wrong there",
    holds: (_, theirs, ours, question) =>
      overshoots(question) &&
      ours.error === undefined &&
      (theirs.error !== undefined ||
        differenceInContent(withNotesOf(modernised(theirs), comparable(ours)), comparable(ours)) ===
          undefined),
  },
  {
    reason: "3.8: histogram_fraction has an answer for bounds within the first bucket, where 3.5 has NaN",
    holds: (query, theirs, ours) =>
      /histogram_fraction/i.test(query) &&
      differenceInContent(withoutNaN(modernised(theirs), ours), comparable(ours)) === undefined,
  },
  {
    reason: "the order of equal values is left to chance",
    holds: (query, theirs, ours) =>
      sorting.test(query) &&
      differenceInContent(modernised(theirs), comparable(ours)) === undefined &&
      (!query.match(/^\w+/)?.[0].match(sorting) || valuesOf(theirs).join() === valuesOf(ours).join()),
  },
];

/** The answer of a 3.5 with the words of 3.14, as far as they can be known from it. */
export function modernised(answer: Answer, ignoredCounts: readonly string[] = []): Answer {
  const counts = Object.entries(answer.samples ?? {}).filter(([name]) => !ignoredCounts.includes(name));
  return {
    ...answer,
    samples: Object.fromEntries(counts),
    error: answer.error && withSortedDuplicates(answer.error),
    warnings: answer.warnings.map(withoutName),
    infos: [...new Set(answer.infos.map((note) => withoutExtent(withoutName(note))))],
  };
}

/** The answer of a 3.14 without what a 3.5 cannot know. */
export function comparable(answer: Answer): Answer {
  return {
    ...answer,
    warnings: answer.warnings.filter((note) => !note.includes(sortWarning)),
    infos: answer.infos.map(withoutExtent),
  };
}

/** With the other answer's value in the place of every NaN. */
function withoutNaN(answer: Answer, other: Answer): Answer {
  const values = new Map(
    other.series.flatMap((one) => pointsOf(one).map(([t, value]) => [`${keyOf(one.metric)} ${t}`, value])),
  );
  const series = answer.series.map((one) => {
    const key = keyOf(one.metric);
    const filled = pointsOf(one).map(
      ([t, value]) => [t, value === "NaN" ? (values.get(`${key} ${t}`) ?? value) : value] as const,
    );
    return one.values === undefined ? { ...one, value: filled[0] } : { ...one, values: filled };
  });
  return { ...answer, series };
}

/** With the other answer's annotations, provided that it has no others. */
function withNotesOf(answer: Answer, { warnings, infos }: Answer): Answer {
  const all = [...answer.warnings, ...answer.infos];
  return [...warnings, ...infos].every((note) => all.includes(note))
    ? { ...answer, warnings, infos }
    : answer;
}

/** Statistics that mean something else: 3.13 counts whole windows of functions whose range has an `@` at every step. */
export function changedCounts(question: Question): readonly string[] {
  if (parameterOf(question, "query").includes("@")) return ["totalQueryableSamples", "peakSamples"];
  return overshoots(question) ? ["peakSamples"] : [];
}

/** Before 3.13 subqueries went on to an end that no step meets: of the query, or of a subquery around. */
function overshoots(question: Question): boolean {
  const subqueries = parameterOf(question, "query").match(/\[[^\]]*:[^\]]*\]/g)?.length ?? 0;
  const [start, end, step] = ["start", "end", "step"].map((name) =>
    Math.round(Number(parameterOf(question, name)) * 1000),
  );
  const isCut = question.path === "query_range" && (end - start) % step !== 0;
  return subqueries > 1 || (subqueries === 1 && isCut);
}

/** 3.12 warns of sorting in range queries. */
const sortWarning = "sort is ineffective for range queries since results are always ordered by labels";

/** 3.7: no metric name at the end of annotations about buckets. */
const withoutName = (note: string) => note.replace(/ for metric name "(?:[^"\\]|\\.)*"(?= \(|$)/, "");

/** 3.10: how far buckets had to be lifted, and when; and the position of the first such annotation, not of the last. */
const withoutExtent = (note: string) =>
  note.replace(
    /^(PromQL info: input to histogram_quantile needed to be fixed for monotonicity .*#histogram_quantile\)).*/,
    "$1",
  );

/** 3.14: the two series of which there may be only one are named in the order of their texts. */
function withSortedDuplicates(error: string): string {
  return error.replace(/(?<=operation: \[)(\{.*\}), (\{.*\})(?=\];)/, (_, a: string, b: string) =>
    [a, b].sort().join(", "),
  );
}

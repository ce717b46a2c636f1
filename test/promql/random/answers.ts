/** Answers of the query API, and what differs between two of them. */
import { describeQuestion, type Question } from "./questions.ts";

type Point = readonly [t: number, value: string];

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
}

export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  readonly text: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly resultType: string;
  /** Vectors and matrices; empty for others. */
  readonly series: readonly Series[];
  /** Of a scalar or string. */
  readonly single: Point | undefined;
  readonly samples: Readonly<Record<string, number>> | undefined;
}

/** Throws where the answer is no JSON. */
export async function ask(url: string, question: Question): Promise<Answer> {
  const { path, parameters } = question;
  const form = new URLSearchParams([...parameters] as [string, string][]);
  const response = path.startsWith("label/")
    ? await fetch(`${url}/api/v1/${path}?${form}`)
    : await fetch(`${url}/api/v1/${path}`, { method: "POST", body: form });
  const text = await response.text();
  try {
    return answerOf(response.status, text, JSON.parse(text));
  } catch (cause) {
    const what = `status ${response.status} and no JSON: ${text.slice(0, 300)}`;
    throw new Error(`${url} answered ${describeQuestion(question)} with ${what}`, { cause });
  }
}

interface Body {
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: {
    readonly resultType?: string;
    readonly result?: readonly Series[] | Point;
    readonly stats?: { readonly samples: Readonly<Record<string, number>> };
  };
}

function answerOf(status: number, text: string, body: Body): Answer {
  const { errorType, error, warnings = [], infos = [], data = {} } = body;
  const { resultType = "", result = [], stats } = data;
  const isList = resultType === "vector" || resultType === "matrix";
  return {
    status,
    text,
    errorType,
    error,
    warnings,
    infos,
    resultType,
    series: isList ? (result as readonly Series[]) : [],
    single: isList || resultType === "" ? undefined : (result as Point),
    samples: stats?.samples,
  };
}

export const isEmpty = ({ text, series, single }: Answer) =>
  (series.length === 0 && single === undefined && resultLists.test(text)) || text.includes('"data":[]');

const resultLists = /"resultType":"(vector|matrix)"/;

export const keyOf = (metric: Readonly<Record<string, string>>) =>
  JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));

export const pointsOf = ({ value, values }: Series): readonly Point[] =>
  values ?? (value === undefined ? [] : [value]);

/** What differs, in words; undefined where nothing does. Values must be equal to the last digit. */
export function difference(theirs: Answer, ours: Answer): string | undefined {
  return differenceInContent(theirs, ours) ?? differentOrder(theirs, ours);
}

/** The same, whatever the order of the series. */
export function differenceInContent(theirs: Answer, ours: Answer): string | undefined {
  for (const field of ["status", "errorType", "error", "resultType"] as const) {
    if (theirs[field] !== ours[field]) return `${field}: theirs ${theirs[field]}, ours ${ours[field]}`;
  }
  return (
    differentPoint("", theirs.single && [theirs.single], ours.single && [ours.single]) ??
    differentSeries(theirs, ours) ??
    differentNotes(theirs, ours) ??
    differentSamples(theirs, ours)
  );
}

function differentSeries(theirs: Answer, ours: Answer): string | undefined {
  const own = new Map(ours.series.map((one) => [keyOf(one.metric), one]));
  if (own.size !== ours.series.length) return "ours has a series twice";
  const keys = theirs.series.map(({ metric }) => keyOf(metric));
  for (const [i, key] of keys.entries()) {
    const match = own.get(key);
    if (match === undefined)
      return `series ${key} is missing: ${pointsOf(theirs.series[i]).slice(0, 3).join(" ")}`;
    const problem = differentPoint(key, pointsOf(theirs.series[i]), pointsOf(match));
    if (problem !== undefined) return problem;
  }
  const surplus = [...own.keys()].find((key) => !keys.includes(key));
  return surplus === undefined ? undefined : `series ${surplus} is too many`;
}

function differentOrder(theirs: Answer, ours: Answer): string | undefined {
  const keys = theirs.series.map(({ metric }) => keyOf(metric));
  const at = keys.findIndex((key, i) => key !== keyOf(ours.series[i].metric));
  return at < 0 ? undefined : `order: at ${at} theirs ${keys[at]}, ours ${keyOf(ours.series[at].metric)}`;
}

/** The values of an instant query in their order. */
export const valuesOf = ({ series }: Answer) => series.map(({ value }) => value?.[1]);

function differentPoint(
  key: string,
  theirs: readonly Point[] = [],
  ours: readonly Point[] = [],
): string | undefined {
  const at = theirs.findIndex(([t, value], i) => ours[i]?.[0] !== t || ours[i][1] !== value);
  if (at >= 0) return `series ${key} at ${at}: theirs ${theirs[at]}, ours ${ours[at]}`;
  return ours.length > theirs.length ? `series ${key}: ours has more: ${ours[theirs.length]}` : undefined;
}

function differentNotes(theirs: Answer, ours: Answer): string | undefined {
  for (const field of ["warnings", "infos"] as const) {
    const missing = theirs[field].filter((note) => !ours[field].includes(note));
    const surplus = ours[field].filter((note) => !theirs[field].includes(note));
    if (missing.length + surplus.length > 0)
      return `${field}: theirs only ${missing.join("; ") || "-"}, ours only ${surplus.join("; ") || "-"}`;
  }
  return undefined;
}

function differentSamples(theirs: Answer, ours: Answer): string | undefined {
  for (const [name, count] of Object.entries(theirs.samples ?? {})) {
    if (ours.samples?.[name] !== count)
      return `stats: ${name}: theirs ${count}, ours ${ours.samples?.[name]}`;
  }
  return undefined;
}

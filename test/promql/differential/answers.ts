/** Prometheus's answer and ours in one form, and where they may differ (only because the one at hand is a 3.5.3). */
import { formatFloat, formatSampleValue } from "../../../src/model/format-float.ts";
import type { QueryResult } from "../../../src/promql/result.ts";
import { type ApiAnswer, keyOf } from "../../peers/query-api.ts";

export interface Comparable {
  /** "" on success. */
  readonly error: string;
  /** Of every series its points as `time value`; a scalar has the key "scalar". */
  readonly series: ReadonlyMap<string, readonly string[]>;
  readonly notes: readonly string[];
}

export function ofFailure(error: string): Comparable {
  return { error, series: new Map(), notes: [] };
}

export function ofApi({ body }: ApiAnswer): Comparable {
  if (body.data === undefined)
    return ofFailure((body.error ?? "").replace(/^invalid parameter "query": /, ""));
  const { resultType, result } = body.data;
  const notes = [...(body.warnings ?? []), ...(body.infos ?? [])].sort();
  if (resultType === "scalar") {
    const [t, value] = result as unknown as [number, string];
    return { error: "", series: new Map([["scalar", [`${t} ${value}`]]]), notes };
  }
  const series = result.map(
    ({ metric, value, values }) =>
      [keyOf(metric), (values ?? [value ?? [0, ""]]).map(([t, v]) => `${t} ${v}`)] as const,
  );
  return { error: "", series: new Map(series), notes };
}

export function ofResult({ value, warnings, infos }: QueryResult): Comparable {
  const notes = [...warnings, ...infos].sort();
  const series = new Map<string, string[]>();
  const point = (t: number, v: number) => `${t / 1000} ${formatSampleValue(v)}`;
  switch (value.type) {
    case "string":
      break;
    case "scalar":
      series.set("scalar", [`${value.t / 1000} ${formatFloat(value.value)}`]);
      break;
    case "vector":
      value.labels.forEach((labels, i) => {
        series.set(keyOf(labels.toObject()), [point(value.t, value.values[i])]);
      });
      break;
    case "matrix":
      value.labels.forEach((labels, i) => {
        const points: string[] = [];
        if (value.form === "samples") {
          for (let k = value.offsets[i]; k < value.offsets[i + 1]; k++)
            points.push(point(value.t[k], value.v[k]));
        } else {
          for (let k = 0; k < value.steps; k++) {
            const at = i * value.steps + k;
            if (value.present[at] === 1)
              points.push(point(value.startMs + k * value.stepMs, value.values[at]));
          }
        }
        series.set(keyOf(labels.toObject()), points);
      });
  }
  return { error: "", series, notes };
}

/** What differs; undefined where nothing does that 3.14 did not change. Values must be the same to the last digit. */
export function difference(query: string, theirs: Comparable, ours: Comparable): string | undefined {
  if (theirs.error !== ours.error) {
    if (mayFailOtherwise(query, theirs.error, ours.error)) return undefined;
    return `error: theirs ${theirs.error || "none"}, ours ${ours.error || "none"}`;
  }
  // 3.8 looks into the first bucket too, where 3.5 gives NaN; Prometheus's own scripts check the new values.
  if (query.includes("histogram_fraction")) return undefined;
  // Which of 0 and -0 comes first when values are sorted is a matter of chance.
  const plain = query.includes("quantile") ? (point: string) => point.replace(/ -0$/, " 0") : String;
  for (const [key, points] of theirs.series) {
    const own = ours.series.get(key)?.map(plain);
    if (own === undefined) return `series ${key} is missing, ${points.slice(0, 3)}`;
    const at = points.findIndex((point, i) => plain(point) !== own[i]);
    if (at >= 0) return `series ${key}: theirs ${points[at]}, ours ${own[at]}`;
    if (own.length > points.length) return `series ${key}: ours has more: ${own[points.length]}`;
  }
  for (const key of ours.series.keys()) if (!theirs.series.has(key)) return `series ${key} is too many`;
  return noteDifference(theirs.notes, ours.notes);
}

/** Whether two answers to one question are the same. */
export function same(a: Comparable, b: Comparable): boolean {
  return JSON.stringify([...a.series].sort()) === JSON.stringify([...b.series].sort());
}

/** 3.9 and later check the cardinality of filters first, and merge series instead of refusing them. */
function mayFailOtherwise(query: string, theirs: string, ours: string): boolean {
  if (ours.startsWith("multiple matches for labels:") && /[<>=!]=?/.test(query)) return true;
  // The two series are named in order since 3.6.
  const duplicate = "found duplicate series for the match group";
  if (ours.startsWith(duplicate) && theirs.startsWith(duplicate)) return true;
  const merged = theirs === "vector cannot contain metrics with the same labelset";
  if (merged && /label_replace|label_join|-\(/.test(query)) return true;
  return ours === "Parameter value is NaN" || theirs.includes("overflows int64");
}

function noteDifference(theirs: readonly string[], ours: readonly string[]): string | undefined {
  // The API shows ten of each.
  if (theirs.some((note) => note.includes("annotations omitted"))) return undefined;
  const left = new Set(theirs.map(comparableNote));
  const right = new Set(ours.filter((note) => !note.includes("sort is ineffective")).map(comparableNote));
  const missing = [...left].filter((note) => !right.has(note));
  const surplus = [...right].filter((note) => !left.has(note));
  if (missing.length + surplus.length === 0) return undefined;
  return `notes: theirs only ${missing.join("; ") || "-"}, ours only ${surplus.join("; ") || "-"}`;
}

/** Without what later versions dropped or added: the metric's name, the extent of forced monotonicity. */
function comparableNote(note: string): string {
  return note
    .replace(/ for metric name "[^"]*"/, "")
    .replace(/, from buckets .* to [^ ]+(?= \()/, "")
    .replace(/ \(\d+:\d+\)$/, "");
}

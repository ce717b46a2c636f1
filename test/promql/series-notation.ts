/**
 * The notation for series of the promqltest language: `metric{a="b"} 1 2+3x2 _ _x3 stale {{sum:1 count:2}}`.
 * Native histograms are recognised, not read: there is nothing yet that could hold them.
 */
import { Labels } from "../../src/model/labels.ts";
import { setStale } from "../../src/model/value.ts";
import { parseMetricSelector } from "../../src/promql/parser/parser.ts";

/** One point: a float (by its bits, in a column of its own), no point, or a native histogram. */
export type Point = Float64Array | "omitted" | "histogram";

export interface SeriesLine {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

const histogram = "\\{\\{.*?\\}\\}";
const number = "[-+]?(?:nan|inf|\\d+\\.?\\d*(?:e[-+]?\\d+)?|\\.\\d+(?:e[-+]?\\d+)?)";
const histogramItem = new RegExp(`^${histogram}(?:[-+]${histogram})?(?:x(\\d+))?(?=\\s|$)`);
const omittedItem = /^_(?:x(\d+))?(?=\s|$)/;
const floatItem = new RegExp(`^(stale|${number})(?:([-+])(${number}))?(?:x(\\d+))?(?=\\s|$)`, "i");

/** Throws an Error for what is not in the notation. */
export function parseSeriesLine(line: string): SeriesLine {
  const metricEnd = endOfMetric(line);
  const labels = parseLabels(line.slice(0, metricEnd));
  const points: Point[] = [];
  let rest = line.slice(metricEnd).trimStart();
  while (rest !== "") {
    const length = parseItem(rest, points);
    if (length === 0) throw new Error(`not a point of a series: ${rest}`);
    rest = rest.slice(length).trimStart();
  }
  return { labels, points };
}

/** Behind the name and the braces. */
function endOfMetric(line: string): number {
  const found = /^[^\s{]*(?:\{(?!\{)(?:[^"'`}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\})?/.exec(line);
  return found?.[0].length ?? 0;
}

function parseLabels(metric: string): Labels {
  if (metric === "") return Labels.empty;
  return Labels.of(parseMetricSelector(metric).map(({ name, value }) => [name, value] as const));
}

/** Appends the points of the first item of `text`; returns its length, 0 if it is none. */
function parseItem(text: string, points: Point[]): number {
  const omitted = omittedItem.exec(text);
  if (omitted !== null) return repeat(points, "omitted", Number(omitted[1] ?? 1), omitted);
  const native = histogramItem.exec(text);
  if (native !== null) return repeat(points, "histogram", Number(native[1] ?? 0) + 1, native);
  const float = floatItem.exec(text);
  if (float === null) return 0;
  const [all, first, sign, step, times] = float;
  if (first.toLowerCase() === "stale") return all === first ? repeat(points, stale(), 1, float) : 0;
  if (sign !== undefined && times === undefined) return 0;
  let value = parseNumber(first);
  const delta = step === undefined ? 0 : parseNumber(sign + step);
  for (let i = 0; i <= Number(times ?? 0); i++) {
    points.push(Float64Array.of(value));
    if (step !== undefined) value += delta;
  }
  return all.length;
}

function repeat(points: Point[], point: Point, count: number, found: RegExpExecArray): number {
  for (let i = 0; i < count; i++) points.push(point);
  return found[0].length;
}

function stale(): Float64Array {
  const point = new Float64Array(1);
  setStale(point, 0);
  return point;
}

/** Throws an Error where `text` is no number. */
export function parseNumber(text: string): number {
  const found = /^([-+]*)(nan|inf|[\d.].*)$/i.exec(text);
  if (found === null) throw new Error(`not a number: ${text}`);
  const word = found[2].toLowerCase();
  const size = word === "inf" ? Number.POSITIVE_INFINITY : Number(word);
  if (Number.isNaN(size) && word !== "nan") throw new Error(`not a number: ${text}`);
  return found[1].split("-").length % 2 === 0 ? -size : size;
}

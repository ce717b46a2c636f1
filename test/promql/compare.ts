/** Compares an answer of the engine with what a script expects. Throws an Error that says what differs. */
import { compareLabels, type Labels } from "../../src/model/labels.ts";
import { isStale } from "../../src/model/value.ts";
import type { GridMatrix, QueryValue, SampleMatrix, VectorValue } from "../../src/promql/result.ts";
import type { EvalCommand, MessageTest, QueryRange } from "./script.ts";

export function compareValue(command: EvalCommand, value: QueryValue): void {
  switch (value.type) {
    case "scalar":
      if (command.scalar === undefined) throw new Error(`expected series, got the scalar ${value.value}`);
      return compareFloats("the scalar", Float64Array.of(command.scalar), Float64Array.of(value.value), 0);
    case "string":
      if (command.text === value.text) return;
      throw new Error(
        `expected the string ${JSON.stringify(command.text)}, got ${JSON.stringify(value.text)}`,
      );
    case "vector":
      return compareVector(command, value);
    case "matrix":
      return compareMatrix(command, value.form === "grid" ? gridRows(value) : sampleRows(value));
  }
}

/** The values of a range query's answer at one of its steps, as the vector or scalar an instant query would give. */
export function stepOf(matrix: GridMatrix, step: number, isScalar: boolean): QueryValue {
  const t = matrix.startMs + step * matrix.stepMs;
  const rows = [...matrix.labels.keys()].filter((i) => matrix.present[i * matrix.steps + step] === 1);
  const values = new Float64Array(rows.length);
  for (const [k, i] of rows.entries()) {
    values.set(matrix.values.subarray(i * matrix.steps + step, i * matrix.steps + step + 1), k);
  }
  if (isScalar) return { type: "scalar", t, value: values[0] };
  return { type: "vector", t, labels: rows.map((i) => matrix.labels[i]), values };
}

export function checkSorted(labels: readonly Labels[]): void {
  for (let i = 1; i < labels.length; i++) {
    if (compareLabels(labels[i - 1], labels[i]) > 0) {
      throw new Error(`series not in label order: ${labels[i - 1]} before ${labels[i]}`);
    }
  }
}

function compareVector(command: EvalCommand, vector: VectorValue): void {
  if (command.scalar !== undefined)
    throw new Error(`expected a scalar, got a vector of ${vector.labels.length}`);
  const seen = new Set<string>();
  for (const [i, labels] of vector.labels.entries()) {
    const position = command.series.findIndex((series) => series.labels.equals(labels));
    if (position < 0) throw new Error(`unexpected ${labels} ${vector.values[i]}`);
    if (command.expect.ordered && position !== i) {
      throw new Error(`${labels} is number ${i + 1}, expected as number ${position + 1}`);
    }
    seen.add(labels.key);
    const [expected] = command.series[position].points;
    if (!(expected instanceof Float64Array)) throw new Error(`expected no float for ${labels}`);
    compareFloats(`${labels}`, expected, vector.values, i);
  }
  checkAllSeen(command, seen);
}

interface Row {
  readonly labels: Labels;
  readonly t: Float64Array;
  readonly v: Float64Array;
}

function compareMatrix(command: EvalCommand, rows: readonly Row[]): void {
  if (command.scalar !== undefined) throw new Error("expected a scalar, got a matrix");
  checkSorted(rows.map(({ labels }) => labels));
  const range = command.rangeVector ?? command.range;
  const seen = new Set<string>();
  for (const row of rows) {
    const expected = command.series.find((series) => series.labels.equals(row.labels));
    if (expected === undefined) throw new Error(`unexpected ${row.labels} ${row.v.join(" ")}`);
    seen.add(row.labels.key);
    compareRow(row, expected.points, range);
  }
  checkAllSeen(command, seen);
}

function compareRow(row: Row, points: EvalCommand["series"][number]["points"], range: QueryRange): void {
  let k = 0;
  for (const [i, point] of points.entries()) {
    if (point === "omitted") continue;
    const t = range.startMs + i * range.stepMs;
    if (t > range.endMs) throw new Error(`more points expected for ${row.labels} than the query has steps`);
    if (!(point instanceof Float64Array)) throw new Error(`expected no float for ${row.labels} at ${t}`);
    if (row.t[k] !== t) throw new Error(`${row.labels}: expected a point at ${t}, got one at ${row.t[k]}`);
    compareFloats(`${row.labels} at ${t}`, point, row.v, k);
    k++;
  }
  if (k < row.t.length) throw new Error(`${row.labels}: unexpected point at ${row.t[k]}`);
}

function checkAllSeen(command: EvalCommand, seen: ReadonlySet<string>): void {
  const missing = command.series.find(({ labels }) => !seen.has(labels.key));
  if (missing !== undefined) throw new Error(`${missing.labels} is missing`);
}

function gridRows({ labels, steps, present, values, startMs, stepMs }: GridMatrix): Row[] {
  return labels.map((rowLabels, i) => {
    const at = [...Array(steps).keys()].filter((k) => present[i * steps + k] === 1);
    const v = new Float64Array(at.length);
    for (const [n, k] of at.entries()) v.set(values.subarray(i * steps + k, i * steps + k + 1), n);
    return { labels: rowLabels, t: Float64Array.from(at, (k) => startMs + k * stepMs), v };
  });
}

function sampleRows({ labels, offsets, t, v }: SampleMatrix): Row[] {
  return labels.map((rowLabels, i) => ({
    labels: rowLabels,
    t: t.subarray(offsets[i], offsets[i + 1]),
    v: v.subarray(offsets[i], offsets[i + 1]),
  }));
}

/** Relative to the sum of both. */
const epsilon = 0.000001;
const smallestNormal = 2 ** -1022;

function compareFloats(what: string, wanted: Float64Array, got: Float64Array, index: number): void {
  if (almostEqual(wanted, got, index)) return;
  throw new Error(`${what}: expected ${wanted[0]}, got ${got[index]}`);
}

function almostEqual(wanted: Float64Array, got: Float64Array, index: number): boolean {
  if (isStale(wanted, 0) || isStale(got, index)) return isStale(wanted, 0) && isStale(got, index);
  const a = wanted[0];
  const b = got[index];
  if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < smallestNormal) return difference < epsilon * smallestNormal;
  return difference / Math.min(sum, Number.MAX_VALUE) < epsilon;
}

export function messageFits(test: MessageTest, message: string): boolean {
  if (test === undefined) return true;
  return "is" in test ? test.is === message : test.matches.test(message);
}

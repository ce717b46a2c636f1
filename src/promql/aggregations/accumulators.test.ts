// Every aggregation against a definition that sees all values of a group and step in order.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../testkit/manual-clock.ts";
import { Column } from "../column.ts";
import { accumulators } from "../operators/aggregate.ts";
import { QueryRun } from "../query-run.ts";

const steps = 3;
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -9, max: 9 }) },
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
);
const column = fc.array(cell, { minLength: steps, maxLength: steps });

function runOf(): QueryRun {
  const querier = { select: () => [], labelNames: () => [], labelValues: () => [], close() {} };
  const limits = { samplesMax: 1e9, bytesMax: 1e9, deadlineMs: Infinity, cancelled: undefined };
  return new QueryRun(new ManualClock(), querier, limits, 300_000);
}

/** Feeds series to their groups and reads the groups' columns. */
function aggregate(op: string, rows: readonly (number | undefined)[][], groupOf: (row: number) => number) {
  const accumulator = accumulators[op](runOf(), steps);
  rows.forEach((row, i) => {
    const input = new Column(steps);
    row.forEach((v, k) => {
      if (v === undefined) return;
      input.values[k] = v;
      input.present[k] = 1;
      input.count++;
    });
    accumulator.add(groupOf(i), input);
  });
  const groups = Math.max(...rows.map((_, i) => groupOf(i))) + 1;
  return Array.from({ length: groups }, (_, group) => {
    const out = new Column(steps);
    accumulator.finish(group, out);
    expect(out.count).toBe(out.present.reduce((a, b) => a + b));
    return Array.from(out.values, (v, k) => (out.present[k] === 1 ? v : undefined));
  });
}

function near(got: number | undefined, want: number): boolean {
  if (got === undefined || !Number.isFinite(want)) return Object.is(got, want);
  return Math.abs(got - want) < 1e-9;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
const variance = (values: readonly number[]) => {
  const mean = sum(values) / values.length;
  return sum(values.map((v) => (v - mean) ** 2)) / values.length;
};

test.each<[string, (values: readonly number[]) => number]>([
  ["sum", sum],
  ["avg", (values) => sum(values) / values.length],
  ["count", (values) => values.length],
  ["group", () => 1],
  ["max", (values) => values.reduce((max, v) => (v > max || Number.isNaN(max) ? v : max))],
  ["min", (values) => values.reduce((min, v) => (v < min || Number.isNaN(min) ? v : min))],
  ["stdvar", variance],
  ["stddev", (values) => Math.sqrt(variance(values))],
])("%s is what its definition says", (op, define) => {
  fc.assert(
    fc.property(
      fc.array(column, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (rows, groups) => {
        aggregate(op, rows, (row) => row % groups).forEach((result, group) => {
          result.forEach((got, k) => {
            const values = rows.filter((_, i) => i % groups === group).map((row) => row[k]);
            const seen = values.filter((v) => v !== undefined);
            if (seen.length === 0) expect(got).toBeUndefined();
            else expect(near(got, define(seen))).toBe(true);
          });
        });
      },
    ),
  );
});

test.each<[string, number[], number]>([
  ["sum", [1, 1e100, 1, -1e100], 2],
  ["avg", [1, 1e100, 1, -1e100], 0.5],
  ["avg", [Number.MAX_VALUE, Number.MAX_VALUE], Number.MAX_VALUE],
  ["sum", [-0], 0],
  ["max", [-0, 0], -0],
  ["stddev", [Infinity, 1], Number.NaN],
])("%s of %j is %d, to the last bit", (op, values, want) => {
  const rows = values.map((v) => Array.from({ length: steps }, () => v));
  expect(aggregate(op, rows, () => 0)).toEqual([Array.from({ length: steps }, () => want)]);
});

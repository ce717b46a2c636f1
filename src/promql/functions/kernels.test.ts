// The kernels over range vectors against definitions that look at one window at a time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setStale } from "../../model/value.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { Column } from "../column.ts";
import { rangeFunctions } from "./range-functions.ts";
import { markPresent, Windows } from "./windows.ts";

const context = { check() {}, chargeBytes() {}, releaseBytes() {} };

interface Sample {
  readonly t: number;
  readonly v: number;
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1e308, -1e308) },
);
/** Distances and values; a value of "stale" is a staleness marker. */
const series = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.oneof({ weight: 12, arbitrary: value }, fc.constant("stale" as const)),
  ),
  { maxLength: 40 },
);
const shape = fc.record({
  startMs: fc.integer({ min: 0, max: 300 }),
  stepMs: fc.integer({ min: 1, max: 90 }),
  steps: fc.integer({ min: 1, max: 12 }),
  rangeMs: fc.integer({ min: 1, max: 200 }),
  offsetMs: fc.integer({ min: -50, max: 50 }),
});

function columnsOf(points: readonly (readonly [number, number | "stale"])[]): {
  columns: SampleColumns;
  samples: Sample[];
} {
  const columns = new SampleColumns(1);
  const samples: Sample[] = [];
  let t = 0;
  for (const [distance, v] of points) {
    t += distance;
    columns.reserve(1);
    columns.t[columns.n] = t;
    if (v === "stale") setStale(columns.v, columns.n);
    else columns.v[columns.n] = v;
    columns.n++;
    if (v !== "stale") samples.push({ t, v });
  }
  return { columns, samples };
}

/** `define` gets the samples of one window and its end; undefined: no result. */
function checkKernel(
  name: string,
  define: (window: Sample[], end: number, rangeMs: number) => number | undefined,
) {
  fc.assert(
    fc.property(series, shape, (points, { rangeMs, offsetMs, ...grid }) => {
      const { columns, samples } = columnsOf(points);
      const windows = new Windows(context, grid, rangeMs, offsetMs, undefined);
      windows.load(columns);
      const out = new Column(grid.steps);
      const { kernel, samplesMin } = rangeFunctions[name];
      markPresent(windows, samplesMin, out);
      kernel(windows, out, new Float64Array(grid.steps).fill(0.7), grid);
      for (let k = 0; k < grid.steps; k++) {
        const end = grid.startMs + k * grid.stepMs - offsetMs;
        const window = samples.filter(({ t }) => t > end - rangeMs && t <= end);
        const want = window.length === 0 ? undefined : define(window, end, rangeMs);
        expect(out.present[k] === 1 ? out.values[k] : undefined).toBe(want);
      }
    }),
    { numRuns: 300 },
  );
}

const last = (window: readonly Sample[]) => window[window.length - 1];
const pairs = (window: readonly Sample[]) =>
  window.slice(1).map((sample, i) => [window[i].v, sample.v] as const);

/** The difference over a window, spread over the part of it that the samples stand for. */
function extrapolated(
  window: readonly Sample[],
  end: number,
  rangeMs: number,
  isCounter: boolean,
): number | undefined {
  if (window.length < 2) return undefined;
  let difference = last(window).v - window[0].v;
  if (isCounter) for (const [before, after] of pairs(window)) if (after < before) difference += before;
  const sampled = (last(window).t - window[0].t) / 1000;
  const average = sampled / (window.length - 1);
  let before = (window[0].t - (end - rangeMs)) / 1000;
  let after = (end - last(window).t) / 1000;
  if (before >= average * 1.1) before = average / 2;
  if (isCounter && difference > 0 && window[0].v >= 0) {
    before = Math.min(before, sampled * (window[0].v / difference));
  }
  if (after >= average * 1.1) after = average / 2;
  return difference * ((sampled + before + after) / sampled);
}

describe("a kernel gives what its definition gives", () => {
  test("count_over_time", () => checkKernel("count_over_time", (window) => window.length));
  test("present_over_time", () => checkKernel("present_over_time", () => 1));
  test("first_over_time", () => checkKernel("first_over_time", (window) => window[0].v));
  test("last_over_time", () => checkKernel("last_over_time", (window) => last(window).v));
  test("max_over_time", () =>
    checkKernel("max_over_time", (window) =>
      window.map(({ v }) => v).reduce((max, v) => (v > max || Number.isNaN(max) ? v : max)),
    ));
  test("min_over_time", () =>
    checkKernel("min_over_time", (window) =>
      window.map(({ v }) => v).reduce((min, v) => (v < min || Number.isNaN(min) ? v : min)),
    ));
  test("changes", () =>
    checkKernel("changes", (window) => pairs(window).filter(([a, b]) => !Object.is(a + 0, b + 0)).length));
  test("resets", () => checkKernel("resets", (window) => pairs(window).filter(([a, b]) => b < a).length));
  test("idelta", () =>
    checkKernel("idelta", (window) => (window.length < 2 ? undefined : last(window).v - window.at(-2)!.v)));
  test("irate", () =>
    checkKernel("irate", (window) => {
      if (window.length < 2) return undefined;
      const [a, b] = window.slice(-2);
      return (b.v < a.v ? b.v : b.v - a.v) / ((b.t - a.t) / 1000);
    }));
  test("delta", () => checkKernel("delta", (window, end, range) => extrapolated(window, end, range, false)));
  test("increase", () =>
    checkKernel("increase", (window, end, range) => extrapolated(window, end, range, true)));
});

/** What a function makes of one window with these values, a second apart. */
function once(name: string, values: readonly number[], param = 0): number {
  const { columns } = columnsOf(values.map((v) => [1000, v]));
  const grid = { startMs: values.length * 1000, stepMs: 1, steps: 1 };
  const windows = new Windows(context, grid, 1e9, 0, undefined);
  windows.load(columns);
  const out = new Column(1);
  out.fill();
  rangeFunctions[name].kernel(windows, out, new Float64Array([param]), grid);
  return out.values[0];
}

const huge = Number.MAX_VALUE;

test.each([
  // Compensated: without it the small ones are lost.
  ["sum_over_time", [1, 1e100, 1, -1e100], 0, 2],
  ["sum_over_time", [huge, huge, -huge], 0, Infinity],
  ["avg_over_time", [1, 1e100, 1, -1e100], 0, 0.5],
  ["avg_over_time", [huge, huge], 0, huge],
  ["avg_over_time", [Infinity, 1], 0, Infinity],
  ["avg_over_time", [Infinity, -Infinity], 0, Number.NaN],
  ["stdvar_over_time", [2, 4, 4, 4, 5, 5, 7, 9], 0, 4],
  ["stddev_over_time", [2, 4, 4, 4, 5, 5, 7, 9], 0, 2],
  ["stddev_over_time", [1.5990505637277868, 1.5990505637277868, 1.5990505637277868], 0, 0],
  ["quantile_over_time", [0, 1, 2, 3], 0.5, 1.5],
  ["quantile_over_time", [0, 1, 2, 3], 2, Infinity],
  ["deriv", [0, 3, 6, 9], 0, 3],
  ["deriv", [Infinity, Infinity], 0, Number.NaN],
  ["deriv", [5, 5, 5], 0, 0],
  ["predict_linear", [0, 3, 6, 9], 10, 39],
  ["predict_linear", [5, 5], 10, 5],
  ["max_over_time", [-0, 0], 0, -0],
])("%s of %j (%d) is %d", (name, values, param, want) => {
  expect(once(name, values, param)).toBe(want);
});

test("a rate is the increase by the seconds of the range", () => {
  const { columns } = columnsOf([
    [1000, 1],
    [1000, 5],
    [1000, 2],
    [1000, 8],
  ]);
  const grid = { startMs: 4000, stepMs: 1000, steps: 2 };
  const results = ["rate", "increase"].map((name) => {
    const windows = new Windows(context, grid, 3300, 0, undefined);
    windows.load(columns);
    const out = new Column(2);
    out.fill();
    rangeFunctions[name].kernel(windows, out, new Float64Array(2), grid);
    return [...out.values];
  });
  expect(results[0].map((v) => v * 3.3)).toEqual(results[1]);
});

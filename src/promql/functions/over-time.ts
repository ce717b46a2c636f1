/** The *_over_time functions that look at the values of a window alone. */
import type { Histogram } from "../../model/histogram.ts";
import type { Column } from "../column.ts";
import { KahanSum } from "../kahan.ts";
import { quantileOf } from "../quantile.ts";
import { wasReset } from "./histogram-reset.ts";
import type { Windows } from "./windows.ts";

export function countOverTime({ lo, hi, steps }: Windows, { values }: Column): void {
  for (let k = 0; k < steps; k++) values[k] = hi[k] - lo[k];
}

export function presentOverTime({ steps }: Windows, { values }: Column): void {
  values.fill(1, 0, steps);
}

export function firstOverTime({ v, histograms, lo, steps }: Windows, out: Column): void {
  const { values, present } = out;
  for (let k = 0; k < steps; k++) if (present[k] === 1) values[k] = v[lo[k]];
  if (histograms !== undefined) out.histograms = Array.from(lo, (i) => histograms[i]);
}

export function lastOverTime({ v, histograms, hi, steps }: Windows, out: Column): void {
  const { values, present } = out;
  for (let k = 0; k < steps; k++) if (present[k] === 1) values[k] = v[hi[k] - 1];
  if (histograms !== undefined) out.histograms = Array.from(hi, (i) => histograms[i - 1]);
}

export function sumOverTime(windows: Windows, { values }: Column): void {
  const { v, lo, hi, steps } = windows;
  for (let k = 0; k < steps; k++) {
    windows.enter(k);
    const total = new KahanSum();
    for (let i = lo[k]; i < hi[k]; i++) total.add(v[i]);
    values[k] = Math.abs(total.sum) === Number.POSITIVE_INFINITY ? total.sum : total.sum + total.compensation;
  }
}

export function avgOverTime(windows: Windows, { values, present }: Column): void {
  const { v, lo, hi, steps } = windows;
  for (let k = 0; k < steps; k++) {
    windows.enter(k);
    if (present[k] === 1) values[k] = average(v, lo[k], hi[k]);
  }
}

/** The mean of `v[start, end)`, which must not be empty: sum by count, and once the sum overflows the running mean. */
function average(v: Float64Array, start: number, end: number): number {
  const total = new KahanSum(v[start]);
  for (let i = start + 1; i < end; i++) {
    const { sum, compensation } = total;
    total.add(v[i]);
    if (Math.abs(total.sum) !== Number.POSITIVE_INFINITY) continue;
    const seen = i - start;
    return runningMean(v, i, end, seen, new KahanSum(sum / seen, compensation / seen));
  }
  const count = end - start;
  return total.sum / count + total.compensation / count;
}

/** Goes on with the mean of `seen` values over `v[start, end)`. */
function runningMean(v: Float64Array, start: number, end: number, seen: number, mean: KahanSum): number {
  for (let i = start; i < end; i++) {
    const count = ++seen;
    const share = (count - 1) / count;
    mean.sum *= share;
    mean.compensation *= share;
    mean.add(v[i] / count);
  }
  return mean.sum + mean.compensation;
}

/** Of equal values the earliest counts (0 and -0 are equal); NaN only where there is nothing else. */
export function maxOverTime(windows: Windows, { values, present }: Column): void {
  const { v, lo, hi, steps } = windows;
  for (let k = 0; k < steps; k++) {
    windows.enter(k);
    if (present[k] === 0) continue;
    let max = v[lo[k]];
    for (let i = lo[k] + 1; i < hi[k]; i++) if (v[i] > max || Number.isNaN(max)) max = v[i];
    values[k] = max;
  }
}

export function minOverTime(windows: Windows, { values, present }: Column): void {
  const { v, lo, hi, steps } = windows;
  for (let k = 0; k < steps; k++) {
    windows.enter(k);
    if (present[k] === 0) continue;
    let min = v[lo[k]];
    for (let i = lo[k] + 1; i < hi[k]; i++) if (v[i] < min || Number.isNaN(min)) min = v[i];
    values[k] = min;
  }
}

/** Welford's method, compensated. */
export function stdvarOverTime(windows: Windows, { values }: Column): void {
  const { v, lo, hi, steps } = windows;
  for (let k = 0; k < steps; k++) {
    windows.enter(k);
    const mean = new KahanSum();
    const squares = new KahanSum();
    let count = 0;
    for (let i = lo[k]; i < hi[k]; i++) {
      count++;
      const difference = v[i] - (mean.sum + mean.compensation);
      mean.add(difference / count);
      squares.add(difference * (v[i] - (mean.sum + mean.compensation)));
    }
    values[k] = (squares.sum + squares.compensation) / count;
  }
}

export function stddevOverTime(windows: Windows, out: Column): void {
  stdvarOverTime(windows, out);
  const { values } = out;
  for (let k = 0; k < windows.steps; k++) values[k] = Math.sqrt(values[k]);
}

/** How often the value becomes smaller. From float to histogram and back is a reset. */
export function resets(windows: Windows, out: Column): void {
  countPairs(windows, out, (before, after) => after < before, wasReset);
}

/** How often the value becomes another; NaN equals NaN. From float to histogram and back is a change. */
export function changes(windows: Windows, out: Column): void {
  countPairs(
    windows,
    out,
    (before, after) => before !== after && !(Number.isNaN(before) && Number.isNaN(after)),
    (before, after) => !after.equals(before),
  );
}

/** Counts the neighbours in each window that are accepted, and those of different kinds, from running totals. */
function countPairs(
  { v, histograms, lo, hi, steps }: Windows,
  { values, present }: Column,
  accepts: (before: number, after: number) => boolean,
  acceptsHistograms: (before: Histogram, after: Histogram) => boolean,
): void {
  const counts = (i: number): boolean => {
    const before = histograms?.[i - 1];
    const after = histograms?.[i];
    if (before === undefined && after === undefined) return accepts(v[i - 1], v[i]);
    return before === undefined || after === undefined || acceptsHistograms(before, after);
  };
  if (steps === 0) return;
  const start = lo[0];
  const end = hi[steps - 1];
  const upTo = new Uint32Array(Math.max(end - start, 1));
  for (let i = start + 1; i < end; i++) upTo[i - start] = upTo[i - start - 1] + (counts(i) ? 1 : 0);
  for (let k = 0; k < steps; k++) {
    if (present[k] === 1) values[k] = upTo[hi[k] - 1 - start] - upTo[lo[k] - start];
  }
}

export function quantileOverTime(windows: Windows, { values, present }: Column, q: Float64Array): void {
  const { v, lo, hi, steps } = windows;
  let scratch = new Float64Array(64);
  for (let k = 0; k < steps; k++) {
    if (present[k] === 0) continue;
    windows.enter(k);
    const count = hi[k] - lo[k];
    if (count > scratch.length) scratch = new Float64Array(count * 2);
    scratch.set(v.subarray(lo[k], hi[k]));
    values[k] = quantileOf(q[k], scratch, count);
  }
}

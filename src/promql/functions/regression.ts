/** deriv and predict_linear: the least-squares line through the samples of a window. */
import type { Column } from "../column.ts";
import { type Grid, timeOf } from "../grid.ts";
import { KahanSum } from "../kahan.ts";
import type { Windows } from "./windows.ts";

/** Per second. The line is taken relative to the first sample: small numbers, small errors. */
export function deriv(windows: Windows, { values, present }: Column): void {
  const { t, lo, steps } = windows;
  for (let k = 0; k < steps; k++) {
    if (present[k] === 1) values[k] = fitLine(windows, k, t[lo[k]]).slope;
  }
}

/** The line's value `duration` seconds after the step's time. */
export function predictLinear(
  windows: Windows,
  { values, present }: Column,
  duration: Float64Array,
  grid: Grid,
): void {
  for (let k = 0; k < windows.steps; k++) {
    if (present[k] === 0) continue;
    const { slope, intercept } = fitLine(windows, k, timeOf(grid, k));
    values[k] = slope * duration[k] + intercept;
  }
}

/** The line through the samples of step k: its slope per second, and its value at `originMs`. */
function fitLine(windows: Windows, k: number, originMs: number): { slope: number; intercept: number } {
  windows.enter(k);
  const { t, v, lo, hi } = windows;
  const start = lo[k];
  const end = hi[k];
  const sumX = new KahanSum();
  const sumY = new KahanSum();
  const sumXY = new KahanSum();
  const sumX2 = new KahanSum();
  let constant = true;
  for (let i = start; i < end; i++) {
    const y = v[i];
    if (y !== v[start] && i > start) constant = false;
    const x = (t[i] - originMs) / 1e3;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (constant) {
    return Math.abs(v[start]) === Number.POSITIVE_INFINITY
      ? { slope: Number.NaN, intercept: Number.NaN }
      : { slope: 0, intercept: v[start] };
  }
  const n = end - start;
  const x = sumX.sum + sumX.compensation;
  const y = sumY.sum + sumY.compensation;
  const covariance = sumXY.sum + sumXY.compensation - (x * y) / n;
  const variance = sumX2.sum + sumX2.compensation - (x * x) / n;
  const slope = covariance / variance;
  return { slope, intercept: y / n - (slope * x) / n };
}

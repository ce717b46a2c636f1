/**
 * rate, increase, delta: the difference between last and first sample of the window, for counters plus the value
 * before every reset, extrapolated to the edges of the window. irate and idelta: from the last two samples.
 */
import type { Column } from "../column.ts";
import type { Windows } from "./windows.ts";

/** A whole number of seconds and the rest are converted apart, as Go's Duration.Seconds does. */
export function durationSeconds(ms: number): number {
  return Math.trunc(ms / 1000) + ((ms % 1000) * 1e6) / 1e9;
}

export function rate(windows: Windows, out: Column): void {
  counterDifference(windows, out);
  extrapolate(windows, out, true, durationSeconds(windows.rangeMs));
}

export function increase(windows: Windows, out: Column): void {
  counterDifference(windows, out);
  extrapolate(windows, out, true, 1);
}

export function delta(windows: Windows, out: Column): void {
  const { v, lo, hi, steps } = windows;
  const { values, present } = out;
  for (let k = 0; k < steps; k++) if (present[k] === 1) values[k] = v[hi[k] - 1] - v[lo[k]];
  extrapolate(windows, out, false, 1);
}

/**
 * Last minus first, then the values before the resets, in their order. Resets are rare: one pass over the series finds
 * them all, so that a step costs no look at the samples between its ends.
 */
function counterDifference(windows: Windows, out: Column): void {
  const { v, lo, hi, steps } = windows;
  const { values, present } = out;
  const end = steps === 0 ? 0 : hi[steps - 1];
  const resets = resetsIn(v, steps === 0 ? 0 : lo[0], end);
  let firstReset = 0;
  for (let k = 0; k < steps; k++) {
    if (present[k] === 0) continue;
    const first = lo[k];
    const next = hi[k];
    let difference = v[next - 1] - v[first];
    while (firstReset < resets.length && resets[firstReset] <= first) firstReset++;
    for (let r = firstReset; r < resets.length && resets[r] < next; r++) difference += v[resets[r] - 1];
    values[k] = difference;
  }
}

const noResets: number[] = [];

/** The indices of the samples that are smaller than the one before. */
export function resetsIn(v: Float64Array, start: number, end: number): readonly number[] {
  let resets = noResets;
  for (let i = start + 1; i < end; i++) {
    if (v[i] < v[i - 1]) {
      if (resets === noResets) resets = [];
      resets.push(i);
    }
  }
  return resets;
}

/**
 * Multiplies the difference by the share of the window that the samples cover: where a sample is about as close to an
 * edge as samples are to each other, up to that edge; otherwise by half a distance. A counter is not extended below 0.
 */
function extrapolate(windows: Windows, out: Column, isCounter: boolean, divisor: number): void {
  const { t, v, lo, hi, steps, rangeMs } = windows;
  const { values, present } = out;
  let end = windows.firstEndMs;
  for (let k = 0; k < steps; k++, end += windows.stepMs) {
    if (present[k] === 0) continue;
    const first = lo[k];
    const last = hi[k] - 1;
    const sampled = (t[last] - t[first]) / 1000;
    const average = sampled / (last - first);
    const threshold = average * 1.1;
    let toStart = (t[first] - (end - rangeMs)) / 1000;
    let toEnd = (end - t[last]) / 1000;
    if (toStart >= threshold) toStart = average / 2;
    if (isCounter && values[k] > 0 && v[first] >= 0) {
      const toZero = sampled * (v[first] / values[k]);
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = average / 2;
    let factor = (sampled + toStart + toEnd) / sampled;
    if (divisor !== 1) factor /= divisor;
    values[k] *= factor;
  }
}

export function irate(windows: Windows, out: Column): void {
  const { t, v, hi, steps } = windows;
  const { values, present } = out;
  for (let k = 0; k < steps; k++) {
    if (present[k] === 0) continue;
    const last = hi[k] - 1;
    const difference = v[last] < v[last - 1] ? v[last] : v[last] - v[last - 1];
    values[k] = difference / ((t[last] - t[last - 1]) / 1000);
  }
}

export function idelta(windows: Windows, out: Column): void {
  const { v, hi, steps } = windows;
  const { values, present } = out;
  for (let k = 0; k < steps; k++) {
    if (present[k] === 1) values[k] = v[hi[k] - 1] - v[hi[k] - 2];
  }
}

/** Deleted time ranges: ascending, apart from each other by more than a millisecond. */
import type { SampleColumns } from "../../storage/sample-columns.ts";

/** Milliseconds, both ends inclusive. */
export interface Interval {
  readonly mint: number;
  readonly maxt: number;
}

/** The same times as ascending intervals that do not touch. Those that end before they begin hold nothing. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter(({ mint, maxt }) => mint <= maxt).sort((a, b) => a.mint - b.mint);
  const merged: Interval[] = [];
  for (const { mint, maxt } of sorted) {
    const last = merged.at(-1);
    if (last === undefined || mint > last.maxt + 1) merged.push({ mint, maxt });
    else if (maxt > last.maxt) merged[merged.length - 1] = { mint: last.mint, maxt };
  }
  return merged;
}

/** Whether one of them covers all of [mint, maxt]. */
export function covers(intervals: readonly Interval[], mint: number, maxt: number): boolean {
  return intervals.some((interval) => interval.mint <= mint && maxt <= interval.maxt);
}

/** Takes the samples in the intervals out of the columns, from sample `from` on. */
export function removeDeleted(columns: SampleColumns, from: number, intervals: readonly Interval[]): void {
  const { t, v, n, starts, histograms } = columns;
  if (intervals.length === 0 || from === n) return;
  // Values move as pairs of words, so that a staleness marker stays one.
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  let interval = 0;
  let kept = from;
  for (let i = from; i < n; i++) {
    const time = t[i];
    while (interval < intervals.length && intervals[interval].maxt < time) interval++;
    if (interval < intervals.length && intervals[interval].mint <= time) continue;
    t[kept] = time;
    words[2 * kept] = words[2 * i];
    words[2 * kept + 1] = words[2 * i + 1];
    if (starts !== undefined) starts[kept] = starts[i];
    if (histograms !== undefined) histograms[kept] = histograms[i];
    kept++;
  }
  columns.truncate(kept);
}

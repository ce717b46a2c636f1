/** Deleted time ranges: ascending, apart from each other by more than a millisecond. */
import type { SampleColumns } from "../../storage/sample-columns.ts";

/** Milliseconds, both ends inclusive. */
export interface Interval {
  readonly mint: number;
  readonly maxt: number;
}

/** With one more interval, merged with those that it touches. */
export function addInterval(intervals: readonly Interval[], added: Interval): Interval[] {
  const before = intervals.filter((interval) => interval.maxt < added.mint - 1);
  const after = intervals.filter((interval) => interval.mint > added.maxt + 1);
  const touched = intervals.slice(before.length, intervals.length - after.length);
  const merged = touched.reduce(
    (sum, { mint, maxt }) => ({ mint: Math.min(sum.mint, mint), maxt: Math.max(sum.maxt, maxt) }),
    added,
  );
  return [...before, merged, ...after];
}

/** Whether one of them covers all of [mint, maxt]. */
export function covers(intervals: readonly Interval[], mint: number, maxt: number): boolean {
  return intervals.some((interval) => interval.mint <= mint && maxt <= interval.maxt);
}

/** Takes the samples in the intervals out of the columns, from sample `from` on. */
export function removeDeleted(columns: SampleColumns, from: number, intervals: readonly Interval[]): void {
  const { t, v, n } = columns;
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
    kept++;
  }
  columns.n = kept;
}

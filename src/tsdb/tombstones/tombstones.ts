/** What was deleted from a block or from the head: intervals by series ref. */
import { type Interval, mergeIntervals } from "./intervals.ts";

const none: readonly Interval[] = [];

export class Tombstones {
  readonly #bySeries = new Map<number, readonly Interval[]>();

  /** `bySeries`: the intervals of each series, in any order. */
  static of(bySeries: ReadonlyMap<number, readonly Interval[]>): Tombstones {
    const tombstones = new Tombstones();
    for (const [ref, intervals] of bySeries) tombstones.#set(ref, intervals);
    return tombstones;
  }

  /** The deleted ranges of a series, ascending. */
  get(ref: number): readonly Interval[] {
    return this.#bySeries.get(ref) ?? none;
  }

  add(ref: number, interval: Interval): void {
    this.#set(ref, [...this.get(ref), interval]);
  }

  /** How many intervals there are. */
  get total(): number {
    let total = 0;
    for (const intervals of this.#bySeries.values()) total += intervals.length;
    return total;
  }

  /** By ascending ref. */
  entries(): [ref: number, intervals: readonly Interval[]][] {
    return [...this.#bySeries].sort(([a], [b]) => a - b);
  }

  #set(ref: number, intervals: readonly Interval[]): void {
    const merged = mergeIntervals(intervals);
    if (merged.length > 0) this.#bySeries.set(ref, merged);
  }
}

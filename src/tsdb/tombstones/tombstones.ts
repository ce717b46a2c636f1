/** What was deleted from a block or from the head: intervals by series ref. */
import { addInterval, type Interval } from "./intervals.ts";

const none: readonly Interval[] = [];

export class Tombstones {
  readonly #bySeries = new Map<number, readonly Interval[]>();

  /** The deleted ranges of a series, ascending. */
  get(ref: number): readonly Interval[] {
    return this.#bySeries.get(ref) ?? none;
  }

  add(ref: number, interval: Interval): void {
    this.#bySeries.set(ref, addInterval(this.get(ref), interval));
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
}

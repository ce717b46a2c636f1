/**
 * Deleted intervals of series: tombstones that the WAL holds. Rare, so the table is replaced as a whole. Layout:
 * docs/formats/head-memory.md.
 */
import { Interval, Purpose, Root, Series, SeriesFlag } from "../../kernels/head-layout.ts";
import { mergeIntervals, type Interval as TimeInterval } from "../tombstones/intervals.ts";
import type { Arena } from "./arena.ts";
import { type HeadMemory, seriesRecord } from "./memory.ts";
import type { Retired } from "./retired.ts";

const nothingDeleted: readonly TimeInterval[] = [];

/** The writer's side. */
export class DeletedIntervals {
  readonly #memory: HeadMemory;
  readonly #arena: Arena;
  readonly #retired: Retired;
  readonly #bySeries = new Map<number, TimeInterval[]>();

  constructor(memory: HeadMemory, arena: Arena, retired: Retired) {
    this.#memory = memory;
    this.#arena = arena;
    this.#retired = retired;
  }

  get isEmpty(): boolean {
    return this.#bySeries.size === 0;
  }

  /** By ref. */
  get bySeries(): ReadonlyMap<number, readonly TimeInterval[]> {
    return this.#bySeries;
  }

  /** Seen by readers after {@link publish}. */
  add(ref: number, interval: TimeInterval): void {
    const known = this.#bySeries.get(ref);
    if (known === undefined) this.#bySeries.set(ref, [interval]);
    else known.push(interval);
  }

  /** Forgets series that are gone and what ends before `mint`. */
  truncate(isLive: (ref: number) => boolean, mint: number): void {
    if (this.isEmpty) return;
    for (const [ref, intervals] of this.#bySeries) {
      const kept = intervals.filter((interval) => interval.maxt >= mint);
      if (kept.length === 0 || !isLive(ref)) this.#bySeries.delete(ref);
      else this.#bySeries.set(ref, kept);
    }
    this.publish();
  }

  publish(): void {
    const { words, doubles } = this.#memory;
    const old = words[Root.deletedIntervals];
    for (const [ref, intervals] of this.#bySeries) this.#bySeries.set(ref, mergeIntervals(intervals));
    const refs = [...this.#bySeries.keys()].sort((a, b) => a - b);
    const count = refs.reduce((sum, ref) => sum + (this.#bySeries.get(ref) as TimeInterval[]).length, 0);
    let table = 0;
    if (count > 0) {
      table = this.#arena.alloc(Interval.header + count * Interval.words, Purpose.deletedIntervals);
      words[table] = count;
      let at = table + Interval.header;
      for (const ref of refs) {
        for (const { mint, maxt } of this.#bySeries.get(ref) as TimeInterval[]) {
          words[at + Interval.ref] = ref;
          doubles[(at + Interval.mint) >> 1] = mint;
          doubles[(at + Interval.maxt) >> 1] = maxt;
          at += Interval.words;
        }
      }
    }
    Atomics.store(words, Root.deletedIntervals, table);
    if (old !== 0) this.#retired.memory(old, Purpose.deletedIntervals);
    for (const ref of refs) words[seriesRecord(words, ref) + Series.samples] |= SeriesFlag.deletedIntervals;
  }
}

/** What is deleted of a series, ascending and apart, for a pinned reader. */
export function deletedOf(memory: HeadMemory, ref: number, record: number): readonly TimeInterval[] {
  const { words, doubles } = memory;
  if ((words[record + Series.samples] & SeriesFlag.deletedIntervals) === 0) return nothingDeleted;
  const table = Atomics.load(words, Root.deletedIntervals);
  if (table === 0) return nothingDeleted;
  const entry = (i: number) => table + Interval.header + i * Interval.words;
  let low = 0;
  let high = words[table];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[entry(middle) + Interval.ref] < ref) low = middle + 1;
    else high = middle;
  }
  const found: TimeInterval[] = [];
  for (; low < words[table] && words[entry(low) + Interval.ref] === ref; low++) {
    const at = entry(low);
    found.push({ mint: doubles[(at + Interval.mint) >> 1], maxt: doubles[(at + Interval.maxt) >> 1] });
  }
  return found;
}

/**
 * From label bytes to refs: 256 open-addressing tables by the highest hash bits, so that growing never takes long. The
 * writer's alone. Looking up is {@link ../../kernels/series-find.ts}.
 */
import { Purpose, Root, Segment, Series, segmentCount } from "../../kernels/head-layout.ts";
import type { Arena } from "./arena.ts";
import { type HeadMemory, seriesRecord } from "./memory.ts";

const capacityMin = 16;

export class SeriesIndex {
  readonly #words: Uint32Array;
  readonly #arena: Arena;

  constructor(memory: HeadMemory, arena: Arena) {
    this.#words = memory.words;
    this.#arena = arena;
  }

  /** How many series there are. */
  get count(): number {
    let total = 0;
    for (let i = 0; i < segmentCount; i++) {
      total += this.#words[Root.indexSegments + i * Segment.words + Segment.count];
    }
    return total;
  }

  /** Adds a series that is not in it. */
  insert(ref: number, hashLow: number, hashHigh: number): void {
    const words = this.#words;
    const segment = segmentOf(hashHigh);
    const capacity = words[segment + Segment.table] === 0 ? 0 : words[segment + Segment.mask] + 1;
    if ((words[segment + Segment.count] + 1) * 4 > capacity * 3)
      this.#resize(segment, capacity * 2 || capacityMin);
    put(words, words[segment + Segment.table], words[segment + Segment.mask], ref, hashLow, hashHigh);
    words[segment + Segment.count]++;
  }

  /** Removes a series that is in it; its record must still be there. */
  remove(ref: number): void {
    const words = this.#words;
    const record = seriesRecord(words, ref);
    const segment = segmentOf(words[record + Series.hashHigh]);
    const table = words[segment + Segment.table];
    const mask = words[segment + Segment.mask];
    let hole = words[record + Series.hashLow] & mask;
    while (words[table + 2 * hole + 1] !== ref) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; ; i = (i + 1) & mask) {
      const other = words[table + 2 * i + 1];
      if (other === 0) break;
      const home = words[seriesRecord(words, other) + Series.hashLow] & mask;
      // It may move into the hole unless its home lies behind the hole, cyclically.
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      words[table + 2 * hole] = words[table + 2 * i];
      words[table + 2 * hole + 1] = other;
      hole = i;
    }
    words[table + 2 * hole + 1] = 0;
    words[segment + Segment.count]--;
    const capacity = mask + 1;
    if (capacity > capacityMin && words[segment + Segment.count] * 8 < capacity)
      this.#resize(segment, capacity / 2);
  }

  #resize(segment: number, capacity: number): void {
    const words = this.#words;
    const old = words[segment + Segment.table];
    const oldCapacity = old === 0 ? 0 : words[segment + Segment.mask] + 1;
    const table = this.#arena.allocZeroed(2 * capacity, Purpose.index);
    for (let i = 0; i < oldCapacity; i++) {
      const ref = words[old + 2 * i + 1];
      if (ref === 0) continue;
      const hashLow = words[seriesRecord(words, ref) + Series.hashLow];
      put(words, table, capacity - 1, ref, hashLow, words[old + 2 * i]);
    }
    words[segment + Segment.table] = table;
    words[segment + Segment.mask] = capacity - 1;
    if (old !== 0) this.#arena.free(old, Purpose.index);
  }
}

function segmentOf(hashHigh: number): number {
  return Root.indexSegments + (hashHigh >>> 24) * Segment.words;
}

function put(words: Uint32Array, table: number, mask: number, ref: number, low: number, high: number): void {
  let i = low & mask;
  while (words[table + 2 * i + 1] !== 0) i = (i + 1) & mask;
  words[table + 2 * i] = high;
  words[table + 2 * i + 1] = ref;
}

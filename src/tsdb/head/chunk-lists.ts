/**
 * The lists of a series' chunks that are in files, from the writer's side. Layout: docs/formats/head-memory.md.
 */
import { ChunkEntry, ChunkList, longDuration, Purpose, Series } from "../../kernels/head-layout.ts";
import type { Arena } from "./arena.ts";
import type { HeadMemory } from "./memory.ts";
import type { Retired } from "./retired.ts";

/** A chunk in a file. */
export interface PersistedChunk {
  /** File * 2^32 + offset. */
  readonly ref: number;
  readonly mint: number;
  readonly maxt: number;
  readonly samples: number;
  readonly encoding: number;
}

export class ChunkLists {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #arena: Arena;
  readonly #retired: Retired;
  /** Chunks in all lists. */
  total = 0;

  constructor(memory: HeadMemory, arena: Arena, retired: Retired) {
    this.#words = memory.words;
    this.#doubles = memory.doubles;
    this.#arena = arena;
    this.#retired = retired;
  }

  /** How many chunks of the series are in files. */
  count(record: number): number {
    const list = this.#words[record + Series.chunkList];
    return list === 0 ? 0 : this.#words[list + ChunkList.count];
  }

  /** The oldest time in the list; Infinity for an empty one. */
  mint(record: number): number {
    const list = this.#words[record + Series.chunkList];
    if (list === 0) return Number.POSITIVE_INFINITY;
    return this.#doubles[(list + ChunkList.header + ChunkEntry.mint) >> 1];
  }

  /** Publishes a chunk behind those that are there. `ordinal` is that of its first sample. */
  append(record: number, ordinal: number, chunk: PersistedChunk): void {
    const words = this.#words;
    let list = words[record + Series.chunkList];
    this.total++;
    if (list === 0) {
      list = this.#newList(2);
      words[list + ChunkList.ordinal] = ordinal;
      this.#fill(list, 0, chunk);
      words[list + ChunkList.count] = 1;
      Atomics.store(words, record + Series.chunkList, list);
      return;
    }
    const count = words[list + ChunkList.count];
    if (count === words[list + ChunkList.capacity])
      list = this.#copy(record, list, 0, count + (count >> 1) + 1);
    this.#fill(list, count, chunk);
    Atomics.store(words, list + ChunkList.count, count + 1);
  }

  /** Gives a series without a list that of a snapshot: `count` entries from `entries[at]` on. */
  restore(record: number, ordinal: number, entries: Uint32Array, at: number, count: number): void {
    const words = this.#words;
    const list = this.#newList(count);
    this.total += count;
    words[list + ChunkList.ordinal] = ordinal;
    words.set(entries.subarray(at, at + count * ChunkEntry.words), list + ChunkList.header);
    words[list + ChunkList.count] = count;
    words[record + Series.chunkList] = list;
  }

  /** The ref of the last chunk in the list; -1 for an empty one. */
  lastRef(record: number): number {
    const list = this.#words[record + Series.chunkList];
    if (list === 0) return -1;
    const entry = entryAt(list, this.#words[list + ChunkList.count] - 1);
    return this.#words[entry + ChunkEntry.refHigh] * 0x100000000 + this.#words[entry + ChunkEntry.refLow];
  }

  /** Takes out the chunks at the front that end before `mint`; returns how many. */
  dropBefore(record: number, mint: number): number {
    const list = this.#words[record + Series.chunkList];
    if (list === 0) return 0;
    const count = this.#words[list + ChunkList.count];
    let dropped = 0;
    while (dropped < count && this.#maxt(list, dropped) < mint) dropped++;
    if (dropped === count) this.clear(record);
    else if (dropped > 0) {
      this.#copy(record, list, dropped, count - dropped + 1);
      this.total -= dropped;
    }
    return dropped;
  }

  /** Takes out all. */
  clear(record: number): void {
    const list = this.#words[record + Series.chunkList];
    if (list === 0) return;
    this.total -= this.#words[list + ChunkList.count];
    Atomics.store(this.#words, record + Series.chunkList, 0);
    this.#retired.memory(list, Purpose.chunkLists);
  }

  #maxt(list: number, index: number): number {
    const entry = entryAt(list, index);
    const duration = this.#words[entry + ChunkEntry.duration];
    if (duration === longDuration) return Number.POSITIVE_INFINITY;
    return this.#doubles[(entry + ChunkEntry.mint) >> 1] + duration;
  }

  #newList(capacity: number): number {
    const list = this.#arena.alloc(ChunkList.header + capacity * ChunkEntry.words, Purpose.chunkLists);
    const words = this.#words;
    words[list + ChunkList.count] = 0;
    words[list + ChunkList.capacity] = Math.floor(
      (this.#arena.sizeOf(list) - ChunkList.header) / ChunkEntry.words,
    );
    return list;
  }

  /** A new list of the entries from `first` on, published in the place of `list`, which is retired. */
  #copy(record: number, list: number, first: number, capacity: number): number {
    const words = this.#words;
    const count = words[list + ChunkList.count];
    const copy = this.#newList(capacity);
    let ordinal = words[list + ChunkList.ordinal];
    for (let i = 0; i < first; i++) ordinal += words[entryAt(list, i) + ChunkEntry.samples] & 0xffff;
    words[copy + ChunkList.ordinal] = ordinal;
    words.copyWithin(copy + ChunkList.header, entryAt(list, first), entryAt(list, count));
    words[copy + ChunkList.count] = count - first;
    Atomics.store(words, record + Series.chunkList, copy);
    this.#retired.memory(list, Purpose.chunkLists);
    return copy;
  }

  #fill(list: number, index: number, chunk: PersistedChunk): void {
    const words = this.#words;
    const entry = entryAt(list, index);
    const duration = chunk.maxt - chunk.mint;
    this.#doubles[(entry + ChunkEntry.mint) >> 1] = chunk.mint;
    words[entry + ChunkEntry.refLow] = chunk.ref;
    words[entry + ChunkEntry.refHigh] = Math.floor(chunk.ref / 0x100000000);
    words[entry + ChunkEntry.duration] = duration < longDuration ? duration : longDuration;
    words[entry + ChunkEntry.samples] = chunk.samples | (chunk.encoding << 16);
  }
}

/** The offset of an entry. */
export function entryAt(list: number, index: number): number {
  return list + ChunkList.header + index * ChunkEntry.words;
}

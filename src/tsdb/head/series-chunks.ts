/**
 * What a reader gathers of the chunks of one series: refs of those in files, copies of those in memory, each with the
 * number of its visible samples. Columns that are used for many series; a series is a range of them.
 */

import { Chunk, ChunkEntry, ChunkList, longDuration, Series } from "../../kernels/head-layout.ts";
import { entryAt } from "./chunk-lists.ts";
import { visibleSamples } from "./isolation.ts";
import type { HeadMemory } from "./memory.ts";
import { copyChunkData, openChunkWords, openEncoding } from "./open-chunk.ts";

/** Longer chains than this do not occur; the reader's stack for them grows. */
const chainMin = 8;

export class GatheredChunks {
  /** Of each chunk: its ref in the files, -1 for one that was copied. */
  refs: Float64Array;
  mints: Float64Array;
  /** Infinity for a chunk in memory: it is told by decoding. */
  maxts: Float64Array;
  /** How many of its samples are visible. */
  samples: Uint32Array;
  encodings: Uint8Array;
  /** Of a copied chunk: its bytes in {@link bytes}. */
  starts: Float64Array;
  ends: Float64Array;
  /** Whether all samples of a chunk in a file are visible. */
  whole: Uint8Array;
  n = 0;
  bytes: Uint8Array;
  #bytesLength = 0;
  /** A chunk that is added takes the place of those behind so many chunks and bytes. */
  #kept = Number.POSITIVE_INFINITY;
  #keptBytes = Number.POSITIVE_INFINITY;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  #chain = new Uint32Array(chainMin);

  /** `capacity` is that for chunks at the beginning. */
  constructor(memory: HeadMemory, capacity = 256) {
    this.refs = new Float64Array(capacity);
    this.mints = new Float64Array(capacity);
    this.maxts = new Float64Array(capacity);
    this.samples = new Uint32Array(capacity);
    this.encodings = new Uint8Array(capacity);
    this.starts = new Float64Array(capacity);
    this.ends = new Float64Array(capacity);
    this.whole = new Uint8Array(capacity);
    this.bytes = new Uint8Array(16 * capacity);
    this.#words = memory.words;
    this.#doubles = memory.doubles;
  }

  /** Memory that this holds. */
  get byteLength(): number {
    return this.bytes.length + this.refs.length * (5 * 8 + 4 + 2);
  }

  /** Gives the columns up, keeps the memory. */
  clear(): void {
    this.n = 0;
    this.#bytesLength = 0;
  }

  /**
   * Adds the chunks of a series that hold visible samples as of a batch and may overlap [mint, maxt]; with `lastOnly`
   * only the one with the last sample in it. Returns how many. The reader must be pinned.
   */
  gather(record: number, asOf: number, mint: number, maxt: number, lastOnly = false): number {
    const words = this.#words;
    const before = this.n;
    this.#kept = lastOnly ? before : Number.POSITIVE_INFINITY;
    this.#keptBytes = lastOnly ? this.#bytesLength : Number.POSITIVE_INFINITY;
    const visible = visibleSamples(words, record, asOf);
    if (visible === 0) return 0;
    // In this order: open chunk, older ones, list. The writer publishes in the opposite one.
    const chainLength = this.#loadChain(record);
    let ordinal = this.#gatherList(record, visible, mint, maxt);
    for (let i = chainLength - 1; i >= 0; i--) {
      const slab = this.#chain[i];
      const first = words[slab + Chunk.ordinal];
      if (ordinal >= 0 && ((first - ordinal) | 0) < 0) continue;
      const end = i === 0 ? visible : words[this.#chain[i - 1] + Chunk.ordinal];
      const seen = Math.min((visible - first) | 0, (end - first) | 0);
      if (seen <= 0) break;
      ordinal = end;
      // The last time only grows, so what is read here is at least that of the last visible sample.
      if (i === 0 && this.#doubles[(record + Series.lastTime) >> 1] < mint) break;
      if (this.#doubles[(slab + Chunk.firstTime) >> 1] <= maxt) this.#copy(slab, seen);
    }
    return this.n - before;
  }

  /** The open chunk and its older ones into #chain, newest first. */
  #loadChain(record: number): number {
    const words = this.#words;
    let n = 0;
    let slab = Atomics.load(words, record + Series.open);
    while (slab !== 0) {
      if (n === this.#chain.length) {
        const longer = new Uint32Array(2 * n);
        longer.set(this.#chain);
        this.#chain = longer;
      }
      this.#chain[n++] = slab;
      slab = Atomics.load(words, slab + Chunk.older);
    }
    return n;
  }

  /** The chunks in files; returns the ordinal behind them, -1 where there are none. */
  #gatherList(record: number, visible: number, mint: number, maxt: number): number {
    const words = this.#words;
    const list = Atomics.load(words, record + Series.chunkList);
    if (list === 0) return -1;
    const count = Atomics.load(words, list + ChunkList.count);
    let ordinal = words[list + ChunkList.ordinal];
    for (let i = 0; i < count; i++) {
      const entry = entryAt(list, i);
      const samples = words[entry + ChunkEntry.samples] & 0xffff;
      const seen = Math.min((visible - ordinal) | 0, samples);
      ordinal = (ordinal + samples) >>> 0;
      const start = this.#doubles[(entry + ChunkEntry.mint) >> 1];
      if (seen <= 0 || start > maxt) continue;
      const duration = words[entry + ChunkEntry.duration];
      const end = duration === longDuration ? Number.POSITIVE_INFINITY : start + duration;
      if (end < mint) continue;
      const at = this.#next(start, end, seen, words[entry + ChunkEntry.samples] >>> 16);
      this.refs[at] = words[entry + ChunkEntry.refHigh] * 0x100000000 + words[entry + ChunkEntry.refLow];
      this.whole[at] = seen === samples ? 1 : 0;
    }
    return ordinal;
  }

  #copy(slab: number, seen: number): void {
    const start = this.#doubles[(slab + Chunk.firstTime) >> 1];
    const words = this.#words;
    const from = Math.min(this.#bytesLength, this.#keptBytes);
    const count = openChunkWords(words, slab);
    if (from + 4 * count > this.bytes.length) {
      const bigger = new Uint8Array(2 * this.bytes.length + 4 * count);
      bigger.set(this.bytes.subarray(0, from));
      this.bytes = bigger;
    }
    const to = from + 4 * copyChunkData(words, slab, count, seen, this.bytes, from);
    this.#bytesLength = to;
    const at = this.#next(start, Number.POSITIVE_INFINITY, seen, openEncoding(words, slab));
    this.refs[at] = -1;
    this.starts[at] = from;
    this.ends[at] = to;
    this.whole[at] = 0;
  }

  /** Chunks come in time order: each has a sample in the range, or later ones have none either. */
  #next(mint: number, maxt: number, samples: number, encoding: number): number {
    this.n = Math.min(this.n, this.#kept);
    if (this.n === this.refs.length) this.#grow();
    const at = this.n++;
    this.mints[at] = mint;
    this.maxts[at] = maxt;
    this.samples[at] = samples;
    this.encodings[at] = encoding;
    return at;
  }

  #grow(): void {
    const capacity = 2 * this.n;
    this.refs = longer(this.refs, new Float64Array(capacity));
    this.mints = longer(this.mints, new Float64Array(capacity));
    this.maxts = longer(this.maxts, new Float64Array(capacity));
    this.samples = longer(this.samples, new Uint32Array(capacity));
    this.encodings = longer(this.encodings, new Uint8Array(capacity));
    this.starts = longer(this.starts, new Float64Array(capacity));
    this.ends = longer(this.ends, new Float64Array(capacity));
    this.whole = longer(this.whole, new Uint8Array(capacity));
  }
}

function longer<T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/**
 * Chunks that are full: takes them from the append kernel, writes them to the chunk files, publishes where they are, and
 * retires their memory. While a file cannot be written they stay where readers find them, and are tried again.
 */
import { assert } from "../../base/assert.ts";
import { type Encoding, isHistogramEncoding } from "../../chunkenc/encoding.ts";
import { Chunk, Cut, chunkWordsMax, Series } from "../../kernels/head-layout.ts";
import type { ChunkLists } from "./chunk-lists.ts";
import type { ChunkSink } from "./head-log.ts";
import { type HeadMemory, seriesRecord } from "./memory.ts";
import { copyChunkData, openChunkBytes, openEncoding } from "./open-chunk.ts";
import type { Retired } from "./retired.ts";
import { isLiveRecord, walRefOf } from "./series-table.ts";

interface PendingChunk {
  readonly seriesRef: number;
  readonly slab: number;
  readonly encoding: Encoding;
  /** Bytes of its data. */
  readonly size: number;
  readonly samples: number;
  readonly mint: number;
  readonly maxt: number;
  /** Where it is in the files; 0 until it was handed to them. */
  ref: number;
}

/** Chunks, how often some of a series were written, and of those how often at most so many. */
export interface PersistedStats {
  chunksPersisted: number;
  chunksPersistedTimes: number;
  chunksPersistedUpTo1: number;
  chunksPersistedUpTo2: number;
  chunksPersistedUpTo4: number;
  chunksPersistedUpTo8: number;
}

export class CutChunks {
  readonly #memory: HeadMemory;
  readonly #lists: ChunkLists;
  readonly #retired: Retired;
  readonly #sink: ChunkSink;
  #bytes = new Uint8Array(4 * chunkWordsMax);
  /** Oldest first within each series. */
  #pending: PendingChunk[] = [];
  readonly #persisted: PersistedStats = {
    chunksPersisted: 0,
    chunksPersistedTimes: 0,
    chunksPersistedUpTo1: 0,
    chunksPersistedUpTo2: 0,
    chunksPersistedUpTo4: 0,
    chunksPersistedUpTo8: 0,
  };
  /** What the last attempt to write failed with. */
  error: unknown;

  constructor(memory: HeadMemory, lists: ChunkLists, retired: Retired, sink: ChunkSink) {
    this.#memory = memory;
    this.#lists = lists;
    this.#retired = retired;
    this.#sink = sink;
  }

  /** How many chunks wait to be written. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** Takes the entries of a cut buffer; floats follow on them. `onHistograms` is told of those that hold histograms. */
  take(cuts: number, count: number, onHistograms: (slab: number) => void): void {
    const { words, doubles } = this.#memory;
    for (let i = 0, entry = cuts; i < count; i++, entry += Cut.words) {
      const slab = words[entry + Cut.slab];
      const encoding = openEncoding(words, slab);
      const ref = words[entry + Cut.ref];
      if (isHistogramEncoding(encoding)) onHistograms(slab);
      const size = openChunkBytes(words, slab, words[entry + Cut.bits]);
      this.add(ref, slab, encoding, size, words[entry + Cut.samples], doubles[(entry + Cut.maxt) >> 1]);
    }
  }

  /** Takes a chunk that is not the open one of its series any more. */
  add(
    seriesRef: number,
    slab: number,
    encoding: Encoding,
    size: number,
    samples: number,
    maxt: number,
  ): void {
    const mint = this.#memory.doubles[(slab + Chunk.firstTime) >> 1];
    this.#pending.push({ seriesRef, slab, encoding, size, samples, mint, maxt, ref: 0 });
  }

  /** Writes what waits. Returns whether everything is written; otherwise {@link error} says why not. */
  persist(): boolean {
    const pending = this.#pending;
    if (pending.length === 0) return true;
    try {
      for (const chunk of pending) if (chunk.ref === 0) this.#write(chunk);
      this.#sink.flush();
    } catch (error) {
      this.error = error;
      return false;
    }
    this.error = undefined;
    this.#pending = [];
    for (const chunk of pending) this.#publish(chunk);
    this.#countPersisted(pending);
    return true;
  }

  /** How many chunks of a series were written at a time: the counts of a histogram. */
  get persisted(): PersistedStats {
    return this.#persisted;
  }

  #countPersisted(chunks: readonly PendingChunk[]): void {
    const bySeries = new Map<number, number>();
    for (const { seriesRef } of chunks) bySeries.set(seriesRef, (bySeries.get(seriesRef) ?? 0) + 1);
    const stats = this.#persisted;
    stats.chunksPersisted += chunks.length;
    stats.chunksPersistedTimes += bySeries.size;
    for (const count of bySeries.values()) {
      if (count <= 1) stats.chunksPersistedUpTo1++;
      if (count <= 2) stats.chunksPersistedUpTo2++;
      if (count <= 4) stats.chunksPersistedUpTo4++;
      if (count <= 8) stats.chunksPersistedUpTo8++;
    }
  }

  /** Forgets the pending chunks of series that are dead or whose open chunk was dropped. */
  forget(isGone: (seriesRef: number) => boolean): void {
    this.#pending = this.#pending.filter((chunk) => !isGone(chunk.seriesRef));
  }

  #write(chunk: PendingChunk): void {
    const { words } = this.#memory;
    const record = seriesRecord(words, chunk.seriesRef);
    const { slab, encoding, size, samples, mint, maxt } = chunk;
    if (size + 3 > this.#bytes.length) this.#bytes = new Uint8Array(2 * size + 4);
    copyChunkData(words, slab, (size + 3) >>> 2, samples, this.#bytes, 0);
    chunk.ref = this.#sink.append(
      walRefOf(words, record),
      mint,
      maxt,
      encoding,
      this.#bytes.subarray(0, size),
    );
  }

  #publish(chunk: PendingChunk): void {
    const { words } = this.#memory;
    const record = seriesRecord(words, chunk.seriesRef);
    if (record === 0 || !isLiveRecord(words, record)) return;
    this.#lists.append(record, words[chunk.slab + Chunk.ordinal], chunk);
    // It is the last of the chain that begins at the open chunk.
    let newer = words[record + Series.open];
    while (newer !== 0 && words[newer + Chunk.older] !== chunk.slab) newer = words[newer + Chunk.older];
    assert(newer !== 0, `a chunk of series ${chunk.seriesRef} that was written is not in its chain`);
    Atomics.store(words, newer + Chunk.older, 0);
    this.#retired.chunk(chunk.slab);
  }
}

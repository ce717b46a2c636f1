/**
 * The head as the source of a block: all series with samples in a range to which nothing is appended any more
 * (Head.appendableMinValidTime). So the batch does not matter, and the memory is held only while a few series at a time are gathered.
 */
import { encodingsLike, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import { maxSamplesPerChunk } from "../../chunkenc/xor.ts";
import type { Labels } from "../../model/labels.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Chunk, ChunkSeries, ChunkSource } from "../chunks/chunk.ts";
import { type Interval, removeDeleted } from "../tombstones/intervals.ts";
import { deletedOf } from "./deleted-intervals.ts";
import { ReaderPin } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import type { ChunkStore } from "./head-log.ts";
import { decodeGathered } from "./head-series.ts";
import type { HeadMemory } from "./memory.ts";
import type { PairStrings } from "./pair-strings.ts";
import type { RefList } from "./refs.ts";
import { GatheredChunks } from "./series-chunks.ts";
import { selectedRecord } from "./series-table.ts";
import { sortByLabels } from "./sort-refs.ts";

const seriesPerSlice = 256;

export class HeadChunkSource implements ChunkSource {
  readonly #memory: HeadMemory;
  readonly #store: ChunkStore;
  readonly #strings: PairStrings;
  readonly #owner: number;
  readonly #mint: number;
  readonly #maxt: number;

  constructor(
    memory: HeadMemory,
    store: ChunkStore,
    strings: PairStrings,
    owner: number,
    mint: number,
    maxt: number,
  ) {
    this.#memory = memory;
    this.#store = store;
    this.#strings = strings;
    this.#owner = owner;
    this.#mint = mint;
    this.#maxt = maxt;
  }

  *series(): Iterable<ChunkSeries> {
    // Keeps collection from starting until all is read.
    const whole = ReaderPin.open(this.#memory, this.#owner);
    try {
      const index = new HeadIndex(this.#memory, this.#strings, whole.state);
      const { refs, n } = sortByLabels(this.#memory.words, this.#strings, index.all());
      whole.unpin();
      for (let first = 0; first < n; first += seriesPerSlice) {
        yield* this.#slice({ refs: refs.subarray(first), n: Math.min(seriesPerSlice, n - first) });
      }
    } finally {
      whole.close();
    }
  }

  #slice({ refs, n }: RefList): ChunkSeries[] {
    const { words } = this.#memory;
    const series: ChunkSeries[] = [];
    const pin = ReaderPin.open(this.#memory, this.#owner);
    try {
      for (let i = 0; i < n; i++) {
        const record = selectedRecord(words, refs[i]);
        if (record === 0) continue;
        const chunks = new GatheredChunks(this.#memory, 16);
        if (chunks.gather(record, pin.state.batch, this.#mint, this.#maxt) === 0) continue;
        const labels = this.#strings.labels(record);
        const one = this.#chunkSeries(labels, chunks, deletedOf(this.#memory, refs[i], record));
        if (one !== undefined) series.push(one);
      }
    } finally {
      pin.close();
    }
    return series;
  }

  /** Undefined where no sample lies in the range. */
  #chunkSeries(
    labels: Labels,
    chunks: GatheredChunks,
    deleted: readonly Interval[],
  ): ChunkSeries | undefined {
    const store = this.#store;
    const parts: (Chunk | number)[] = [];
    for (let i = 0; i < chunks.n; i++) {
      if (this.#isWhole(chunks, i, deleted)) {
        parts.push(chunks.refs[i]);
      } else {
        parts.push(...this.#encode(chunks, i, deleted));
      }
    }
    if (parts.length === 0) return undefined;
    return {
      labels,
      *chunks() {
        for (const part of parts) yield typeof part === "number" ? store.read(part) : part;
      },
    };
  }

  /** Whether the chunk can be taken from its file as it is. */
  #isWhole(chunks: GatheredChunks, i: number, deleted: readonly Interval[]): boolean {
    const mint = chunks.mints[i];
    const maxt = chunks.maxts[i];
    if (chunks.whole[i] === 0 || mint < this.#mint || maxt > this.#maxt) return false;
    return !deleted.some((interval) => interval.mint <= maxt && interval.maxt >= mint);
  }

  /** One chunk of the same encoding at most: what was in one chunk fits into one. */
  #encode(chunks: GatheredChunks, i: number, deleted: readonly Interval[]): Iterable<Chunk> {
    const samples = new SampleColumns(chunks.samples[i], true);
    decodeGathered(chunks, i, this.#store, samples, this.#mint, this.#maxt);
    removeDeleted(samples, 0, deleted);
    const encodings = encodingsLike(chunks.encodings[i]);
    return new SampleEncoder().encode(samples, 0, samples.n, encodings, maxSamplesPerChunk);
  }
}

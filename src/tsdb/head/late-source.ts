/** The head's out-of-order chunks as the source of a block: all series with such chunks in files up to a ref. */
import { type ChunkEncodings, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import type { ChunkSeries, ChunkSource } from "../chunks/chunk.ts";
import { removeDeleted } from "../tombstones/intervals.ts";
import { deletedOf } from "./deleted-intervals.ts";
import { ReaderPin } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import type { ChunkStore } from "./head-log.ts";
import { decodeLate, gatherLate, lateRoot } from "./late-samples.ts";
import type { HeadMemory } from "./memory.ts";
import type { PairStrings } from "./pair-strings.ts";
import { selectedRecord } from "./series-table.ts";
import { sortByLabels } from "./sort-refs.ts";

export interface LateRange {
  /** Milliseconds; both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  readonly lastFileRef: number;
}

export class LateChunkSource implements ChunkSource {
  readonly #memory: HeadMemory;
  readonly #store: ChunkStore;
  readonly #strings: PairStrings;
  readonly #owner: number;
  readonly #range: LateRange;
  readonly #encodings: ChunkEncodings;

  constructor(
    memory: HeadMemory,
    store: ChunkStore,
    strings: PairStrings,
    owner: number,
    range: LateRange,
    encodings: ChunkEncodings,
  ) {
    this.#encodings = encodings;
    this.#memory = memory;
    this.#store = store;
    this.#strings = strings;
    this.#owner = owner;
    this.#range = range;
  }

  *series(): Iterable<ChunkSeries> {
    // Keeps collection from starting until all is read.
    const whole = ReaderPin.open(this.#memory, this.#owner);
    try {
      const { words } = this.#memory;
      const index = new HeadIndex(this.#memory, this.#strings, whole.state);
      const all = index.all();
      const refs = all.refs.subarray(0, all.n).filter((ref) => lateRoot(words, ref) !== 0);
      const sorted = sortByLabels(words, this.#strings, { refs, n: refs.length });
      whole.unpin();
      for (let i = 0; i < sorted.n; i++) {
        const series = this.#one(sorted.refs[i]);
        if (series !== undefined) yield series;
      }
    } finally {
      whole.close();
    }
  }

  #one(ref: number): ChunkSeries | undefined {
    const { words } = this.#memory;
    const { mint, maxt, lastFileRef } = this.#range;
    const pin = ReaderPin.open(this.#memory, this.#owner);
    try {
      const record = selectedRecord(words, ref);
      if (record === 0) return undefined;
      const late = gatherLate(this.#memory, ref, pin.state.batch, mint, maxt, lastFileRef);
      if (late === undefined) return undefined;
      const labels = this.#strings.labels(record);
      const deleted = deletedOf(this.#memory, ref, record);
      const samples = decodeLate(late, this.#store, mint, maxt, true);
      removeDeleted(samples, 0, deleted);
      if (samples.n === 0) return undefined;
      return { labels, chunks: () => new SampleEncoder().encode(samples, 0, samples.n, this.#encodings) };
    } finally {
      pin.close();
    }
  }
}

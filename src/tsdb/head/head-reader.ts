/**
 * Reading the head, in any thread: one reader for each thread, attached to the writer's memory
 * (docs/formats/head-memory.md).
 */
import { plainEncodings } from "../../chunkenc/encode-samples.ts";
import type { Queryable } from "../../storage/querier.ts";
import type { ChunkSource } from "../chunks/chunk.ts";
import { HeadChunkSource } from "./chunk-source.ts";
import { loadState, nobody, type VisibleState } from "./epochs.ts";
import type { ChunkStore } from "./head-log.ts";
import { HeadQuerier } from "./head-querier.ts";
import { LateChunkSource, type LateRange } from "./late-source.ts";
import type { HeadMemory } from "./memory.ts";
import { PairStrings } from "./pair-strings.ts";

export class HeadReader implements Queryable {
  readonly #memory: HeadMemory;
  readonly #store: ChunkStore;
  readonly #owner: number;
  readonly #strings: PairStrings;

  /** `owner` is a number of this thread, by which its slots are released should it die. */
  constructor(memory: HeadMemory, store: ChunkStore, owner = nobody) {
    this.#memory = memory;
    this.#store = store;
    this.#owner = owner;
    this.#strings = new PairStrings(memory);
  }

  /** The range of the head, as of the last commit. */
  state(): VisibleState {
    return loadState(this.#memory);
  }

  querier(mint: number, maxt: number): HeadQuerier {
    return new HeadQuerier(this.#memory, this.#store, this.#strings, this.#owner, mint, maxt);
  }

  /**
   * The chunks with samples in [mint, maxt], which no batch may append to any more, for a block. Chunks that reach
   * over the range, or that are still open, are encoded anew.
   */
  chunkSource(mint: number, maxt: number): ChunkSource {
    return new HeadChunkSource(this.#memory, this.#store, this.#strings, this.#owner, mint, maxt);
  }

  /** The out-of-order samples of chunks in files, for a block whose chunks get `encodings`. */
  lateSource(range: LateRange, encodings = plainEncodings): ChunkSource {
    return new LateChunkSource(this.#memory, this.#store, this.#strings, this.#owner, range, encodings);
  }
}

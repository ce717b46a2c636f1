/**
 * The truncation of the head: what blocks have taken over goes from its memory, slice by slice, and then from
 * `chunks_head`. One that failed is taken up again by the next.
 */
import type { Clock } from "../base/env.ts";
import type { HeadChunkWriter } from "./chunks/head-chunk-writer.ts";
import { Collection, type CollectionState } from "./head/collection.ts";
import type { Head } from "./head/head.ts";

/** Counters for /metrics. */
export interface TruncationStats {
  /** Truncations that are done, and how long their slices took; the time between slices does not count. */
  gcs: number;
  gcSeconds: number;
  /** Times that memory was too full to go on, or files could not be removed. */
  truncationsFailed: number;
}

export class HeadTruncation {
  readonly stats: TruncationStats = { gcs: 0, gcSeconds: 0, truncationsFailed: 0 };
  readonly #head: Head;
  readonly #chunks: Pick<HeadChunkWriter, "truncate">;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #collection: Collection | undefined;

  constructor(head: Head, chunks: Pick<HeadChunkWriter, "truncate">, clock: Pick<Clock, "monotonicMs">) {
    this.#head = head;
    this.#chunks = chunks;
    this.#clock = clock;
  }

  /** Whether one was begun and is not done. */
  get isUnderWay(): boolean {
    return this.#collection !== undefined;
  }

  /** A slice of the truncation of everything before `mint`; see Collection.step. */
  step(mint: number, isOver: () => boolean): CollectionState {
    const { stats } = this;
    const begunMs = this.#clock.monotonicMs();
    try {
      return this.#step(mint, isOver);
    } catch (error) {
      stats.truncationsFailed++;
      throw error;
    } finally {
      stats.gcSeconds += (this.#clock.monotonicMs() - begunMs) / 1000;
    }
  }

  #step(mint: number, isOver: () => boolean): CollectionState {
    this.#collection ??= Collection.truncation(this.#head, mint);
    const collection = this.#collection;
    const state = collection.step(isOver);
    if (state !== "done") return state;
    this.#collection = undefined;
    this.stats.gcs++;
    // One that failed half way came first.
    if (collection.mint < mint) return "working";
    this.#chunks.truncate(mint);
    return state;
  }
}

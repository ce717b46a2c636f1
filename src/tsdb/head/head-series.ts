/** A series that a query selected from the head: its gathered chunks, decoded when they are read. */

import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import type { Labels } from "../../model/labels.ts";
import type { Series } from "../../storage/querier.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import { type Interval, removeDeleted } from "../tombstones/intervals.ts";
import type { ChunkStore } from "./head-log.ts";
import type { GatheredChunks } from "./series-chunks.ts";

export class HeadSeries implements Series {
  readonly labels: Labels;
  readonly #chunks: GatheredChunks;
  readonly #store: ChunkStore;
  readonly #first: number;
  readonly #end: number;
  readonly #deleted: readonly Interval[];
  /** Samples before this belong to blocks. */
  readonly #minTime: number;

  /** Its chunks are [first, end) of `chunks`. */
  constructor(
    labels: Labels,
    chunks: GatheredChunks,
    first: number,
    end: number,
    store: ChunkStore,
    deleted: readonly Interval[],
    minTime: number,
  ) {
    this.labels = labels;
    this.#chunks = chunks;
    this.#first = first;
    this.#end = end;
    this.#store = store;
    this.#deleted = deleted;
    this.#minTime = minTime;
  }

  read(out: SampleColumns, mint: number, maxt: number): void {
    const before = out.n;
    const from = Math.max(mint, this.#minTime);
    const chunks = this.#chunks;
    for (let i = this.#first; i < this.#end; i++) {
      if (chunks.mints[i] > maxt || chunks.maxts[i] < from) continue;
      decodeGathered(chunks, i, this.#store, out, from, maxt);
    }
    removeDeleted(out, before, this.#deleted);
  }
}

/**
 * Appends the visible samples of one gathered chunk in [mint, maxt]. Of a chunk from a file only those in the range that
 * the file tells: whatever else it holds, samples stay in order.
 */
export function decodeGathered(
  chunks: GatheredChunks,
  index: number,
  store: ChunkStore,
  out: SampleColumns,
  mint: number,
  maxt: number,
): void {
  const encoding = chunks.encodings[index];
  const count = chunks.samples[index];
  if (chunks.refs[index] < 0) {
    decodeChunk(encoding, chunks.bytes, chunks.starts[index], chunks.ends[index], out, mint, maxt, count);
    return;
  }
  const { bytes } = store.read(chunks.refs[index]);
  const from = Math.max(mint, chunks.mints[index]);
  const to = Math.min(maxt, chunks.maxts[index]);
  if (chunks.whole[index] === 1) decodeChunk(encoding, bytes, 0, bytes.length, out, from, to);
  else decodeChunk(encoding, bytes, 0, bytes.length, out, from, to, count);
}

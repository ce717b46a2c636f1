/**
 * Several blocks as the source of one: a k-way merge by labels that holds one series of each block at a time.
 *
 * Chunks that overlap no other and of which nothing is deleted are taken over byte by byte. Others are decoded, deleted
 * samples left out, merged, and encoded anew in chunks of 120 samples; one that overlaps no other stays in its encoding. Where two blocks have a sample at the same time
 * the first block's counts, as it does in queries.
 */
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import { type ChunkEncodings, encodingsLike, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import { compareLabels, type Labels } from "../../model/labels.ts";
import { mergeRuns } from "../../storage/merge.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { BlockReaders } from "../block/block.ts";
import type { Chunk, ChunkSeries, ChunkSource } from "../chunks/chunk.ts";
import { chunkFields, type IndexedSeries } from "../index/reader.ts";
import { covers, type Interval, removeDeleted } from "../tombstones/intervals.ts";
import type { Cutoff } from "./retention-rules.ts";

/**
 * The series of `blocks` with what is not deleted, and without the chunks that lie wholly before the series' cut-off. The
 * files must stay open; the source can be read once at a time. `encodings` are those of chunks that are encoded anew.
 */
export function mergedSource(
  blocks: readonly BlockReaders[],
  encodings: ChunkEncodings,
  cutoff?: Cutoff,
): ChunkSource {
  return { series: () => merge(blocks, encodings, cutoff) };
}

function* merge(
  blocks: readonly BlockReaders[],
  encodings: ChunkEncodings,
  cutoff: Cutoff | undefined,
): Generator<ChunkSeries> {
  const merger = new ChunkMerger(encodings);
  const cursors = blocks.map((block) => new SeriesCursor(block));
  for (;;) {
    const parts = withLeastLabels(cursors);
    const least = parts[0]?.series?.labels;
    if (least === undefined) return;
    const entries: Entry[] = [];
    const begin = cutoff === undefined ? Number.NEGATIVE_INFINITY : cutoff(least);
    for (const cursor of parts) cursor.addEntries(entries, begin);
    if (entries.length > 0) yield { labels: least, chunks: () => merger.chunks(entries) };
    for (const cursor of parts) cursor.next();
  }
}

/** Those that are at the first of all series; none at the end. */
function withLeastLabels(cursors: readonly SeriesCursor[]): readonly SeriesCursor[] {
  let found: SeriesCursor[] = [];
  let least: Labels | undefined;
  for (const cursor of cursors) {
    const { series } = cursor;
    if (series === undefined) continue;
    const order = least === undefined ? -1 : compareLabels(series.labels, least);
    if (order > 0) continue;
    if (order < 0) found = [];
    found.push(cursor);
    least = series.labels;
  }
  return found;
}

/** A chunk of one of the blocks that is not deleted as a whole. */
interface Entry {
  readonly mint: number;
  readonly maxt: number;
  readonly ref: number;
  readonly block: BlockReaders;
  readonly deleted: readonly Interval[];
}

/** Goes through the series of a block in label order. */
class SeriesCursor {
  readonly #block: BlockReaders;
  readonly #refs: Uint32Array;
  #at = -1;
  /** Undefined at the end. */
  series: IndexedSeries | undefined;

  constructor(block: BlockReaders) {
    this.#block = block;
    this.#refs = block.index.postings("", "");
    this.next();
  }

  next(): void {
    do this.series = this.#read(++this.#at);
    while (this.series === undefined && this.#at < this.#refs.length);
  }

  #read(at: number): IndexedSeries | undefined {
    return at < this.#refs.length ? this.#block.index.series(this.#refs[at], -Infinity, Infinity) : undefined;
  }

  /** The chunks of its series that reach to `begin` or beyond, appended to `entries`. */
  addEntries(entries: Entry[], begin: number): void {
    const block = this.#block;
    const chunks = this.series?.chunks ?? [];
    const deleted = block.tombstones.get(this.#refs[this.#at]);
    for (let i = 0; i < chunks.length; i += chunkFields) {
      const mint = chunks[i];
      const maxt = chunks[i + 1];
      if (maxt < begin || (deleted.length > 0 && covers(deleted, mint, maxt))) continue;
      entries.push({ mint, maxt, ref: chunks[i + 2], block, deleted });
    }
  }
}

/** Has the memory for the chunks that are encoded anew. */
class ChunkMerger {
  readonly #columns = new SampleColumns(1024, true);
  readonly #encoder = new SampleEncoder(4096);
  readonly #encodings: ChunkEncodings;

  constructor(encodings: ChunkEncodings) {
    this.#encodings = encodings;
  }

  /** `entries` come block by block, those of a block in time order. */
  *chunks(entries: readonly Entry[]): Generator<Chunk> {
    if (isPlain(entries)) {
      for (const entry of entries) yield read(entry);
      return;
    }
    const byTime = entries
      .map((entry, order) => ({ entry, order }))
      .sort((a, b) => a.entry.mint - b.entry.mint || a.order - b.order);
    for (let from = 0; from < byTime.length; ) {
      let end = byTime[from].entry.maxt;
      let to = from + 1;
      for (; to < byTime.length && byTime[to].entry.mint <= end; to++)
        end = Math.max(end, byTime[to].entry.maxt);
      const group = byTime.slice(from, to);
      const entries = group.sort((a, b) => a.order - b.order).map(({ entry }) => entry);
      if (entries.length > 1) yield* this.#encoded(entries, this.#encodings);
      else if (!touches(entries[0])) yield read(entries[0]);
      else yield* this.#encoded(entries, encodingsLike(read(entries[0]).encoding));
      from = to;
    }
  }

  *#encoded(entries: readonly Entry[], encodings: ChunkEncodings): Generator<Chunk> {
    const columns = this.#columns;
    columns.clear();
    for (let i = 0; i < entries.length; ) {
      const { block, deleted } = entries[i];
      const start = columns.n;
      for (; i < entries.length && entries[i].block === block; i++) decode(read(entries[i]), columns);
      removeDeleted(columns, start, deleted);
      if (start > 0 && columns.n > start && columns.t[start] <= columns.t[start - 1])
        mergeRuns(columns, 0, start);
    }
    yield* this.#encoder.encode(columns, 0, columns.n, encodings);
  }
}

/** Whether all can be taken over as they are and in this order, which is the usual case. */
function isPlain(entries: readonly Entry[]): boolean {
  let end = Number.NEGATIVE_INFINITY;
  for (const { mint, maxt, deleted } of entries) {
    if (mint <= end || deleted.length > 0) return false;
    end = maxt;
  }
  return true;
}

function touches({ mint, maxt, deleted }: Entry): boolean {
  return deleted.some((interval) => interval.mint <= maxt && interval.maxt >= mint);
}

function read({ mint, maxt, ref, block }: Entry): Chunk {
  return block.chunks.storedChunk(ref, mint, maxt);
}

function decode({ encoding, mint, maxt, bytes }: Chunk, out: SampleColumns): void {
  decodeChunk(encoding, bytes, 0, bytes.length, out, mint, maxt);
}

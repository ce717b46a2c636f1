/** Queries one block: matchers to postings to series to samples. Series come sorted by labels. */
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import type { Labels } from "../../model/labels.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { Querier, QueryContext, SelectHints, Series } from "../../storage/querier.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import { labelNamesFor, labelValuesFor, postingsForMatchers } from "../index/match.ts";
import { chunkFields, type IndexedSeries } from "../index/reader.ts";
import { covers, type Interval, removeDeleted } from "../tombstones/intervals.ts";
import type { BlockReaders } from "./block.ts";

/** Series between two looks at the query's limits. */
const checkEvery = 256;

/** What a selected series takes in memory, roughly: the objects, each label, each chunk. */
const seriesBytes = 200;
const labelBytes = 16;
const chunkBytes = 8 * chunkFields;

export class BlockQuerier implements Querier {
  readonly #readers: BlockReaders;
  readonly #onClose: () => void;
  #closed = false;

  /** `onClose` runs once, at the first close. */
  constructor(readers: BlockReaders, onClose: () => void) {
    this.#readers = readers;
    this.#onClose = onClose;
  }

  select(
    context: QueryContext,
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    hints: SelectHints,
    _sorted: boolean,
  ): readonly Series[] {
    const { index, tombstones } = this.#readers;
    const found: Series[] = [];
    let bytes = 0;
    const refs = postingsForMatchers(context, index, matchers);
    for (let i = 0; i < refs.length; i++) {
      if (i % checkEvery === 0) {
        context.chargeBytes(bytes);
        context.check();
        bytes = 0;
      }
      const series = index.series(refs[i], mint, maxt);
      if (series === undefined) continue;
      const deleted = tombstones.get(refs[i]);
      const chunks = deleted.length === 0 ? wanted(series, hints) : withoutDeleted(series, deleted);
      if (chunks.length === 0) continue;
      found.push(new BlockSeries(this.#readers, series.labels, chunks, deleted));
      bytes += seriesBytes + series.labels.size * labelBytes + (chunks.length / chunkFields) * chunkBytes;
    }
    context.chargeBytes(bytes);
    return found;
  }

  labelNames(context: QueryContext, matchers: readonly Matcher[], limit: number): string[] {
    const names = labelNamesFor(context, this.#readers.index, matchers);
    return limit === 0 ? names : names.slice(0, limit);
  }

  labelValues(context: QueryContext, name: string, matchers: readonly Matcher[], limit: number): string[] {
    return labelValuesFor(context, this.#readers.index, name, matchers, limit);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }
}

/** The last chunk that begins within the range has the last sample in it. */
function wanted({ chunks }: IndexedSeries, { lastOnly }: SelectHints): readonly number[] {
  return lastOnly === true ? chunks.slice(-chunkFields) : chunks;
}

/** The chunks that are not deleted as a whole. */
function withoutDeleted(series: IndexedSeries, deleted: readonly Interval[]): readonly number[] {
  const kept: number[] = [];
  for (let i = 0; i < series.chunks.length; i += chunkFields) {
    const [mint, maxt, ref] = series.chunks.slice(i, i + chunkFields);
    if (!covers(deleted, mint, maxt)) kept.push(mint, maxt, ref);
  }
  return kept;
}

class BlockSeries implements Series {
  readonly labels: Labels;
  readonly #readers: BlockReaders;
  /** mint, maxt, ref of each. */
  readonly #chunks: readonly number[];
  readonly #deleted: readonly Interval[];

  constructor(
    readers: BlockReaders,
    labels: Labels,
    chunks: readonly number[],
    deleted: readonly Interval[],
  ) {
    this.labels = labels;
    this.#readers = readers;
    this.#chunks = chunks;
    this.#deleted = deleted;
  }

  read(out: SampleColumns, mint: number, maxt: number): void {
    const chunks = this.#chunks;
    const start = out.n;
    for (let i = 0; i < chunks.length; i += chunkFields) {
      // Whatever a chunk holds beyond the range that the index tells: samples stay in order.
      const from = Math.max(mint, chunks[i]);
      const to = Math.min(maxt, chunks[i + 1]);
      if (from > to) continue;
      const chunk = this.#readers.chunks.chunk(chunks[i + 2]);
      decodeChunk(chunk[0], chunk, 1, chunk.length, out, from, to);
    }
    removeDeleted(out, start, this.#deleted);
  }
}

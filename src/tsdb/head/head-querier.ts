/**
 * Queries of the head as of one committed batch. Everything a select needs is gathered before it returns; after
 * {@link HeadQuerier.doneSelecting} the head's memory is not touched any more, only chunk files are.
 */
import { assert } from "../../base/assert.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { labelCountMask, Pair } from "../../kernels/head-layout.ts";
import type { Matcher } from "../../model/matcher.ts";
import { mergeSeries } from "../../storage/merge.ts";
import type { Querier, QueryContext, SelectHints, Series } from "../../storage/querier.ts";
import { deletedOf } from "./deleted-intervals.ts";
import { ReaderPin, type VisibleState } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import type { ChunkStore } from "./head-log.ts";
import { HeadSeries } from "./head-series.ts";
import { gatherLate, LateSeries } from "./late-samples.ts";
import { type HeadMemory, pairHeader } from "./memory.ts";
import type { PairStrings } from "./pair-strings.ts";
import type { RefList } from "./refs.ts";
import { selectRefs } from "./select.ts";
import { GatheredChunks } from "./series-chunks.ts";
import { pairIdsOf, selectedRecord } from "./series-table.ts";
import { sortByLabels } from "./sort-refs.ts";

const seriesPerCheck = 1024;
/** A series object and its labels: what is charged for them. */
const bytesPerSeries = 160;
const bytesPerLabel = 16;
/** Room for so many chunks at the beginning, and for one of each series. */
const chunksMin = 64;

export class HeadQuerier implements Querier {
  readonly #memory: HeadMemory;
  readonly #store: ChunkStore;
  readonly #strings: PairStrings;
  readonly #pin: ReaderPin;
  readonly #index: HeadIndex;
  readonly #mint: number;
  /** The same for samples that came out of order: blocks need not have them. */
  readonly #lateMint: number;
  readonly #maxt: number;
  #closed = false;

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
    this.#pin = ReaderPin.open(memory, owner);
    this.#index = new HeadIndex(memory, strings, this.#pin.state);
    this.#mint = Math.max(mint, this.#pin.state.minTime);
    this.#lateMint = Math.max(mint, this.#pin.state.lateMinTime);
    this.#maxt = maxt;
  }

  /** What this reads as of. */
  get state(): VisibleState {
    return this.#pin.state;
  }

  select(
    context: QueryContext,
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    hints: SelectHints,
    sorted: boolean,
  ): readonly Series[] {
    const from = Math.max(mint, this.#mint);
    const to = Math.min(maxt, this.#maxt);
    const late = Math.max(mint, this.#lateMint);
    if (!this.#overlaps(Math.min(from, late), to)) return [];
    const { words } = this.#memory;
    let list = selectRefs(words, this.#index, context, matchers);
    if (sorted) list = sortByLabels(words, this.#strings, list);
    return hints.func === "series"
      ? this.#labelsOnly(context, list, from, to, late)
      : this.#gather(context, list, from, to, late, hints.lastOnly === true);
  }

  labelNames(context: QueryContext, matchers: readonly Matcher[], limit: number): string[] {
    if (!this.#overlaps(Math.min(this.#mint, this.#lateMint), this.#maxt)) return [];
    let names: string[];
    if (matchers.length === 0) {
      names = this.#index.names();
    } else {
      const ids = new Set<number>();
      const { words } = this.#memory;
      this.#forEachPair(context, matchers, (id) => ids.add(words[pairHeader(words, id) + Pair.name]));
      names = [...ids].map((id) => this.#strings.name(id));
    }
    return limited(names, limit);
  }

  labelValues(context: QueryContext, name: string, matchers: readonly Matcher[], limit: number): string[] {
    if (!this.#overlaps(Math.min(this.#mint, this.#lateMint), this.#maxt)) return [];
    const own = matchers.filter((matcher) => matcher.name === name);
    const others = matchers.filter((matcher) => matcher.name !== name);
    let ids: Iterable<number>;
    if (others.length === 0) {
      ids = this.#index.valuesOf(name);
    } else {
      const found = new Set<number>();
      const nameId = this.#index.find(name, "");
      const { words } = this.#memory;
      if (nameId !== 0) {
        this.#forEachPair(context, matchers, (id) => {
          if (words[pairHeader(words, id) + Pair.name] === nameId) found.add(id);
        });
      }
      ids = found;
    }
    const values: string[] = [];
    for (const id of ids) {
      const value = this.#strings.value(id);
      if (own.every((matcher) => matcher.matches(value))) values.push(value);
    }
    return limited(values, limit);
  }

  doneSelecting(): void {
    if (!this.#closed) this.#pin.unpin();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pin.close();
  }

  #overlaps(mint: number, maxt: number): boolean {
    assert(!this.#closed && this.#pin.isPinned, "a select after doneSelecting or close");
    const { initialized, minTime, maxTime, lateMinTime } = this.#pin.state;
    return initialized && mint <= maxTime && maxt >= Math.min(minTime, lateMinTime) && mint <= maxt;
  }

  #gather(
    context: QueryContext,
    { refs, n }: RefList,
    mint: number,
    maxt: number,
    lateMint: number,
    lastOnly: boolean,
  ): Series[] {
    const { words } = this.#memory;
    const { batch, lateMinTime } = this.#pin.state;
    const hasLate = lateMinTime <= maxt;
    const chunks = new GatheredChunks(this.#memory, Math.max(chunksMin, n));
    const series: Series[] = [];
    let charged = 0;
    let held = 0;
    for (let i = 0; i < n; i++) {
      if (i % seriesPerCheck === 0) {
        context.check();
        context.chargeBytes(held + chunks.byteLength - charged);
        charged = held + chunks.byteLength;
      }
      const record = selectedRecord(words, refs[i]);
      if (record === 0) continue;
      const first = chunks.n;
      const deleted = deletedOf(this.#memory, refs[i], record);
      const gathered = chunks.gather(record, batch, mint, maxt, lastOnly && deleted.length === 0);
      const late = hasLate ? gatherLate(this.#memory, refs[i], batch, lateMint, maxt) : undefined;
      if (gathered === 0 && late === undefined) continue;
      const labels = this.#strings.labels(record);
      held += bytesPerSeries + bytesPerLabel * labels.size;
      const regular = new HeadSeries(labels, chunks, first, chunks.n, this.#store, deleted, mint);
      if (late === undefined) {
        series.push(regular);
        continue;
      }
      held += 8 * late.fileRefs.length + 16 * late.samples.n;
      const lateSeries = new LateSeries(labels, late, this.#store, deleted);
      series.push(gathered === 0 ? lateSeries : mergeSeries(regular, lateSeries));
    }
    context.chargeBytes(held + chunks.byteLength - charged);
    return series;
  }

  /** The series API: whether there are chunks is all that is asked of them. */
  #labelsOnly(
    context: QueryContext,
    { refs, n }: RefList,
    mint: number,
    maxt: number,
    lateMint: number,
  ): Series[] {
    const { batch, lateMinTime } = this.#pin.state;
    const hasLate = lateMinTime <= maxt;
    const { words } = this.#memory;
    const chunks = new GatheredChunks(this.#memory);
    const series: Series[] = [];
    for (let i = 0; i < n; i++) {
      if (i % seriesPerCheck === 0) {
        context.check();
        context.chargeBytes(Math.min(seriesPerCheck, n - i) * bytesPerSeries);
      }
      const record = selectedRecord(words, refs[i]);
      if (record === 0) continue;
      chunks.clear();
      const isThere =
        chunks.gather(record, batch, mint, maxt) > 0 ||
        (hasLate && gatherLate(this.#memory, refs[i], batch, lateMint, maxt) !== undefined);
      if (!isThere) continue;
      series.push(new HeadSeries(this.#strings.labels(record), chunks, 0, 0, this.#store, [], mint));
    }
    return series;
  }

  #forEachPair(context: QueryContext, matchers: readonly Matcher[], visit: (id: number) => void): void {
    const { words } = this.#memory;
    const { refs, n } = selectRefs(words, this.#index, context, matchers);
    const ids = new Uint32Array(labelCountMask);
    for (let i = 0; i < n; i++) {
      if (i % seriesPerCheck === 0) context.check();
      const record = selectedRecord(words, refs[i]);
      if (record === 0) continue;
      const count = pairIdsOf(words, record, ids);
      for (let k = 0; k < count; k++) visit(ids[k]);
    }
  }
}

function limited(texts: string[], limit: number): string[] {
  texts.sort(compareUtf8);
  return limit > 0 && texts.length > limit ? texts.slice(0, limit) : texts;
}

/**
 * The appender of the head: stages batches, has them logged, and makes them visible (storage/appender.ts). Rules as
 * Prometheus's headAppender.
 */
import { NarthexError } from "../../base/errors.ts";
import { storableStart } from "../../chunkenc/start-times.ts";
import { Series, SeriesFlag } from "../../kernels/head-layout.ts";
import { Judgement } from "../../kernels/head-stage.ts";
import { type Histogram, staleHistogram } from "../../model/histogram.ts";
import type { Labels } from "../../model/labels.ts";
import { isStale } from "../../model/value.ts";
import {
  type Appender,
  type BatchRefusal,
  type Exemplar,
  type Metadata,
  Outcome,
  refusedSeries,
  type SeriesRef,
} from "../../storage/appender.ts";
import type { Head } from "./head.ts";
import { Refusal } from "./head-budget.ts";
import type { HeadLog, LateLog } from "./head-log.ts";
import { LabelBytes } from "./label-bytes.ts";
import { seriesRecord } from "./memory.ts";
import { writeSeriesLabels } from "./series-entry.ts";
import { walRefOf } from "./series-table.ts";
import { type SampleGroup, type StagedHistogram, StagedHistograms } from "./staged-histograms.ts";
import { StagedLate } from "./staged-late.ts";
import { Staging } from "./staging.ts";

/** A batch may need this much beyond its samples: classes that run out, lists that grow. */
const pagesReserve = 64;
/** A sample may need a new chunk and lists: words a sample at the worst, over many samples. */
const wordsPerSample = 48;
/** A histogram may need a copy of its chunk, which has twice the bytes it should have, and its own buckets. */
const wordsPerHistogram = 2048;
/** What the first late samples need: pages of their directory. */
const lateWords = 64 * 16384;

export class HeadAppender implements Appender {
  readonly #head: Head;
  readonly #log: HeadLog;
  readonly #staging: Staging;
  readonly #histograms = new StagedHistograms();
  readonly #late: StagedLate;
  /** Takes samples that come out of order; needed while the head has a window for them. */
  lateLog: LateLog | undefined;
  readonly #labelBytes = new LabelBytes();
  /** Refs of series that no log record names yet, also of earlier batches that were rolled back. */
  #unlogged: number[] = [];
  #exemplars: { ref: SeriesRef; exemplar: Exemplar }[] = [];
  #metadata = new Map<SeriesRef, Metadata>();
  /** Taken at the first call of a batch, so that all of it is judged alike. */
  #minValidTime = Number.NEGATIVE_INFINITY;
  #begun = false;
  #refusedCount = 0;
  #refusal: Refusal = Refusal.none;

  constructor(head: Head, log: HeadLog) {
    this.#head = head;
    this.#log = log;
    this.#staging = new Staging(head);
    this.#late = new StagedLate(head);
  }

  /** The head that this appends to. */
  get head(): Head {
    return this.#head;
  }

  get refusal(): BatchRefusal | undefined {
    if (this.#refusedCount === 0) return undefined;
    return { count: this.#refusedCount, reason: this.#head.budget.reason(this.#refusal) };
  }

  /** Why the last series that was refused was, as of now; "" where none was. */
  get lastRefusal(): string {
    return this.#head.budget.reason(this.#refusal);
  }

  get saturated(): string {
    const { arena, budget } = this.#head;
    return arena.pagesFree >= pagesReserve ? "" : budget.reason(Refusal.memory);
  }

  /** Whether something is staged. */
  get isStaged(): boolean {
    return (
      this.#staging.n > 0 ||
      this.#histograms.n > 0 ||
      this.#late.n > 0 ||
      this.#exemplars.length > 0 ||
      this.#metadata.size > 0
    );
  }

  /**
   * The series with the labels bytes[start, end): label fields of a remote-write request (label-bytes.ts). Returns 0 for
   * a series that is not there, and for bytes that are not in canonical form.
   */
  findByLabelBytes(bytes: Uint8Array, start: number, end: number): SeriesRef {
    return this.#head.series.find(bytes, start, end);
  }

  /**
   * As {@link findByLabelBytes}, but creates the series, or returns refusedSeries. Returns 0 only for bytes that are not in canonical form: labels
   * out of order, twice or empty, other fields. That names and values are valid UTF-8 is for the caller to check.
   */
  seriesByLabelBytes(bytes: Uint8Array, start: number, end: number): SeriesRef {
    const known = this.#head.series.find(bytes, start, end);
    return known !== 0 ? known : this.#create(bytes, start, end);
  }

  series(labels: Labels): SeriesRef {
    const { bytes, length } = this.#encode(labels);
    const ref = this.seriesByLabelBytes(bytes, 0, length);
    if (ref === 0) throw new TypeError(`not a label set of a series: ${labels}`);
    return ref;
  }

  isLive(ref: SeriesRef): boolean {
    return this.#head.series.isLive(ref);
  }

  labels(ref: SeriesRef): Labels {
    return this.#head.labels(ref);
  }

  lastValue(ref: SeriesRef): number {
    const { words, doubles } = this.#head.memory;
    return doubles[(seriesRecord(words, ref) + Series.lastValue) >> 1];
  }

  append(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    starts?: Float64Array,
  ): number {
    if (n === 0) return 0;
    this.#begin(timestamps[0]);
    const before = this.#staging.n;
    this.#staging.stage(refs, timestamps, values, n, outcomes, this.#minValidTime, starts);
    let refused = n - (this.#staging.n - before);
    if (refused > 0 && this.#head.outOfOrderWindowMs > 0) {
      refused -= this.#takeLate(refs, timestamps, values, n, outcomes, starts);
    }
    if (refused > 0) this.#count(refs, n, outcomes, before);
    if (this.#histograms.n > 0 || this.#head.stats.nativeHistogramSeries > 0) this.#sortOut(before);
    if (this.#head.outOfOrderWindowMs > 0) this.#moveLate(before);
    return refused;
  }

  /** Of the samples that are not in order, stages those within the window; returns how many. */
  #takeLate(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    starts: Float64Array | undefined,
  ): number {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * n);
    let taken = 0;
    for (let i = 0; i < n; i++) {
      if (outcomes[i] !== Outcome.outOfOrder && outcomes[i] !== Outcome.outOfBounds) continue;
      if (!this.#late.isTaken(timestamps[i])) {
        outcomes[i] = Outcome.tooOld;
        continue;
      }
      this.#late.push(refs[i], timestamps[i], words, i, starts?.[i]);
      outcomes[i] = Outcome.ok;
      taken++;
    }
    return taken;
  }

  /** Takes those out of the staged floats from `first` on that are older than others of the batch. */
  #moveLate(first: number): void {
    const staging = this.#staging;
    const { refs, times, values, starts } = staging;
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    let kept = first;
    for (let i = first; i < staging.n; i++) {
      if (!this.#late.isNewest(refs[i], times[i])) {
        if (this.#late.isTaken(times[i])) this.#late.push(refs[i], times[i], words, i, starts?.[i]);
        else this.#head.stats.tooOld++;
        continue;
      }
      staging.move(i, kept++);
    }
    staging.n = kept;
  }

  appendHistogram(ref: SeriesRef, t: number, histogram: Histogram, given = 0): Outcome {
    this.#begin(t);
    const head = this.#head;
    const start = head.keepsStarts ? storableStart(given, t) : 0;
    const { stats } = head;
    if (!this.isLive(ref)) throw noSeries(ref);
    if (t < this.#minValidTime) {
      if (head.outOfOrderWindowMs > 0) return this.#lateHistogram(ref, t, histogram, start);
      stats.histogramsOutOfBounds++;
      return Outcome.outOfBounds;
    }
    const { words, doubles } = head.memory;
    const record = seriesRecord(words, ref);
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    if (t <= lastTime && words[record + Series.open] !== 0) {
      if (t < lastTime) {
        if (head.outOfOrderWindowMs > 0) return this.#lateHistogram(ref, t, histogram, start);
        stats.histogramsOutOfOrder++;
        return Outcome.outOfOrder;
      }
      const last = head.histograms.last(ref);
      return last !== undefined && histogram.equals(last) ? Outcome.duplicate : Outcome.duplicateTimestamp;
    }
    if (head.outOfOrderWindowMs > 0 && !this.#late.isNewest(ref, t)) {
      this.#lateHistogram(ref, t, histogram, start);
      return Outcome.ok;
    }
    this.#histograms.push(ref, t, histogram, start, this.#staging.n);
    return Outcome.ok;
  }

  #lateHistogram(ref: SeriesRef, t: number, histogram: Histogram, start: number): Outcome {
    if (!this.#late.isTaken(t)) {
      this.#head.stats.histogramsTooOld++;
      return Outcome.tooOld;
    }
    this.#late.pushHistogram(ref, t, histogram, start);
    return Outcome.ok;
  }

  /**
   * Floats of series with histograms, among those staged from `first` on: a staleness marker becomes one of the kind that
   * the series has, another float ends the group in which the series has histograms.
   */
  #sortOut(first: number): void {
    const { words } = this.#head.memory;
    const { refs, times, values, starts } = this.#staging;
    const end = this.#staging.n;
    let kept = first;
    for (let i = first; i < end; i++) {
      const ref = refs[i];
      const isStaged = this.#histograms.has(ref);
      if (isStaged || (words[seriesRecord(words, ref) + Series.samples] & SeriesFlag.histogram) !== 0) {
        const isFloat = isStale(values, i) ? this.#lastIsFloatHistogram(ref, kept) : undefined;
        if (isFloat !== undefined) {
          this.#histograms.push(ref, times[i], staleHistogram(isFloat), starts?.[i] ?? 0, kept);
          continue;
        }
        if (this.#histograms.isInGroup(ref)) this.#histograms.endGroup(kept);
      }
      this.#staging.move(i, kept++);
    }
    this.#staging.n = kept;
  }

  /**
   * Of what kind the last sample of a series is, that of this batch included, `n` floats of which are staged: undefined where it is a float.
   */
  #lastIsFloatHistogram(ref: number, n: number): boolean | undefined {
    const staged = this.#histograms.last(ref);
    const { refs } = this.#staging;
    for (let i = staged?.floatsBefore ?? 0; i < n; i++) if (refs[i] === ref) return undefined;
    return staged === undefined ? this.#head.histograms.lastIsFloat(ref) : staged.isFloat;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): Outcome {
    const head = this.#head;
    if (head.exemplars.countMax === 0) return Outcome.ok;
    this.#begin(exemplar.t);
    const outcome = head.exemplars.judge(head.labels(ref), exemplar);
    if (outcome === Outcome.ok) this.#exemplars.push({ ref, exemplar });
    return outcome;
  }

  setMetadata(ref: SeriesRef, metadata: Metadata): void {
    const known = this.#head.metadata.get(ref);
    if (known?.type === metadata.type && known.unit === metadata.unit && known.help === metadata.help) {
      this.#metadata.delete(ref);
    } else {
      this.#metadata.set(ref, metadata);
    }
  }

  commit(): void {
    const head = this.#head;
    try {
      const words =
        (this.#staging.n + this.#late.n) * wordsPerSample +
        this.#histograms.n * wordsPerHistogram +
        (this.#late.n > 0 ? lateWords : 0);
      head.arena.reserve(pagesReserve + (words >>> 14));
      this.#writeLog();
    } catch (error) {
      this.#forget();
      head.stats.rollbacks++;
      throw storageError(error);
    }
    for (const { ref, exemplar } of this.#exemplars) head.exemplars.add(head.labels(ref), exemplar);
    for (const [ref, metadata] of this.#metadata) head.metadata.set(ref, metadata);
    const { mint, maxt } = this.#staging.apply(this.#minValidTime, this.#groups());
    head.extendTimes(mint, maxt);
    if (this.#late.n > 0) this.#late.apply();
    if (!head.cuts.persist()) head.stats.chunkWriteErrors++;
    head.publish();
    head.late.settle();
    head.stats.commits++;
    this.#forget();
  }

  rollback(): void {
    this.#forget();
    this.#head.stats.rollbacks++;
  }

  /** Undefined where there are floats only. */
  #groups(): readonly SampleGroup[] | undefined {
    return this.#histograms.n === 0 ? undefined : this.#histograms.groups(this.#staging.n);
  }

  #encode(labels: Labels): LabelBytes {
    this.#labelBytes.set(labels);
    return this.#labelBytes;
  }

  #create(bytes: Uint8Array, start: number, end: number): SeriesRef {
    const head = this.#head;
    const refusal = head.budget.judge(bytes, start, end);
    if (refusal !== Refusal.none) return this.#refuse(refusal);
    let ref: SeriesRef;
    try {
      ref = head.series.create(bytes, start, end, head.nextWalRef);
    } catch (error) {
      if (!(error instanceof NarthexError) || error.code !== "MEMORY") throw error;
      head.budget.count(bytes, start, end);
      return this.#refuse(Refusal.memory);
    }
    if (ref === 0) return 0;
    head.nextWalRef++;
    head.stats.series++;
    head.stats.seriesCreated++;
    this.#unlogged.push(ref);
    const { words } = head.memory;
    words[seriesRecord(words, ref) + Series.samples] |= SeriesFlag.unlogged;
    return ref;
  }

  #refuse(refusal: Refusal): SeriesRef {
    this.#refusedCount++;
    this.#refusal = refusal;
    this.#head.stats.seriesRefused++;
    return refusedSeries;
  }

  #begin(firstTime: number): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#head.initializeTime(firstTime);
    this.#late.headMaxTime = this.#head.maxTime;
    this.#minValidTime = this.#head.appendableMinValidTime();
  }

  /** Counts what was refused. */
  #count(refs: Uint32Array, n: number, outcomes: Uint8Array, stagedBefore: number): void {
    const { stats } = this.#head;
    for (let i = 0; i < n; i++) {
      if (outcomes[i] === Outcome.outOfOrder) stats.outOfOrder++;
      else if (outcomes[i] === Outcome.outOfBounds) stats.outOfBounds++;
      else if (outcomes[i] === Outcome.tooOld) stats.tooOld++;
      else if (outcomes[i] === Judgement.noSeries) {
        this.#staging.n = stagedBefore;
        throw noSeries(refs[i]);
      }
    }
  }

  #writeLog(): void {
    const log = this.#log;
    const { words } = this.#head.memory;
    const walRef = (ref: number) => walRefOf(words, seriesRecord(words, ref));
    const unlogged = this.#unlogged.filter((ref) => this.isLive(ref));
    if (unlogged.length > 0) {
      log.logSeries({
        n: unlogged.length,
        walRefs: Float64Array.from(unlogged, walRef),
        labels: (index) => this.labels(unlogged[index]),
        writeLabels: (index, out) => writeSeriesLabels(words, seriesRecord(words, unlogged[index]), out),
      });
    }
    if (this.#metadata.size > 0) {
      log.logMetadata([...this.#metadata].map(([ref, metadata]) => ({ walRef: walRef(ref), metadata })));
    }
    this.#logSamples();
    if (this.#exemplars.length > 0) {
      log.logExemplars(
        this.#exemplars.map(({ ref, exemplar: { t, value, labels } }) => ({
          walRef: walRef(ref),
          t,
          value,
          labels,
        })),
      );
    }
    log.flush();
    for (const ref of unlogged) words[seriesRecord(words, ref) + Series.samples] &= ~SeriesFlag.unlogged;
    this.#unlogged = [];
    if (this.#late.n > 0 && this.lateLog !== undefined) this.#late.log(this.lateLog);
  }

  #logSamples(): void {
    const log = this.#log;
    const { times, values, starts, n } = this.#staging;
    const walRefs = this.#staging.walRefs();
    const groups = this.#groups();
    if (groups === undefined) {
      if (n > 0) log.logSamples(walRefs, times, values, n, starts);
      return;
    }
    const { keepsStarts, memory } = this.#head;
    const { words } = memory;
    const named = (staged: readonly StagedHistogram[]) =>
      staged.map(({ ref, t, histogram, start }) => ({
        walRef: walRefOf(words, seriesRecord(words, ref)),
        t,
        histogram,
        start,
      }));
    let start = 0;
    for (const { floatsEnd, integers, floats } of groups) {
      const range = (column: Float64Array) => column.subarray(start, floatsEnd);
      if (floatsEnd > start) {
        const rangeStarts = starts === undefined ? undefined : range(starts);
        log.logSamples(range(walRefs), range(times), range(values), floatsEnd - start, rangeStarts);
      }
      if (integers.length > 0) log.logHistograms(named(integers), keepsStarts);
      if (floats.length > 0) log.logHistograms(named(floats), keepsStarts);
      start = floatsEnd;
    }
  }

  #forget(): void {
    this.#staging.n = 0;
    this.#histograms.clear();
    this.#late.clear();
    this.#exemplars = [];
    this.#metadata.clear();
    this.#begun = false;
    this.#refusedCount = 0;
  }
}

function noSeries(ref: number): TypeError {
  return new TypeError(`append to ref ${ref}, which is no series of the head; check isLive first`);
}

function storageError(error: unknown): NarthexError {
  if (error instanceof NarthexError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new NarthexError(
    "STORAGE",
    `the batch was not stored: the write-ahead log cannot be written: ${reason}`,
    {
      cause: error,
    },
  );
}

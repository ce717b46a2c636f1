/**
 * The appender of the head: stages batches, has them logged, and makes them visible (storage/appender.ts). Rules as
 * Prometheus's headAppender without an out-of-order window.
 */
import { NarthexError } from "../../base/errors.ts";
import { Series } from "../../kernels/head-layout.ts";
import { Judgement } from "../../kernels/head-stage.ts";
import type { Labels } from "../../model/labels.ts";
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
import type { HeadLog } from "./head-log.ts";
import { LabelBytes } from "./label-bytes.ts";
import { seriesRecord } from "./memory.ts";
import { writeSeriesLabels } from "./series-entry.ts";
import { walRefOf } from "./series-table.ts";
import { Staging } from "./staging.ts";

/** A batch may need this much beyond its samples: classes that run out, lists that grow. */
const pagesReserve = 64;
/** A sample may need a new chunk and lists: words a sample at the worst, over many samples. */
const wordsPerSample = 48;

export class HeadAppender implements Appender {
  readonly #head: Head;
  readonly #log: HeadLog;
  readonly #staging: Staging;
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
    return this.#staging.n > 0 || this.#exemplars.length > 0 || this.#metadata.size > 0;
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
  ): number {
    if (n === 0) return 0;
    this.#begin(timestamps[0]);
    const before = this.#staging.n;
    this.#staging.stage(refs, timestamps, values, n, outcomes, this.#minValidTime);
    const refused = n - (this.#staging.n - before);
    if (refused > 0) this.#count(refs, n, outcomes, before);
    return refused;
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
      head.arena.reserve(pagesReserve + ((this.#staging.n * wordsPerSample) >>> 14));
      this.#writeLog();
    } catch (error) {
      this.#forget();
      head.stats.rollbacks++;
      throw storageError(error);
    }
    for (const { ref, exemplar } of this.#exemplars) head.exemplars.add(head.labels(ref), exemplar);
    for (const [ref, metadata] of this.#metadata) head.metadata.set(ref, metadata);
    const { mint, maxt } = this.#staging.apply(this.#minValidTime);
    head.extendTimes(mint, maxt);
    if (!head.cuts.persist()) head.stats.chunkWriteErrors++;
    head.publish();
    head.stats.commits++;
    this.#forget();
  }

  rollback(): void {
    this.#forget();
    this.#head.stats.rollbacks++;
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
    this.#minValidTime = this.#head.appendableMinValidTime();
  }

  /** Counts what was refused. */
  #count(refs: Uint32Array, n: number, outcomes: Uint8Array, stagedBefore: number): void {
    const { stats } = this.#head;
    for (let i = 0; i < n; i++) {
      if (outcomes[i] === Outcome.outOfOrder) stats.outOfOrder++;
      else if (outcomes[i] === Outcome.outOfBounds) stats.outOfBounds++;
      else if (outcomes[i] === Judgement.noSeries) {
        this.#staging.n = stagedBefore;
        throw new TypeError(`append to ref ${refs[i]}, which is no series of the head; check isLive first`);
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
    const staging = this.#staging;
    if (staging.n > 0) log.logSamples(staging.walRefs(), staging.times, staging.values, staging.n);
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
    this.#unlogged = [];
  }

  #forget(): void {
    this.#staging.n = 0;
    this.#exemplars = [];
    this.#metadata.clear();
    this.#begun = false;
    this.#refusedCount = 0;
  }
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

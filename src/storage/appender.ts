/**
 * How samples get in. There is one appender, used by one thread: stage a batch (a scrape, a remote-write request, a
 * rule group's results), then commit or roll it back. Nothing of a batch is visible before its commit, and all of it
 * after: readers see whole batches or none.
 */
import type { Histogram } from "../model/histogram.ts";
import type { Labels } from "../model/labels.ts";

/** A series of the head while it lives; 0 is no series. */
export type SeriesRef = number;

/** What an appender returns for a series that it does not create now, for want of memory or because of a limit. */
export const refusedSeries = 0xffffffff;

/** Of one batch. */
export interface BatchRefusal {
  /** How many times a new series was refused. */
  readonly count: number;
  /** Why the last of them was, with the numbers: a sentence without its first capital and full stop. */
  readonly reason: string;
}

/** What became of one sample. Numbers, because there are millions of them. */
export const Outcome = {
  /** Staged. */
  ok: 0,
  /** The very same sample is already there: not an error, not stored again. */
  duplicate: 1,
  /** The series already has another value at this time. */
  duplicateTimestamp: 2,
  /** Older than the newest sample of its series. */
  outOfOrder: 3,
  /** Before the oldest time that the head accepts. */
  outOfBounds: 4,
  /** Older than the out-of-order window allows. */
  tooOld: 5,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds. */
  readonly t: number;
  readonly hasTimestamp: boolean;
}

export interface Metadata {
  /** counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown. */
  readonly type: string;
  readonly unit: string;
  readonly help: string;
}

export interface Appender {
  /**
   * The series with these labels, created if need be: its ref is valid in this and later batches until the series is
   * removed from the head; use {@link isLive} before using one from an earlier batch. `labels` must be valid: sorted, no
   * empty value. {@link refusedSeries} where it would have to be created and is not.
   */
  series(labels: Labels): SeriesRef;
  /**
   * The series with the labels bytes[start, end): the label fields of a remote-write request, one after the other. 0 for
   * a series that is not there, and for bytes that are not in canonical form (sorted, shortest lengths, nothing empty).
   */
  findByLabelBytes(bytes: Uint8Array, start: number, end: number): SeriesRef;
  /**
   * As {@link Appender.findByLabelBytes}, but creates the series, or returns {@link refusedSeries}: 0 is left for bytes
   * that are not in canonical form.
   * That names and values are valid UTF-8, and that there is a metric name, is for the caller to check.
   */
  seriesByLabelBytes(bytes: Uint8Array, start: number, end: number): SeriesRef;
  isLive(ref: SeriesRef): boolean;
  labels(ref: SeriesRef): Labels;
  /** The value of the newest committed sample of a series that has one. */
  lastValue(ref: SeriesRef): number;
  /**
   * Stages the first `n` samples of three parallel columns and writes what became of each to `outcomes`; returns how
   * many are not {@link Outcome.ok}. A sample is judged against what is *committed*; samples of one batch
   * are put in order at commit, as Prometheus does: of those that contradict each other the first wins, silently.
   * Values are copied bit by bit. `starts`: since when each sample counts (ms, 0 for not known), where that is known.
   */
  append(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    starts?: Float64Array,
  ): number;
  /**
   * Stages a native histogram, which must be valid and is the appender's from here on: it must not be changed. A series
   * may hold floats and histograms; what is appended to one series within a batch keeps its order. A float staleness marker
   * that follows a histogram becomes a histogram's, as in Prometheus. `start`: since when it counts, 0 for not known.
   */
  appendHistogram(ref: SeriesRef, t: number, histogram: Histogram, start?: number): Outcome;
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): Outcome;
  setMetadata(ref: SeriesRef, metadata: Metadata): void;
  /** What was refused of the current batch; undefined where nothing was. Commit and rollback forget it. */
  readonly refusal: BatchRefusal | undefined;
  /** Why not even samples of known series can be stored now; "" where they can. */
  readonly saturated: string;
  /** Writes the WAL, then makes the batch visible. Throws, with nothing visible, a STORAGE error if the WAL refuses and a MEMORY error if the memory is full. */
  commit(): void;
  rollback(): void;
}

/**
 * How the query engine, the API and compaction read series, whatever holds them: the head, a block, or several merged.
 * All times are milliseconds; `mint` and `maxt` are both inclusive. Everything is synchronous: queries run in their
 * own threads.
 */
import type { Labels } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { SampleColumns } from "./sample-columns.ts";

/**
 * One running query's limits. The engine makes one per query; everything that works for the query calls it.
 * All methods throw a QueryError once the query is cancelled, timed out or over its limits.
 */
export interface QueryContext {
  /** To be called at least every few milliseconds of work. */
  check(): void;
  /** Charges memory that the query keeps until it ends or {@link releaseBytes} is called. */
  chargeBytes(count: number): void;
  releaseBytes(count: number): void;
  /** Something that the asker should know of the answer: it goes out with it as a warning. */
  warn?(text: string): void;
}

/** What a select is for: lets a source read less. A source may ignore all of it. */
export interface SelectHints {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** The function or aggregation around the selector, "" if none. "series" for the series API: labels only. */
  readonly func: string;
  /** Of each series only the last sample in the range counts, and all of the range is read: earlier ones may be missing. */
  readonly lastOnly?: boolean;
}

/** One series of a source. Valid until its querier is closed. */
export interface Series {
  readonly labels: Labels;
  /**
   * Appends the samples with mint <= t <= maxt to `out`, in time order, each timestamp once. Staleness markers are
   * included, by their bits. Throws a QueryError where the range holds something that cannot be read as floats.
   */
  read(out: SampleColumns, mint: number, maxt: number): void;
}

/**
 * Reads of one consistent state. Opened for a query, closed at its end; every `select` of one querier sees the same
 * committed state of the head: whole scrapes or none.
 */
export interface Querier {
  /**
   * The series that match all matchers and may have samples in [mint, maxt]. With `sorted`, by {@link compareLabels};
   * otherwise in the source's own order (a head: order of creation), which is what Prometheus's aggregations see when
   * there is only one source.
   */
  select(
    context: QueryContext,
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    hints: SelectHints,
    sorted: boolean,
  ): readonly Series[];
  /** All label names of the series that match, sorted; no matchers: of all series. At most `limit` (0: no limit). */
  labelNames(context: QueryContext, matchers: readonly Matcher[], limit: number): string[];
  /** All values of one label among the series that match, sorted. At most `limit` (0: no limit). */
  labelValues(context: QueryContext, name: string, matchers: readonly Matcher[], limit: number): string[];
  /**
   * No select follows: what is held only so that a later select sees the same state may go. Optional for the caller;
   * the series already selected stay valid until close.
   */
  doneSelecting?(): void;
  /** Idempotent. */
  close(): void;
}

export interface Queryable {
  /** A querier over what overlaps [mint, maxt]. */
  querier(mint: number, maxt: number): Querier;
}

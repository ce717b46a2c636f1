/**
 * Stages a scrape's samples, as they lie in the columns of the scrape memory, with the two limits that come before the
 * storage's own judgement: `sample_limit`, and no sample more than ten minutes ahead.
 */

import type { ScrapeCache } from "../kernels/scrape-cache.ts";
import {
  Control,
  columnLength,
  explicitTime,
  refColumn,
  slotColumn,
  timeColumn,
  valueColumn,
} from "../kernels/scrape-layout.ts";
import type { ScrapeMemory } from "../kernels/scrape-memory.ts";
import { type Histogram, isKnownSchema, schemaMin } from "../model/histogram.ts";
import { histogramProblem } from "../model/validate-histogram.ts";
import { type Appender, Outcome, type SeriesRef } from "../storage/appender.ts";
import { PageRefusedError } from "./ingest-labels.ts";
import type { IngestStats } from "./ingest-stats.ts";
import type { TargetSettings } from "./sink.ts";

const aheadMsMax = 600_000;
/** Besides the storage's outcomes: beyond `sample_limit`. */
const overLimit = 255;

export class SampleStage {
  readonly #appender: Appender;
  readonly #memory: ScrapeMemory;
  readonly #cache: ScrapeCache;
  readonly #settings: TargetSettings;
  readonly #outcomes = new Uint8Array(columnLength);
  /** Of the only sample of a {@link stage}. */
  readonly #starts = new Float64Array(1);
  #timeMax = 0;
  /** Samples that came up to the limit in this scrape. */
  #offered = 0;
  /** More samples than `sample_limit` came: the scrape fails, but is counted to its end. */
  limitExceeded = false;
  /** Likewise, a native histogram with too many buckets came. */
  bucketLimitExceeded = false;
  /** What was refused in this scrape. */
  duplicates = 0;
  outOfOrder = 0;
  outOfBounds = 0;

  constructor(appender: Appender, memory: ScrapeMemory, cache: ScrapeCache, settings: TargetSettings) {
    this.#appender = appender;
    this.#memory = memory;
    this.#cache = cache;
    this.#settings = settings;
  }

  begin(nowMs: number): void {
    this.#timeMax = nowMs + aheadMsMax;
    this.#offered = 0;
    this.limitExceeded = false;
    this.bucketLimitExceeded = false;
    this.duplicates = 0;
    this.outOfOrder = 0;
    this.outOfBounds = 0;
  }

  /** Whether a sample at `t` would be refused before the storage is asked, even to create its series. */
  refuses(t: number): boolean {
    const { sampleLimit } = this.#settings;
    return (sampleLimit > 0 && this.#offered >= sampleLimit) || t > this.#timeMax;
  }

  /** Whether sample `i` of the last {@link stage} was taken. */
  isTaken(i: number): boolean {
    return this.#outcomes[i] === Outcome.ok || this.#outcomes[i] === Outcome.duplicate;
  }

  /**
   * Stages the first `n` samples of the columns. Those that are refused are counted; the series of the others are
   * tracked for staleness (slot 0: a series that is not remembered yet). `start` is since when the only sample counts, 0 where that
   * is not known. Throws a PageRefusedError where the scrape must fail.
   */
  stage(n: number, start = 0): void {
    this.#starts[0] = start;
    const { sampleLimit } = this.#settings;
    const room = sampleLimit > 0 ? Math.max(0, sampleLimit - this.#offered) : n;
    const within = Math.min(n, room);
    this.#offered += n;
    let refused = n - within;
    if (refused > 0) {
      this.limitExceeded = true;
      this.#outcomes.fill(overLimit, within, n);
    }
    refused += this.#appendTimely(within);
    if (refused === 0) this.#cache.trackColumns(n, this.#settings.trackTimestampsStaleness);
    else this.#settle(n);
  }

  /** Appends the runs of samples that are not too far ahead; returns how many were refused. */
  #appendTimely(n: number): number {
    const { f64 } = this.#memory;
    const times = timeColumn >> 3;
    let refused = 0;
    let from = 0;
    for (let i = 0; i < n; i++) {
      if (f64[times + i] <= this.#timeMax) continue;
      refused += this.#append(from, i) + 1;
      this.#outcomes[i] = Outcome.outOfBounds;
      from = i + 1;
    }
    return refused + this.#append(from, n);
  }

  #append(from: number, to: number): number {
    if (from === to) return 0;
    const { u32, f64 } = this.#memory;
    const refs = refColumn >> 2;
    const times = timeColumn >> 3;
    const values = valueColumn >> 3;
    return this.#appender.append(
      u32.subarray(refs + from, refs + to),
      f64.subarray(times + from, times + to),
      f64.subarray(values + from, values + to),
      to - from,
      this.#outcomes.subarray(from, to),
      this.#starts[0] === 0 ? undefined : this.#starts,
    );
  }

  #settle(n: number): void {
    const slots = this.#memory.u32.subarray(slotColumn >> 2, (slotColumn >> 2) + n);
    let tooOld = false;
    for (let i = 0; i < n; i++) {
      const outcome = this.#outcomes[i];
      this.#countOutcome(outcome);
      if (outcome === Outcome.tooOld) tooOld = true;
      const tracked = slots[i] < explicitTime || this.#settings.trackTimestampsStaleness;
      if (tracked && this.isTaken(i)) this.#cache.track(slots[i] & ~explicitTime);
    }
    if (tooOld) throw new PageRefusedError("too old sample");
  }

  /**
   * A native histogram within the target's limits on buckets; undefined, and the scrape fails, where it cannot be made
   * so. Throws a PageRefusedError for one that is not valid.
   */
  limited(histogram: Histogram): Histogram | undefined {
    const { bucketLimit, schemaMax } = this.#settings;
    let limited = histogram;
    if (isKnownSchema(limited.schema) && limited.schema > schemaMax) limited = limited.reduced(schemaMax);
    while (bucketLimit > 0 && limited.bucketCount > bucketLimit) {
      if (limited.isCustom || limited.schema <= schemaMin) {
        this.bucketLimitExceeded = true;
        return undefined;
      }
      limited = limited.reduced(limited.schema - 1);
    }
    const problem = histogramProblem(limited);
    if (problem !== "") throw new PageRefusedError(problem);
    return limited;
  }

  /** Stages a native histogram, as {@link stage} does a column's sample; whether it was taken. */
  stageHistogram(
    ref: SeriesRef,
    slot: number,
    t: number,
    explicit: boolean,
    histogram: Histogram,
    start: number,
  ): boolean {
    const { sampleLimit, trackTimestampsStaleness } = this.#settings;
    this.#offered++;
    if (sampleLimit > 0 && this.#offered > sampleLimit) {
      this.limitExceeded = true;
      return false;
    }
    const outcome =
      t > this.#timeMax ? Outcome.outOfBounds : this.#appender.appendHistogram(ref, t, histogram, start);
    if (outcome === Outcome.tooOld) throw new PageRefusedError("too old sample");
    this.#countOutcome(outcome);
    const isTaken = outcome === Outcome.ok || outcome === Outcome.duplicate;
    if (isTaken && slot !== 0 && (!explicit || trackTimestampsStaleness)) this.#cache.track(slot);
    return isTaken;
  }

  #countOutcome(outcome: number): void {
    if (outcome === Outcome.duplicateTimestamp) this.duplicates++;
    else if (outcome === Outcome.outOfOrder) this.outOfOrder++;
    else if (outcome === Outcome.outOfBounds) this.outOfBounds++;
  }

  /** Adds this scrape's refusals to the counters, those that the scanner found itself included. */
  count(stats: IngestStats): void {
    this.duplicates += this.#memory.control(Control.duplicates);
    stats.duplicateTimestamps += this.duplicates;
    stats.outOfOrder += this.outOfOrder;
    stats.outOfBounds += this.outOfBounds;
    if (this.limitExceeded) stats.sampleLimitExceeded++;
    if (this.bucketLimitExceeded) stats.bucketLimitExceeded++;
  }
}

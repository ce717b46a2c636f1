/** The series that every scrape makes about itself: `up`, its duration, its sample counts. */
import { setStale } from "../model/value.ts";
import { type Appender, Outcome, refusedSeries, type SeriesRef } from "../storage/appender.ts";
import type { SeriesLabels } from "./ingest-labels.ts";
import type { TargetSettings } from "./sink.ts";

const names = [
  "up",
  "scrape_duration_seconds",
  "scrape_samples_scraped",
  "scrape_samples_post_metric_relabeling",
  "scrape_series_added",
];
const extraNames = ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"];

export interface ReportValues {
  readonly up: boolean;
  readonly durationMs: number;
  readonly scraped: number;
  readonly postRelabel: number;
  readonly added: number;
  /** -1 where the body was larger than its limit, 0 where there was none. */
  readonly bodyBytes: number;
}

export class ReportSeries {
  readonly #settings: TargetSettings;
  readonly #labels: SeriesLabels;
  readonly #names: readonly string[];
  readonly #refs: Uint32Array;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #outcomes: Uint8Array;

  constructor(settings: TargetSettings, labels: SeriesLabels) {
    this.#settings = settings;
    this.#labels = labels;
    this.#names = settings.extraMetrics ? [...names, ...extraNames] : names;
    const n = this.#names.length;
    this.#refs = new Uint32Array(n);
    this.#times = new Float64Array(n);
    this.#values = new Float64Array(n);
    this.#outcomes = new Uint8Array(n);
  }

  /** Stages one sample for each series. False where they are outside of what the storage takes: nothing may be stored. */
  append(appender: Appender, t: number, report: ReportValues): boolean {
    const { timeoutMs, sampleLimit } = this.#settings;
    this.#values.set([
      report.up ? 1 : 0,
      report.durationMs / 1000,
      report.scraped,
      report.postRelabel,
      report.added,
      ...(this.#settings.extraMetrics ? [timeoutMs / 1000, sampleLimit, report.bodyBytes] : []),
    ]);
    return this.#append(appender, t);
  }

  /** Stages staleness markers. */
  appendStale(appender: Appender, t: number): boolean {
    for (let i = 0; i < this.#values.length; i++) setStale(this.#values, i);
    return this.#append(appender, t);
  }

  #append(appender: Appender, t: number): boolean {
    const n = this.#names.length;
    this.#times.fill(t);
    let refused = false;
    for (let i = 0; i < n; i++) {
      this.#refs[i] = this.#refOf(appender, i);
      refused ||= this.#refs[i] === refusedSeries;
    }
    this.#outcomes.fill(Outcome.ok);
    if (refused) this.#appendKnown(appender);
    else appender.append(this.#refs, this.#times, this.#values, n, this.#outcomes);
    // Out of order or a second value for one time: a target that went away came back. Not worth a word.
    return !this.#outcomes.some((outcome) => outcome === Outcome.outOfBounds || outcome === Outcome.tooOld);
  }

  /** Where the storage takes no new series: one by one, those that it has. */
  #appendKnown(appender: Appender): void {
    for (let i = 0; i < this.#refs.length; i++) {
      if (this.#refs[i] === refusedSeries) continue;
      const one = <A extends Uint8Array | Uint32Array | Float64Array>(column: A) =>
        column.subarray(i, i + 1) as A;
      appender.append(one(this.#refs), one(this.#times), one(this.#values), 1, one(this.#outcomes));
    }
  }

  #refOf(appender: Appender, i: number): SeriesRef {
    const ref = this.#refs[i];
    return ref !== 0 && appender.isLive(ref) ? ref : appender.series(this.#labels.ofReport(this.#names[i]));
  }
}

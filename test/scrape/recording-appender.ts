// An Appender that keeps everything in plain maps, with the head's rules: what is judged is judged against what is
// committed, and of samples of one batch that contradict each other the first wins.

import type { Histogram } from "../../src/model/histogram.ts";
import type { Labels } from "../../src/model/labels.ts";
import {
  type Appender,
  type Exemplar,
  Outcome,
  refusedSeries,
  type SeriesRef,
} from "../../src/storage/appender.ts";
import { seriesText } from "../series-text.ts";

interface StoredSeries {
  readonly labels: Labels;
  /** Time and value's bits, in order. */
  readonly samples: { readonly t: number; readonly bits: bigint }[];
}

export class RecordingAppender implements Appender {
  readonly #series: (StoredSeries | undefined)[] = [];
  readonly #refs = new Map<string, SeriesRef>();
  #staged: { ref: SeriesRef; t: number; bits: bigint }[] = [];
  #stagedExemplars: { ref: SeriesRef; exemplar: Exemplar }[] = [];
  #stagedHistograms: { ref: SeriesRef; t: number; histogram: Histogram }[] = [];
  /** The samples that are histograms; among the others they stand with their sums. */
  readonly histograms: { readonly series: string; readonly t: number; readonly histogram: Histogram }[] = [];
  /** Start times that came with samples: series, time, start time. */
  readonly starts: string[] = [];
  readonly exemplars: { readonly series: string; readonly exemplar: Exemplar }[] = [];
  /** Samples before this time are out of bounds. */
  minTime = Number.NEGATIVE_INFINITY;
  commits = 0;
  rollbacks = 0;
  /** Makes the next commit fail. */
  failCommit = false;

  /** Which new series are not created. */
  refuses: (labels: Labels) => boolean = () => false;
  #refused = 0;

  get refusal() {
    return this.#refused === 0 ? undefined : { count: this.#refused, reason: "no room" };
  }

  saturated = "";

  series(labels: Labels): SeriesRef {
    let ref = this.#refs.get(labels.key);
    if (ref === undefined) {
      if (this.refuses(labels)) {
        this.#refused++;
        return refusedSeries;
      }
      ref = this.#series.push({ labels, samples: [] });
      this.#refs.set(labels.key, ref);
    }
    return ref;
  }

  findByLabelBytes(): SeriesRef {
    throw new Error("scraped labels are no remote-write bytes");
  }

  seriesByLabelBytes(): SeriesRef {
    throw new Error("scraped labels are no remote-write bytes");
  }

  isLive(ref: SeriesRef): boolean {
    return this.#series[ref - 1] !== undefined;
  }

  labels(ref: SeriesRef): Labels {
    return this.#stored(ref).labels;
  }

  lastValue(ref: SeriesRef): number {
    return new Float64Array(new BigUint64Array([this.#stored(ref).samples.at(-1)?.bits ?? 0n]).buffer)[0];
  }

  append(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    starts?: Float64Array,
  ): number {
    const bits = new BigUint64Array(values.slice(0, n).buffer);
    let refused = 0;
    for (let i = 0; i < n; i++) {
      outcomes[i] = this.#judge(this.#stored(refs[i]), timestamps[i], bits[i]);
      if (outcomes[i] !== Outcome.ok) refused++;
      else this.#staged.push({ ref: refs[i], t: timestamps[i], bits: bits[i] });
      this.#noteStart(refs[i], timestamps[i], starts?.[i]);
    }
    return refused;
  }

  #noteStart(ref: SeriesRef, t: number, start = 0): void {
    if (start !== 0) this.starts.push(`${seriesText(this.labels(ref))} ${t} ${start}`);
  }

  appendHistogram(ref: SeriesRef, t: number, histogram: Histogram, start = 0): Outcome {
    this.#noteStart(ref, t, start);
    const bits = new BigUint64Array(Float64Array.of(histogram.sum).buffer)[0];
    const outcome = this.#judge(this.#stored(ref), t, bits);
    if (outcome !== Outcome.ok) return outcome;
    this.#staged.push({ ref, t, bits });
    this.#stagedHistograms.push({ ref, t, histogram });
    return outcome;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): Outcome {
    this.#stagedExemplars.push({ ref, exemplar });
    return Outcome.ok;
  }

  setMetadata(): void {
    throw new Error("scraped metadata does not go to the storage");
  }

  commit(): void {
    if (this.failCommit) {
      this.failCommit = false;
      this.rollback();
      throw new Error("no space left on device");
    }
    this.commits++;
    this.#staged.sort((a, b) => a.t - b.t);
    for (const { ref, t, bits } of this.#staged) {
      const { samples } = this.#stored(ref);
      const last = samples.at(-1);
      if (last === undefined || t > last.t) samples.push({ t, bits });
    }
    for (const { ref, t, histogram } of this.#stagedHistograms)
      this.histograms.push({ series: seriesText(this.labels(ref)), t, histogram });
    for (const { ref, exemplar } of this.#stagedExemplars)
      this.exemplars.push({ series: seriesText(this.labels(ref)), exemplar });
    this.#forget();
  }

  rollback(): void {
    this.rollbacks++;
    this.#forget();
  }

  /** Removes a series, as the head does with those that have no samples left. */
  remove(labels: string): void {
    const ref =
      this.#series.findIndex((series) => series !== undefined && seriesText(series.labels) === labels) + 1;
    this.#refs.delete(this.labels(ref).key);
    this.#series[ref - 1] = undefined;
  }

  /** All samples: "series value@t …" lines, sorted by series. `stale` stands for a staleness marker. */
  dump(): string[] {
    const lines: string[] = [];
    for (const series of this.#series) {
      if (series === undefined || series.samples.length === 0) continue;
      const samples = series.samples.map(({ t, bits }) => `${formatBits(bits)}@${t}`);
      lines.push(`${seriesText(series.labels)} ${samples.join(" ")}`);
    }
    return lines.sort();
  }

  /** Every series' newest sample. */
  last(): { readonly labels: Labels; readonly t: number; readonly value: number }[] {
    return this.#series.flatMap((series) => {
      const sample = series?.samples.at(-1);
      if (series === undefined || sample === undefined) return [];
      const value = new Float64Array(new BigUint64Array([sample.bits]).buffer)[0];
      return [{ labels: series.labels, t: sample.t, value }];
    });
  }

  #forget(): void {
    this.#staged = [];
    this.#stagedExemplars = [];
    this.#stagedHistograms = [];
    this.#refused = 0;
  }

  #stored(ref: SeriesRef): StoredSeries {
    const series = this.#series[ref - 1];
    if (series === undefined) throw new Error(`series ${ref} is not live`);
    return series;
  }

  #judge(series: StoredSeries, t: number, bits: bigint): Outcome {
    if (t < this.minTime) return Outcome.outOfBounds;
    const last = series.samples.at(-1);
    if (last === undefined || t > last.t) return Outcome.ok;
    if (t < last.t) return Outcome.outOfOrder;
    return bits === last.bits ? Outcome.duplicate : Outcome.duplicateTimestamp;
  }
}

function formatBits(bits: bigint): string {
  if (bits === 0x7ff0000000000002n) return "stale";
  if (bits === 0x7ff8000000000001n) return "NaN";
  const value = new Float64Array(new BigUint64Array([bits]).buffer)[0];
  return Number.isNaN(value) ? `0x${bits.toString(16)}` : Object.is(value, -0) ? "-0" : String(value);
}

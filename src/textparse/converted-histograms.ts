/**
 * Turns the classic histograms of another parser into native ones with custom buckets: the series of a family of the type
 * histogram are collected as long as name and labels stay the same, and the histogram is given out before the entry that
 * follows them. A native histogram with the same name and labels, just before them, keeps them as they are. One that
 * contradicts itself gives nothing; its series are gone all the same, as in Prometheus.
 */
import { encodeUtf8 } from "../base/bytes.ts";
import type { Histogram } from "../model/histogram.ts";
import { metricName } from "../model/labels.ts";
import { histogramProblem } from "../model/validate-histogram.ts";
import { ClassicHistogram } from "./classic-histogram.ts";
import { Entry, type ExpositionParser, type MetricType, type ParsedExemplar } from "./events.ts";
import { parseGoFloat } from "./float.ts";

const suffixes = ["_bucket", "_sum", "_count"] as const;
type Suffix = (typeof suffixes)[number];

/** What a series is to its histogram. */
interface Part {
  readonly suffix: Suffix;
  /** The histogram's labels, without `le`. */
  readonly labels: string[];
  readonly key: string;
  /** Of a bucket. */
  readonly bound: number;
}

interface Collected {
  readonly labels: string[];
  readonly key: string;
  readonly exemplars: ParsedExemplar[];
  hasTimestamp: boolean;
  t: number;
  /** Of the first of its series. */
  readonly startTime: number;
}

export class ConvertedHistograms implements ExpositionParser {
  readonly #inner: ExpositionParser;
  readonly #keepsClassic: boolean;
  readonly #classic = new ClassicHistogram();
  #family = "";
  #familyType: MetricType = "unknown";
  #collected: Collected | undefined;
  /** Of the native histogram just seen: its classic series are left alone. */
  #inhibited = "";
  /** The histogram that is the current entry. */
  #given: (Collected & { readonly histogram: Histogram }) | undefined;
  /** What follows it, and was read already. */
  #next: Entry | undefined;

  /** `keepsClassic`: the classic series are given out too. */
  constructor(inner: ExpositionParser, keepsClassic: boolean) {
    this.#inner = inner;
    this.#keepsClassic = keepsClassic;
  }

  next(): Entry {
    this.#given = undefined;
    for (;;) {
      const waiting = this.#next;
      const entry = waiting ?? this.#inner.next();
      this.#next = undefined;
      const part = entry === Entry.series ? this.#partOf() : undefined;
      const goesOn = part !== undefined && part.key === this.#collected?.key;
      if (!goesOn && entry !== Entry.comment && this.#give()) {
        this.#next = entry;
        return Entry.histogram;
      }
      if (entry === Entry.type) {
        this.#family = this.#inner.familyName();
        this.#familyType = this.#inner.metricType;
      } else if (entry === Entry.histogram) this.#inhibited = keyOf(this.#inner.labels());
      if (part === undefined || part.key === this.#inhibited) return entry;
      this.#inhibited = "";
      this.#collect(part);
      if (this.#keepsClassic) return entry;
    }
  }

  /** Undefined where the current series is no part of a classic histogram. */
  #partOf(): Part | undefined {
    if (this.#familyType !== "histogram") return undefined;
    const labels: string[] = [];
    let suffix: Suffix | undefined;
    let bound: string | undefined;
    const all = this.#inner.labels();
    for (let i = 0; i < all.length; i += 2) {
      const [name, value] = [all[i], all[i + 1]];
      if (name === metricName) {
        suffix = suffixes.find((one) => value === this.#family + one);
        labels.push(name, this.#family);
      } else if (name === "le") bound = value;
      else labels.push(name, value);
    }
    if (suffix === undefined) return undefined;
    const number = suffix === "_bucket" ? parseGoFloat(bound ?? "") : 0;
    if (number === undefined || Number.isNaN(number)) return undefined;
    return { suffix, labels, key: keyOf(labels), bound: number };
  }

  #collect({ suffix, labels, key, bound }: Part): void {
    const inner = this.#inner;
    this.#collected ??= {
      labels,
      key,
      exemplars: [],
      hasTimestamp: false,
      t: 0,
      startTime: inner.startTime(),
    };
    const collected = this.#collected;
    collected.hasTimestamp = inner.hasTimestamp;
    collected.t = inner.t;
    const exemplar = inner.exemplar();
    if (exemplar?.hasTimestamp === true) collected.exemplars.push(exemplar);
    if (suffix === "_count") this.#classic.setCount(inner.value[0]);
    else if (suffix === "_sum") this.#classic.setSum(inner.value);
    else this.#classic.setBucket(bound, inner.value[0]);
  }

  /** Makes what was collected the current entry; false where there is nothing or it is not valid. */
  #give(): boolean {
    const collected = this.#collected;
    if (collected === undefined) return false;
    const histogram = this.#classic.convert();
    this.#collected = undefined;
    this.#classic.reset();
    if (histogram === undefined || histogramProblem(histogram) !== "") return false;
    this.#given = { ...collected, histogram };
    return true;
  }

  get histogram(): Histogram | undefined {
    return this.#given?.histogram ?? this.#inner.histogram;
  }

  histogramExemplars(): readonly ParsedExemplar[] {
    return this.#given?.exemplars ?? this.#inner.histogramExemplars?.() ?? [];
  }

  seriesKey(): Uint8Array {
    return this.#given === undefined ? this.#inner.seriesKey() : encodeUtf8(this.#given.key);
  }

  labels(): string[] {
    return this.#given?.labels ?? this.#inner.labels();
  }

  get hasTimestamp(): boolean {
    return (this.#given ?? this.#inner).hasTimestamp;
  }

  get t(): number {
    return (this.#given ?? this.#inner).t;
  }

  startTime(): number {
    return this.#given?.startTime ?? this.#inner.startTime();
  }

  familyName(): string {
    return this.#inner.familyName();
  }

  get metricType(): MetricType {
    return this.#inner.metricType;
  }

  text(): string {
    return this.#inner.text();
  }

  get value(): Float64Array {
    return this.#inner.value;
  }

  exemplar(): ParsedExemplar | undefined {
    return this.#inner.exemplar();
  }
}

function keyOf(labels: readonly string[]): string {
  return JSON.stringify(labels);
}

/**
 * The protobuf format: io.prometheus.client.MetricFamily messages, each behind its length as a varint. What a
 * metric turns into: protobuf-metric.ts.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { encodeUtf8 } from "../base/bytes.ts";
import { ParseError } from "../base/errors.ts";
import type { Histogram } from "../model/histogram.ts";
import { metricName } from "../model/labels.ts";
import {
  classicOnly,
  Entry,
  type ExpositionParser,
  type HistogramOptions,
  type MetricType,
  type ParsedExemplar,
} from "./events.ts";
import { ProtobufMetric } from "./protobuf-metric.ts";
import { ProtobufReader, Wire } from "./protobuf-reader.ts";
import { insertPair } from "./textual-parser.ts";

/** Indexed by io.prometheus.client.MetricType. */
const types: readonly MetricType[] = [
  "counter",
  "gauge",
  "summary",
  "unknown",
  "histogram",
  "gaugehistogram",
];

/** What comes next within a family. */
const Stage = { family: 0, unit: 1, type: 2, series: 3 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

const separator = 0xff;

export class ProtobufParser implements ExpositionParser {
  readonly #bytes: Uint8Array;
  #position = 0;
  #stage: Stage = Stage.family;
  #name = "";
  #help = "";
  #unit = "";
  #type = 0;
  /** Start and end of each metric of the family; the next to read. */
  readonly #metrics: number[] = [];
  #nextMetric = 0;
  readonly #metric: ProtobufMetric;
  /** The current sample of the metric. */
  #sample = 0;
  #text = "";
  #key = new Uint8Array(256);
  metricType: MetricType = "unknown";
  readonly value = new Float64Array(1);
  hasTimestamp = false;
  t = 0;

  /** `bytes` is used, not copied. */
  constructor(bytes: Uint8Array, options: HistogramOptions = classicOnly) {
    this.#bytes = bytes;
    this.#metric = new ProtobufMetric(options);
  }

  next(): Entry {
    switch (this.#stage) {
      case Stage.family:
        if (!this.#readFamily()) return Entry.eof;
        this.#stage = this.#unit === "" ? Stage.type : Stage.unit;
        this.#text = this.#help;
        return Entry.help;
      case Stage.unit:
        this.#stage = Stage.type;
        this.#text = this.#unit;
        return Entry.unit;
      case Stage.type:
        this.#stage = Stage.series;
        this.metricType = types[this.#type];
        this.#sample = -1;
        return Entry.type;
      default:
        return this.#nextSeries();
    }
  }

  familyName(): string {
    return this.#name;
  }

  text(): string {
    return this.#text;
  }

  /** Name, then every other label's name and value, each behind a byte that no UTF-8 text has. */
  seriesKey(): Uint8Array {
    let length = this.#appendKey(0, this.#name + this.#metric.suffixes[this.#sample], false);
    for (const part of this.#labelsBesidesName([])) length = this.#appendKey(length, part, true);
    return this.#key.subarray(0, length);
  }

  labels(): string[] {
    return this.#labelsBesidesName([metricName, this.#name + this.#metric.suffixes[this.#sample]]);
  }

  /** Into sorted `pairs`. */
  #labelsBesidesName(pairs: string[]): string[] {
    const { labels, bounds, boundLabel } = this.#metric;
    for (let i = 0; i < labels.length; i += 2) insertPair(pairs, labels[i], labels[i + 1]);
    const bound = bounds[this.#sample];
    if (bound !== "") insertPair(pairs, boundLabel, bound);
    return pairs;
  }

  startTime(): number {
    return this.#metric.startTime;
  }

  exemplar(): ParsedExemplar | undefined {
    return this.#metric.exemplars[this.#sample];
  }

  get histogram(): Histogram | undefined {
    return this.#metric.histograms[this.#sample];
  }

  histogramExemplars(): readonly ParsedExemplar[] {
    return this.#metric.histogramExemplars();
  }

  #appendKey(at: number, text: string, separated: boolean): number {
    const bytes = encodeUtf8(text);
    const needed = at + bytes.length + 1;
    if (needed > this.#key.length) {
      const bigger = new Uint8Array(needed * 2);
      bigger.set(this.#key);
      this.#key = bigger;
    }
    if (separated) this.#key[at++] = separator;
    this.#key.set(bytes, at);
    return at + bytes.length;
  }

  #nextSeries(): Entry {
    const metric = this.#metric;
    this.#sample++;
    while (this.#sample >= metric.n) {
      if (this.#nextMetric >= this.#metrics.length) {
        this.#stage = Stage.family;
        return this.next();
      }
      this.#readMetric();
      this.#sample = 0;
    }
    this.value.set(metric.values.subarray(this.#sample, this.#sample + 1));
    this.t = metric.t;
    this.hasTimestamp = metric.t !== 0;
    return this.histogram === undefined ? Entry.series : Entry.histogram;
  }

  #readMetric(): void {
    const start = this.#metrics[this.#nextMetric];
    const end = this.#metrics[this.#nextMetric + 1];
    this.#nextMetric += 2;
    try {
      this.#metric.read(new ProtobufReader(this.#bytes, start, end), this.#type);
    } catch (cause) {
      if (cause instanceof ParseError) throw cause;
      throw new ParseError(`histogram ${JSON.stringify(this.#name)}: ${(cause as Error).message}`, start, {
        cause,
      });
    }
  }

  /** The next family that has metrics; false at the end of the page. */
  #readFamily(): boolean {
    for (;;) {
      if (this.#position >= this.#bytes.length) return false;
      const reader = new ProtobufReader(this.#bytes, this.#position);
      const length = reader.uvarint();
      const start = reader.position;
      if (start - this.#position > 5) throw reader.fail("invalid length of a message");
      if (length > this.#bytes.length - start) {
        throw reader.fail(
          `insufficient length of buffer, expected at least ${length} bytes, got ${this.#bytes.length - start} bytes`,
        );
      }
      this.#position = start + length;
      this.#readFields(new ProtobufReader(this.#bytes, start, this.#position));
      if (this.#metrics.length > 0) return true;
    }
  }

  #readFields(reader: ProtobufReader): void {
    this.#metrics.length = 0;
    this.#nextMetric = 0;
    this.#type = 0;
    this.#unit = "";
    let name: string | undefined = "";
    let help: string | undefined = "";
    while (reader.nextField()) {
      if (reader.field === 1) {
        reader.expect(Wire.bytes);
        name = reader.string();
      } else if (reader.field === 2) {
        reader.expect(Wire.bytes);
        help = reader.string();
      } else if (reader.field === 3) {
        reader.expect(Wire.varint);
        this.#type = reader.uvarint();
      } else if (reader.field === 4) {
        reader.expect(Wire.bytes);
        const end = reader.contentEnd();
        this.#metrics.push(reader.position, end);
        reader.position = end;
      } else if (reader.field === 5) {
        reader.expect(Wire.bytes);
        this.#unit = reader.string() ?? "";
      } else reader.skip();
    }
    if (this.#metrics.length > 0) this.#check(name, help);
  }

  /** The first metric is read first: where both are broken, Prometheus reports the metric. */
  #check(name: string | undefined, help: string | undefined): void {
    this.#name = name ?? "";
    if (this.#type < types.length) this.#readMetric();
    if (name === undefined || name === "")
      throw new ParseError(`invalid metric name: ${name ?? ""}`, this.#position);
    if (help === undefined)
      throw new ParseError(`invalid help for metric ${JSON.stringify(name)}: not UTF-8`, this.#position);
    if (this.#type >= types.length)
      throw new ParseError(
        `unknown metric type for metric ${JSON.stringify(name)}: ${this.#type}`,
        this.#position,
      );
    this.#help = help;
  }
}

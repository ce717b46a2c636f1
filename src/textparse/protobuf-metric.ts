/**
 * One io.prometheus.client.Metric as the samples that the text format would show for it. What a metric of each type
 * turns into:
 *
 * | type | samples |
 * |---|---|
 * | counter, gauge, untyped | name |
 * | summary | name_count, name_sum, name{quantile=…} … |
 * | histogram, gauge histogram | name_count, name_sum, name_bucket{le=…} …, name_bucket{le="+Inf"} |
 *
 * Unless native histograms are wanted their fields are stepped over: a histogram that has nothing else becomes _count,
 * _sum and the +Inf bucket. Where they are wanted a native histogram comes first, and its classic series only if asked
 * for; a classic one that is converted comes after its series.
 */
import { decodeUtf8 } from "../base/bytes.ts";
import type { Histogram } from "../model/histogram.ts";
import { ResetHint } from "../model/histogram.ts";
import { ClassicHistogram } from "./classic-histogram.ts";
import type { HistogramOptions, ParsedExemplar } from "./events.ts";
import { formatOpenMetricsFloat } from "./float.ts";
import { NativeParts } from "./native-parts.ts";
import { type ProtobufReader, Wire } from "./protobuf-reader.ts";
import { insertPair } from "./textual-parser.ts";

/** Values of io.prometheus.client.MetricType. */
export const ProtoType = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
  gaugeHistogram: 5,
} as const;

/** The labels `le` and `quantile`, whose values are numbers. */
type NumberLabel = "le" | "quantile";

export class ProtobufMetric {
  /** name, value, … as they came. */
  readonly labels: string[] = [];
  /** Milliseconds; 0: none. */
  t = 0;
  /** Likewise, since when a counter, a summary or a histogram counts. */
  startTime = 0;
  /** How many samples there are. */
  n = 0;
  readonly suffixes: string[] = [];
  /** The value of `le` or `quantile`; "" where the sample has none. */
  readonly bounds: string[] = [];
  readonly exemplars: (ParsedExemplar | undefined)[] = [];
  /** The samples that are native histograms. */
  readonly histograms: (Histogram | undefined)[] = [];
  /** Every sample's value, bit by bit. */
  values = new Float64Array(16);
  boundLabel: NumberLabel = "le";
  readonly #number = new Float64Array(1);
  #counterValue = new Float64Array(1);
  #gaugeValue = new Float64Array(1);
  #untypedValue = new Float64Array(1);
  #counterExemplar: ParsedExemplar | undefined;
  #counterStart = 0;
  readonly #summary = new Distribution();
  readonly #histogram: Distribution;
  readonly #options: HistogramOptions;

  constructor(options: HistogramOptions) {
    this.#options = options;
    this.#histogram = new Distribution(options.native ? new NativeParts() : undefined);
  }

  /** Reads the metric that fills `reader`'s part. Throws a ParseError; an Error for a histogram that contradicts itself. */
  read(reader: ProtobufReader, type: number): void {
    this.#reset();
    while (reader.nextField()) this.#readField(reader);
    switch (type) {
      case ProtoType.counter:
        this.startTime = this.#counterStart;
        return this.#add("", "", this.#counterValue, this.#counterExemplar);
      case ProtoType.gauge:
        return this.#add("", "", this.#gaugeValue);
      case ProtoType.untyped:
        return this.#add("", "", this.#untypedValue);
      case ProtoType.summary:
        this.boundLabel = "quantile";
        this.startTime = this.#summary.startTime;
        return this.#addSummary(this.#summary);
      default:
        this.boundLabel = "le";
        this.startTime = this.#histogram.startTime;
        return this.#addHistograms(this.#histogram, type === ProtoType.gaugeHistogram);
    }
  }

  /** The exemplars of the native histogram: its own, or else those of the classic buckets; with times only. */
  histogramExemplars(): readonly ParsedExemplar[] {
    const { ownExemplars, exemplars, n } = this.#histogram;
    const all = ownExemplars.length > 0 ? ownExemplars : exemplars.slice(0, n);
    return all.filter((exemplar) => exemplar?.hasTimestamp === true) as ParsedExemplar[];
  }

  #reset(): void {
    this.labels.length = 0;
    this.t = 0;
    this.startTime = 0;
    this.#counterStart = 0;
    this.n = 0;
    this.#counterValue[0] = 0;
    this.#gaugeValue[0] = 0;
    this.#untypedValue[0] = 0;
    this.#counterExemplar = undefined;
    this.#summary.reset();
    this.#histogram.reset();
  }

  #readField(reader: ProtobufReader): void {
    switch (reader.field) {
      case 1:
        return reader.message(() => this.labels.push(...readLabel(reader)));
      case 2:
        return reader.message(() => readDouble(reader, this.#gaugeValue));
      case 3:
        return reader.message(() => this.#readCounter(reader));
      case 4:
        return reader.message(() => this.#summary.readSummary(reader));
      case 5:
        return reader.message(() => readDouble(reader, this.#untypedValue));
      case 6:
        reader.expect(Wire.varint);
        this.t = reader.int64();
        return;
      case 7:
        return reader.message(() => this.#histogram.readHistogram(reader));
      default:
        reader.skip();
    }
  }

  #readCounter(reader: ProtobufReader): void {
    while (reader.nextField()) {
      if (reader.field === 1) readDoubleField(reader, this.#counterValue);
      else if (reader.field === 2) {
        reader.message(() => {
          this.#counterExemplar = readExemplar(reader);
        });
      } else if (reader.field === 3) {
        reader.message(() => {
          this.#counterStart = readTimestamp(reader);
        });
      } else reader.skip();
    }
  }

  #add(suffix: string, bound: string, value: Float64Array, exemplar?: ParsedExemplar, index = 0): void {
    const { n } = this;
    if (n === this.values.length) {
      const bigger = new Float64Array(n * 2);
      bigger.set(this.values);
      this.values = bigger;
    }
    this.values.set(value.subarray(index, index + 1), n);
    this.suffixes[n] = suffix;
    this.bounds[n] = bound;
    this.exemplars[n] = exemplar;
    this.histograms[n] = undefined;
    this.n = n + 1;
  }

  #addNative(histogram: Histogram, from: Distribution): void {
    this.#add("", "", from.sum);
    this.histograms[this.n - 1] = histogram;
  }

  #addHistograms(from: Distribution, isGauge: boolean): void {
    const { native } = from;
    const { classic, convert } = this.#options;
    if (native?.isNative === true) {
      this.#addNative(native.histogram(from, isGauge), from);
      if (classic && from.n > 0) this.#addHistogram(from);
      return;
    }
    if (classic || !convert) this.#addHistogram(from);
    if (convert) this.#addNative(converted(from, isGauge), from);
  }

  #addTotals(from: Distribution): void {
    this.#number[0] = from.total();
    this.#add("_count", "", this.#number);
    this.#add("_sum", "", from.sum);
  }

  #addSummary(from: Distribution): void {
    this.#addTotals(from);
    for (let i = 0; i < from.n; i++)
      this.#add("", formatOpenMetricsFloat(from.bounds[i]), from.values, undefined, i);
  }

  #addHistogram(from: Distribution): void {
    this.#addTotals(from);
    for (let i = 0; i < from.n; i++) {
      const bound = from.bounds[i];
      this.#add("_bucket", formatOpenMetricsFloat(bound), from.values, from.exemplars[i], i);
      if (bound === Number.POSITIVE_INFINITY) return;
    }
    this.#number[0] = from.total();
    this.#add("_bucket", "+Inf", this.#number);
  }
}

/** What summaries and classic histograms are made of: count, sum, and a value at each of some bounds. */
class Distribution {
  count = 0;
  /** Milliseconds; 0: not told. */
  startTime = 0;
  readonly #countFloat = new Float64Array(1);
  /** Where they are wanted. */
  readonly native: NativeParts | undefined;
  /** Of a native histogram. */
  readonly ownExemplars: ParsedExemplar[] = [];
  readonly sum = new Float64Array(1);
  n = 0;
  bounds = new Float64Array(16);
  values = new Float64Array(16);
  readonly exemplars: (ParsedExemplar | undefined)[] = [];

  constructor(native?: NativeParts) {
    this.native = native;
  }

  get countFloat(): number {
    return this.#countFloat[0];
  }

  reset(): void {
    this.native?.reset();
    this.ownExemplars.length = 0;
    this.count = 0;
    this.startTime = 0;
    this.#countFloat[0] = 0;
    this.sum[0] = 0;
    this.n = 0;
  }

  /** A count given as a float wins over one given as an integer. */
  total(): number {
    return this.#countFloat[0] === 0 ? this.count : this.#countFloat[0];
  }

  readSummary(reader: ProtobufReader): void {
    while (reader.nextField()) {
      if (reader.field === 1) this.count = readCount(reader);
      else if (reader.field === 2) readDoubleField(reader, this.sum);
      else if (reader.field === 3) reader.message(() => this.#readQuantile(reader));
      else if (reader.field === 4) reader.message(() => this.#readStart(reader));
      else reader.skip();
    }
  }

  readHistogram(reader: ProtobufReader): void {
    while (reader.nextField()) {
      if (reader.field === 1) this.count = readCount(reader);
      else if (reader.field === 2) readDoubleField(reader, this.sum);
      else if (reader.field === 3) reader.message(() => this.#readBucket(reader));
      else if (reader.field === 4) readDoubleField(reader, this.#countFloat);
      else if (reader.field === 15) reader.message(() => this.#readStart(reader));
      else if (this.native === undefined) reader.skip();
      else if (reader.field === 16) reader.message(() => this.ownExemplars.push(readExemplar(reader)));
      else if (!this.native.readField(reader)) reader.skip();
    }
  }

  #readStart(reader: ProtobufReader): void {
    this.startTime = readTimestamp(reader);
  }

  #readQuantile(reader: ProtobufReader): void {
    const at = this.#grow();
    while (reader.nextField()) {
      if (reader.field === 1) readDoubleField(reader, this.bounds, at);
      else if (reader.field === 2) readDoubleField(reader, this.values, at);
      else reader.skip();
    }
  }

  #readBucket(reader: ProtobufReader): void {
    const at = this.#grow();
    let count = 0;
    while (reader.nextField()) {
      if (reader.field === 1) count = readCount(reader);
      else if (reader.field === 2) readDoubleField(reader, this.bounds, at);
      else if (reader.field === 3) {
        reader.message(() => {
          this.exemplars[at] = readExemplar(reader);
        });
      } else if (reader.field === 4) readDoubleField(reader, this.values, at);
      else reader.skip();
    }
    if (this.values[at] === 0) this.values[at] = count;
  }

  #grow(): number {
    const at = this.n++;
    if (at === this.bounds.length) {
      this.bounds = doubled(this.bounds);
      this.values = doubled(this.values);
    }
    this.bounds[at] = 0;
    this.values[at] = 0;
    this.exemplars[at] = undefined;
    return at;
  }
}

/** A classic histogram as a native one with custom buckets. Throws an Error for one that contradicts itself. */
function converted(from: Distribution, isGauge: boolean): Histogram {
  const classic = new ClassicHistogram();
  classic.setCount(from.total());
  classic.setSum(from.sum);
  for (let i = 0; i < from.n; i++) classic.setBucket(from.bounds[i], from.values[i]);
  const histogram = classic.convert();
  if (histogram === undefined) throw new Error(classic.problem);
  return isGauge ? histogram.with({ resetHint: ResetHint.gauge }) : histogram;
}

function doubled(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const bigger = new Float64Array(column.length * 2);
  bigger.set(column);
  return bigger;
}

function readCount(reader: ProtobufReader): number {
  reader.expect(Wire.varint);
  return reader.uvarint();
}

function readDoubleField(reader: ProtobufReader, out: Float64Array, index = 0): void {
  reader.expect(Wire.fixed64);
  reader.double(out, index);
}

/** Gauge and Untyped: field 1 is the value. */
function readDouble(reader: ProtobufReader, out: Float64Array): void {
  while (reader.nextField()) {
    if (reader.field === 1) readDoubleField(reader, out);
    else reader.skip();
  }
}

function readLabel(reader: ProtobufReader): [string, string] {
  let name: string | undefined = "";
  let value: string | undefined = "";
  while (reader.nextField()) {
    if (reader.field === 1) {
      reader.expect(Wire.bytes);
      name = reader.string();
      if (name === undefined || name === "") throw reader.fail("a label's name is empty or not UTF-8");
    } else if (reader.field === 2) {
      reader.expect(Wire.bytes);
      value = reader.string();
      if (value === undefined) throw reader.fail(`the value of label ${JSON.stringify(name)} is not UTF-8`);
    } else reader.skip();
  }
  return [name, value];
}

function readExemplar(reader: ProtobufReader): ParsedExemplar {
  const labels: string[] = [];
  const value = new Float64Array(1);
  let t: number | undefined;
  while (reader.nextField()) {
    if (reader.field === 1) reader.message(() => insertPair(labels, ...readExemplarLabel(reader)));
    else if (reader.field === 2) readDoubleField(reader, value);
    else if (reader.field === 3) {
      reader.message(() => {
        t = readTimestamp(reader);
      });
    } else reader.skip();
  }
  return { labels, value: value[0], t: t ?? 0, hasTimestamp: t !== undefined };
}

/** Prometheus does not check an exemplar's labels here. */
function readExemplarLabel(reader: ProtobufReader): [string, string] {
  const pair: [string, string] = ["", ""];
  while (reader.nextField()) {
    if (reader.field === 1 || reader.field === 2) {
      const part = reader.field - 1;
      reader.expect(Wire.bytes);
      const end = reader.contentEnd();
      pair[part] = decodeUtf8(reader.bytes.subarray(reader.position, end));
      reader.position = end;
    } else reader.skip();
  }
  return pair;
}

/** google.protobuf.Timestamp to milliseconds. */
function readTimestamp(reader: ProtobufReader): number {
  let seconds = 0;
  let nanoseconds = 0;
  while (reader.nextField()) {
    if (reader.field === 1 || reader.field === 2) {
      reader.expect(Wire.varint);
      if (reader.field === 1) seconds = reader.int64();
      else nanoseconds = reader.int64() | 0;
    } else reader.skip();
  }
  return seconds * 1000 + Math.trunc(nanoseconds / 1e6);
}

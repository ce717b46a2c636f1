/** The fields of an io.prometheus.client.Histogram that make it a native one. */
import { compacted } from "../model/compact-histogram.ts";
import { Histogram, ResetHint } from "../model/histogram.ts";
import { bucketCount, type Span } from "../model/spans.ts";
import { type ProtobufReader, Wire } from "./protobuf-reader.ts";

/** What the classic fields give. */
export interface Totals {
  readonly count: number;
  readonly countFloat: number;
  /** Its element 0. */
  readonly sum: Float64Array;
}

const double = new Float64Array(1);

export class NativeParts {
  #schema = 0;
  #zeroThreshold = 0;
  #zeroCount = 0;
  #zeroCountFloat = 0;
  readonly #spans: { negative: Span[]; positive: Span[] } = { negative: [], positive: [] };
  readonly #deltas: { negative: number[]; positive: number[] } = { negative: [], positive: [] };
  readonly #counts: { negative: number[]; positive: number[] } = { negative: [], positive: [] };

  reset(): void {
    this.#schema = 0;
    this.#zeroThreshold = 0;
    this.#zeroCount = 0;
    this.#zeroCountFloat = 0;
    for (const sides of [this.#spans, this.#deltas, this.#counts]) {
      sides.negative.length = 0;
      sides.positive.length = 0;
    }
  }

  /** Reads the field that `reader` is at; false for one that is no part of a native histogram. */
  readField(reader: ProtobufReader): boolean {
    switch (reader.field) {
      case 5:
        reader.expect(Wire.varint);
        this.#schema = zigzag(reader.uvarint());
        return true;
      case 6:
        this.#zeroThreshold = readDouble(reader);
        return true;
      case 7:
        reader.expect(Wire.varint);
        this.#zeroCount = reader.uvarint();
        return true;
      case 8:
        this.#zeroCountFloat = readDouble(reader);
        return true;
      case 9:
      case 12:
        reader.message(() => this.#spans[sideOf(reader.field)].push(readSpan(reader)));
        return true;
      case 10:
      case 13:
        each(reader, Wire.varint, this.#deltas[sideOf(reader.field)], () => zigzag(reader.uvarint()));
        return true;
      case 11:
      case 14:
        each(reader, Wire.fixed64, this.#counts[sideOf(reader.field)], () => takeDouble(reader));
        return true;
      default:
        return false;
    }
  }

  /** Senders mark a native histogram that has no observations yet by an empty span. */
  get isNative(): boolean {
    const { negative, positive } = this.#spans;
    return positive.length > 0 || negative.length > 0 || this.#zeroThreshold > 0 || this.#zeroCount > 0;
  }

  /** Without empty buckets. Throws an Error where spans and buckets do not fit together. */
  histogram({ count, countFloat, sum }: Totals, isGauge: boolean): Histogram {
    const isFloat = countFloat > 0 || this.#zeroCountFloat > 0;
    const histogram = new Histogram({
      isFloat,
      resetHint: isGauge ? ResetHint.gauge : ResetHint.unknown,
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: isFloat ? this.#zeroCountFloat : this.#zeroCount,
      count: isFloat ? countFloat : count,
      sum: sum[0],
      positiveSpans: this.#spans.positive.slice(),
      negativeSpans: this.#spans.negative.slice(),
      positiveBuckets: this.#buckets("positive", isFloat),
      negativeBuckets: this.#buckets("negative", isFloat),
    });
    return compacted(histogram, 0);
  }

  #buckets(side: "positive" | "negative", isFloat: boolean): Float64Array {
    const given = (isFloat ? this.#counts : this.#deltas)[side];
    const needed = bucketCount(this.#spans[side]);
    if (needed !== given.length)
      throw new Error(`${side} side: spans require ${needed} buckets, have ${given.length}`);
    let count = 0;
    return Float64Array.from(given, (one) => (isFloat ? one : (count += one)));
  }
}

function sideOf(field: number): "negative" | "positive" {
  return field < 12 ? "negative" : "positive";
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function readSpan(reader: ProtobufReader): Span {
  let offset = 0;
  let length = 0;
  while (reader.nextField()) {
    if (reader.field === 1 || reader.field === 2) {
      reader.expect(Wire.varint);
      if (reader.field === 1) offset = zigzag(reader.uvarint()) | 0;
      else length = reader.uvarint() >>> 0;
    } else reader.skip();
  }
  return { offset, length };
}

function readDouble(reader: ProtobufReader): number {
  reader.expect(Wire.fixed64);
  return takeDouble(reader);
}

function takeDouble(reader: ProtobufReader): number {
  reader.double(double, 0);
  return double[0];
}

/** The values of a repeated field, packed or one by one. */
function each(reader: ProtobufReader, wire: number, to: number[], read: () => number): void {
  if (reader.wire !== Wire.bytes) {
    reader.expect(wire);
    to.push(read());
    return;
  }
  reader.message(() => {
    while (reader.position < reader.end) to.push(read());
  });
}

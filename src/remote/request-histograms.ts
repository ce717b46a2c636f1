/** Reads the native histograms of a series in a write request. */
import {
  customBucketsSchema,
  Histogram,
  type ResetHint,
  schemaMax,
  staleHistogram,
} from "../model/histogram.ts";
import { bucketCount, type Span } from "../model/spans.ts";
import { messageShape, Wire, type WireCursor } from "./wire.ts";
import { histogram as histogramShape, timeSeries, type WriteRequest } from "./write-request.ts";

export interface TimedHistogram {
  /** Milliseconds. */
  readonly t: number;
  readonly histogram: Histogram;
}

const span = messageShape("BucketSpan", { 1: ["Offset", Wire.varint], 2: ["Length", Wire.varint] });
/** What is valid to send up to here is reduced to {@link schemaMax}. */
const schemaMaxReserved = 52;

/** Fields of the message, in Prometheus's numbers. */
const Field = {
  countInt: 1,
  countFloat: 2,
  sum: 3,
  schema: 4,
  zeroThreshold: 5,
  zeroCountInt: 6,
  zeroCountFloat: 7,
  negativeSpans: 8,
  negativeDeltas: 9,
  negativeCounts: 10,
  positiveSpans: 11,
  positiveDeltas: 12,
  positiveCounts: 13,
  resetHint: 14,
  timestamp: 15,
  customValues: 16,
} as const;

/** The histograms of series `index`; none of them is validated yet. */
export function readHistograms(request: WriteRequest, index: number): TimedHistogram[] {
  const { cursor } = request;
  const end = request.seriesEnd[index];
  const found: TimedHistogram[] = [];
  cursor.at = request.seriesStart[index];
  for (;;) {
    const field = cursor.field(timeSeries, end);
    if (field === 0) return found;
    const fieldEnd = cursor.contentEnd(end);
    if (field === 4) found.push(readHistogram(cursor, fieldEnd));
    cursor.at = fieldEnd;
  }
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

class HistogramMessage {
  isFloat = false;
  count = 0;
  zeroCount = 0;
  readonly sum = new Float64Array(1);
  schema = 0;
  zeroThreshold = 0;
  resetHint = 0;
  t = 0;
  readonly positiveSpans: Span[] = [];
  readonly negativeSpans: Span[] = [];
  readonly positiveDeltas: number[] = [];
  readonly negativeDeltas: number[] = [];
  readonly positiveCounts: number[] = [];
  readonly negativeCounts: number[] = [];
  readonly customValues: number[] = [];

  read(cursor: WireCursor, end: number): void {
    for (;;) {
      const field = cursor.field(histogramShape, end);
      if (field === 0) return;
      this.#field(field, cursor, end);
    }
  }

  #field(field: number, cursor: WireCursor, end: number): void {
    switch (field) {
      case Field.countInt:
        this.isFloat = false;
        this.count = unsigned(cursor.int64(end));
        return;
      case Field.countFloat:
        this.isFloat = true;
        this.count = readDouble(cursor, end);
        return;
      case Field.sum:
        cursor.fixed64(new Uint32Array(this.sum.buffer), 0, end);
        return;
      case Field.schema:
        this.schema = signed(cursor, end) | 0;
        return;
      case Field.zeroThreshold:
        this.zeroThreshold = readDouble(cursor, end);
        return;
      case Field.zeroCountInt:
        this.zeroCount = unsigned(cursor.int64(end));
        return;
      case Field.zeroCountFloat:
        this.zeroCount = readDouble(cursor, end);
        return;
      case Field.negativeSpans:
        this.negativeSpans.push(readSpan(cursor, cursor.contentEnd(end)));
        return;
      case Field.negativeDeltas:
        return each(cursor, end, (until) => this.negativeDeltas.push(signed(cursor, until)));
      case Field.negativeCounts:
        return each(cursor, end, (until) => this.negativeCounts.push(readDouble(cursor, until)));
      case Field.positiveSpans:
        this.positiveSpans.push(readSpan(cursor, cursor.contentEnd(end)));
        return;
      case Field.positiveDeltas:
        return each(cursor, end, (until) => this.positiveDeltas.push(signed(cursor, until)));
      case Field.positiveCounts:
        return each(cursor, end, (until) => this.positiveCounts.push(readDouble(cursor, until)));
      case Field.resetHint:
        this.resetHint = cursor.int64(end);
        return;
      case Field.timestamp:
        this.t = cursor.int64(end);
        return;
      case Field.customValues:
        return each(cursor, end, (until) => this.customValues.push(readDouble(cursor, until)));
    }
  }

  histogram(): Histogram {
    const { isFloat, schema } = this;
    const sides = isFloat
      ? [this.positiveCounts, this.negativeCounts]
      : [absolute(this.positiveDeltas), absolute(this.negativeDeltas)];
    const histogram = new Histogram({
      isFloat,
      resetHint: (this.resetHint >= 0 && this.resetHint <= 3 ? this.resetHint : 0) as ResetHint,
      schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount,
      count: this.count,
      sum: this.sum[0],
      positiveSpans: this.positiveSpans,
      negativeSpans: this.negativeSpans,
      positiveBuckets: Float64Array.from(sides[0]),
      negativeBuckets: Float64Array.from(sides[1]),
      customBounds:
        schema === customBucketsSchema || this.customValues.length > 0
          ? Float64Array.from(this.customValues)
          : undefined,
    });
    if (histogram.isStale) return staleHistogram(isFloat);
    if (schema <= schemaMax || schema > schemaMaxReserved) return histogram;
    // Spans may claim any number of buckets: what does not fit together is left for the validation to tell.
    return hasAllBuckets(histogram) ? histogram.reduced(schemaMax) : histogram.with({ schema: schemaMax });
  }
}

function hasAllBuckets(histogram: Histogram): boolean {
  return (
    bucketCount(histogram.positiveSpans) === histogram.positiveBuckets.length &&
    bucketCount(histogram.negativeSpans) === histogram.negativeBuckets.length
  );
}

function readHistogram(cursor: WireCursor, end: number): TimedHistogram {
  const message = new HistogramMessage();
  message.read(cursor, end);
  return { t: message.t, histogram: message.histogram() };
}

/** The values of a repeated field, packed or one by one. */
function each(cursor: WireCursor, end: number, read: (end: number) => void): void {
  if (cursor.wire !== Wire.bytes) return read(end);
  const until = cursor.contentEnd(end);
  while (cursor.at < until) read(until);
}

function readSpan(cursor: WireCursor, end: number): Span {
  let offset = 0;
  let length = 0;
  for (;;) {
    const field = cursor.field(span, end);
    if (field === 0) return { offset, length };
    if (field === 1) offset = signed(cursor, end) | 0;
    else length = cursor.int64(end) >>> 0;
  }
}

function readDouble(cursor: WireCursor, end: number): number {
  cursor.fixed64(doubleWords, 0, end);
  return double[0];
}

/** Zigzag. */
function signed(cursor: WireCursor, end: number): number {
  const zigzag = unsigned(cursor.int64(end));
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}

/** A u64 of which the cursor made an i64. */
function unsigned(value: number): number {
  return value < 0 ? value + 2 ** 64 : value;
}

/** From differences to counts. */
function absolute(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}

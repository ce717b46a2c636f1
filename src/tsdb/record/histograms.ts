/**
 * Native histogram records (types 7 to 10, 12 and 13).
 *
 * types 7 8 9 10 = type u8 | base walRef u64 | base time i64 | (walRef - base varint | time - base varint | histogram)*
 * types 12 13    = type u8 | first walRef varint | first time varint | first start time varint | histogram | entry*
 * entry          = walRef - the one before varint | time - first varint | marker u8 [start time varint] | histogram
 * histogram      = counter reset hint u8 | schema varint | zero threshold f64 | zero count | count | sum f64 |
 *                  positive spans | negative spans | positive buckets | negative buckets | [custom bounds]
 *
 * Integer histograms (7, 9, 12) have counts as uvarints and buckets as varint differences from bucket to bucket, float ones
 * (8, 10, 13) doubles. Spans (varint offset, uvarint length), buckets and bounds (f64) have a uvarint count before them;
 * bounds are there where the schema is -53. Types 9 and 10 are those of custom buckets; 12 and 13 take any.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { customBucketsSchema, Histogram, type ResetHint, staleHistogram } from "../../model/histogram.ts";
import type { Span } from "../../model/spans.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";
import { readStartTime, StartMarker, startMarker } from "./samples.ts";

/** Histograms as parallel columns, used again for record after record. */
export class HistogramBatch {
  walRefs: Float64Array = new Float64Array(64);
  t: Float64Array = new Float64Array(64);
  /** Start times, 0 for none. */
  starts: Float64Array = new Float64Array(64);
  /** New ones for each record. */
  histograms: Histogram[] = [];

  get n(): number {
    return this.histograms.length;
  }

  clear(): void {
    this.histograms = [];
  }

  push(walRef: number, t: number, histogram: Histogram, start = 0): void {
    const i = this.n;
    if (i === this.t.length) {
      this.walRefs = doubled(this.walRefs);
      this.t = doubled(this.t);
      this.starts = doubled(this.starts);
    }
    this.walRefs[i] = walRef;
    this.t[i] = t;
    this.starts[i] = start;
    this.histograms.push(histogram);
  }
}

function doubled(column: Float64Array): Float64Array {
  const bigger = new Float64Array(2 * column.length);
  bigger.set(column);
  return bigger;
}

const resetHintMax = 3;
const double = new Float64Array(1);

/** Throws a CorruptionError. */
export function decodeHistogramRecord(record: Uint8Array, out: HistogramBatch): void {
  out.clear();
  if (record.length === 1) return;
  const reader = bodyOf(
    record,
    RecordType.histogramSamples,
    RecordType.floatHistogramSamples,
    RecordType.customBucketsHistogramSamples,
    RecordType.customBucketsFloatHistogramSamples,
    RecordType.histogramSamplesV2,
    RecordType.floatHistogramSamplesV2,
  );
  const type = record[0];
  const isFloat =
    type === RecordType.floatHistogramSamples ||
    type === RecordType.customBucketsFloatHistogramSamples ||
    type === RecordType.floatHistogramSamplesV2;
  if (type >= RecordType.histogramSamplesV2) readWithStartTimes(reader, isFloat, out);
  else readPlain(reader, isFloat, out);
}

function readPlain(reader: ByteReader, isFloat: boolean, out: HistogramBatch): void {
  const baseRef = reader.u64();
  const baseTime = reader.i64();
  while (reader.remaining > 0) {
    const walRef = checkedRef(baseRef + reader.varint(), reader);
    const t = baseTime + reader.varint();
    out.push(walRef, t, readHistogram(reader, isFloat));
  }
}

function readWithStartTimes(reader: ByteReader, isFloat: boolean, out: HistogramBatch): void {
  let walRef = checkedRef(reader.varint(), reader);
  const firstTime = reader.varint();
  const firstStart = reader.varint();
  let start = firstStart;
  out.push(walRef, firstTime, readHistogram(reader, isFloat), start);
  while (reader.remaining > 0) {
    walRef = checkedRef(walRef + reader.varint(), reader);
    const t = firstTime + reader.varint();
    start = readStartTime(reader, firstStart, start);
    out.push(walRef, t, readHistogram(reader, isFloat), start);
  }
}

function readHistogram(reader: ByteReader, isFloat: boolean): Histogram {
  const hint = reader.u8();
  if (hint > resetHintMax) throw reader.corrupt(`a counter reset hint of ${hint}`);
  const schema = reader.varint();
  const zeroThreshold = readDouble(reader);
  const zeroCount = isFloat ? readDouble(reader) : readCount(reader);
  const count = isFloat ? readDouble(reader) : readCount(reader);
  reader.f64(double, 0);
  const sum = double.slice();
  const positiveSpans = readSpans(reader);
  const negativeSpans = readSpans(reader);
  const positiveBuckets = readBuckets(reader, isFloat);
  const negativeBuckets = readBuckets(reader, isFloat);
  const customBounds = schema === customBucketsSchema ? readDoubles(reader) : undefined;
  const histogram = new Histogram({
    isFloat,
    resetHint: hint as ResetHint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum: sum[0],
    positiveSpans,
    negativeSpans,
    positiveBuckets,
    negativeBuckets,
    customBounds,
  });
  return histogram.isStale ? staleHistogram(isFloat) : histogram;
}

function readDouble(reader: ByteReader): number {
  reader.f64(double, 0);
  return double[0];
}

function readCount(reader: ByteReader): number {
  const count = reader.uvarint();
  if (count > Number.MAX_SAFE_INTEGER) throw reader.corrupt(`a count of ${count}, which is beyond 2^53`);
  return count;
}

/** How many elements follow, each of at least `bytesMin`. */
function readLength(reader: ByteReader, bytesMin: number): number {
  const length = reader.uvarint();
  if (length * bytesMin > reader.remaining) {
    throw reader.corrupt(`${length} elements in ${reader.remaining} bytes`);
  }
  return length;
}

function readSpans(reader: ByteReader): Span[] {
  return Array.from({ length: readLength(reader, 2) }, () => ({
    offset: reader.varint(),
    length: reader.uvarint(),
  }));
}

function readDoubles(reader: ByteReader): Float64Array {
  const values = new Float64Array(readLength(reader, 8));
  for (let i = 0; i < values.length; i++) reader.f64(values, i);
  return values;
}

function readBuckets(reader: ByteReader, isFloat: boolean): Float64Array {
  if (isFloat) return readDoubles(reader);
  const buckets = new Float64Array(readLength(reader, 1));
  let count = 0;
  for (let i = 0; i < buckets.length; i++) {
    count += reader.varint();
    if (!Number.isSafeInteger(count)) throw reader.corrupt(`a bucket with ${count}, which is beyond 2^53`);
    buckets[i] = count;
  }
  return buckets;
}

export interface HistogramEntry {
  readonly walRef: number;
  readonly t: number;
  readonly histogram: Histogram;
  /** Start time, 0 for none. */
  readonly start?: number;
}

/**
 * Appends a record of type 7, 8, 9 or 10. All entries have integer counts or all have float counts, all have custom buckets or
 * none has; there is at least one.
 */
export function encodeHistograms(entries: readonly HistogramEntry[], out: ByteWriter): void {
  const { isFloat, isCustom } = entries[0].histogram;
  if (isCustom) {
    out.u8(
      isFloat ? RecordType.customBucketsFloatHistogramSamples : RecordType.customBucketsHistogramSamples,
    );
  } else out.u8(isFloat ? RecordType.floatHistogramSamples : RecordType.histogramSamples);
  const { walRef: baseRef, t: baseTime } = entries[0];
  out.u64(baseRef);
  out.i64(baseTime);
  for (const { walRef, t, histogram } of entries) {
    out.varint(walRef - baseRef);
    out.varint(t - baseTime);
    writeHistogram(out, histogram);
  }
}

/** Appends a record of type 12 or 13. All entries have integer counts or all have float counts; there is at least one. */
export function encodeHistogramsWithStarts(entries: readonly HistogramEntry[], out: ByteWriter): void {
  const first = entries[0];
  const { start: firstStart = 0 } = first;
  out.u8(first.histogram.isFloat ? RecordType.floatHistogramSamplesV2 : RecordType.histogramSamplesV2);
  let before: HistogramEntry | undefined;
  for (const entry of entries) {
    const { walRef, t, histogram, start = 0 } = entry;
    out.varint(walRef - (before?.walRef ?? 0));
    out.varint(before === undefined ? t : t - first.t);
    if (before === undefined) out.varint(start);
    else {
      const marker = startMarker(start, before.start ?? 0);
      out.u8(marker);
      if (marker === StartMarker.own) out.varint(start - firstStart);
    }
    writeHistogram(out, histogram);
    before = entry;
  }
}

function writeHistogram(out: ByteWriter, histogram: Histogram): void {
  const { isFloat, schema, zeroThreshold, zeroCount, count, sum } = histogram;
  out.u8(histogram.resetHint);
  out.varint(schema);
  writeDouble(out, zeroThreshold);
  for (const one of [zeroCount, count]) {
    if (isFloat) writeDouble(out, one);
    else out.uvarint(one);
  }
  writeDouble(out, sum);
  for (const spans of [histogram.positiveSpans, histogram.negativeSpans]) {
    out.uvarint(spans.length);
    for (const { offset, length } of spans) {
      out.varint(offset);
      out.uvarint(length);
    }
  }
  for (const buckets of [histogram.positiveBuckets, histogram.negativeBuckets]) {
    out.uvarint(buckets.length);
    for (let i = 0; i < buckets.length; i++) {
      if (isFloat) out.f64(buckets, i);
      else out.varint(buckets[i] - (i === 0 ? 0 : buckets[i - 1]));
    }
  }
  if (schema !== customBucketsSchema) return;
  out.uvarint(histogram.customBounds.length);
  for (let i = 0; i < histogram.customBounds.length; i++) out.f64(histogram.customBounds, i);
}

function writeDouble(out: ByteWriter, value: number): void {
  double[0] = value;
  out.f64(double, 0);
}

/**
 * What all histograms of a chunk share, at the beginning of its bit stream:
 *
 *   zero threshold · varbit schema · positive spans · negative spans · [custom bounds, where the schema is -53]
 *
 *   zero threshold   u8 0: zero · u8 1…254: 2^(that - 244) · u8 255 and the 64 bits
 *   spans            unsigned varbit count · { unsigned varbit length · varbit offset } …
 *   custom bounds    unsigned varbit count · { unsigned varbit bound · 1000 + 1, or 0 and the 64 bits } …
 */
import { customBucketsSchema, equalNumbers, type Histogram, isKnownSchema } from "../model/histogram.ts";
import { bucketCount, equalSpans, noSpans, type Span } from "../model/spans.ts";
import type { BitReader } from "./bit-reader.ts";
import type { BitWriter } from "./bit-writer.ts";

export interface HistogramLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly customBounds: Float64Array;
}

/** More buckets than any sender makes; the data of one sample would be megabytes. */
const bucketsMax = 1 << 20;
const thresholdBias = 244;
/** The largest custom bound, times 1000, that is written as an integer. */
const wholeBoundMax = 33554430;

/** A staleness marker's is empty. */
export const emptyLayout: HistogramLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: noSpans,
  negativeSpans: noSpans,
  customBounds: new Float64Array(0),
};

export function layoutOf(histogram: Histogram): HistogramLayout {
  return histogram.isStale ? emptyLayout : histogram;
}

/** Whether schema, zero bucket and custom bounds are the same; spans may differ. */
export function hasSameBounds(a: HistogramLayout, b: HistogramLayout): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    (a.schema !== customBucketsSchema || equalNumbers(a.customBounds, b.customBounds))
  );
}

export function hasSameSpans(a: HistogramLayout, b: HistogramLayout): boolean {
  return equalSpans(a.positiveSpans, b.positiveSpans) && equalSpans(a.negativeSpans, b.negativeSpans);
}

export function writeLayout(out: BitWriter, layout: HistogramLayout): void {
  writeZeroThreshold(out, layout.zeroThreshold);
  out.varbit(layout.schema);
  for (const spans of [layout.positiveSpans, layout.negativeSpans]) {
    out.unsignedVarbit(spans.length);
    for (const { offset, length } of spans) {
      out.unsignedVarbit(length);
      out.varbit(offset);
    }
  }
  if (layout.schema !== customBucketsSchema) return;
  out.unsignedVarbit(layout.customBounds.length);
  for (const bound of layout.customBounds) writeBound(out, bound);
}

export function readLayout(from: BitReader): HistogramLayout {
  const zeroThreshold = readZeroThreshold(from);
  const schema = from.varbit();
  if (!isKnownSchema(schema)) throw from.corrupt(`a histogram of the unknown schema ${schema}`);
  const positiveSpans = readSpans(from);
  const negativeSpans = readSpans(from);
  const customBounds = schema === customBucketsSchema ? readBounds(from) : emptyLayout.customBounds;
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
}

function writeZeroThreshold(out: BitWriter, threshold: number): void {
  if (threshold === 0) return out.bits(0, 8);
  const exponent = Math.log2(threshold) + thresholdBias;
  if (
    Number.isInteger(exponent) &&
    exponent >= 1 &&
    exponent <= 254 &&
    2 ** (exponent - thresholdBias) === threshold
  ) {
    return out.bits(exponent, 8);
  }
  out.bits(255, 8);
  out.double(threshold);
}

function readZeroThreshold(from: BitReader): number {
  const byte = from.bits(8);
  if (byte === 0) return 0;
  return byte === 255 ? from.double() : 2 ** (byte - thresholdBias);
}

function readSpans(from: BitReader): readonly Span[] {
  const spans: Span[] = [];
  let buckets = 0;
  for (let left = readCount(from); left > 0; left--) {
    const length = from.unsignedVarbit();
    buckets += length;
    if (buckets > bucketsMax) throw from.corrupt(`more than ${bucketsMax} buckets`);
    spans.push({ length, offset: from.varbit() });
  }
  return spans;
}

function readCount(from: BitReader): number {
  const count = from.unsignedVarbit();
  if (count > bucketsMax) throw from.corrupt(`${count} spans or bounds, at most ${bucketsMax} expected`);
  return count;
}

function writeBound(out: BitWriter, bound: number): void {
  const thousandths = bound * 1000;
  if (!(thousandths >= 0 && thousandths <= wholeBoundMax) || Math.round(thousandths) / 1000 !== bound) {
    out.bits(0, 1);
    return out.double(bound);
  }
  out.unsignedVarbit(Math.round(thousandths) + 1);
}

function readBounds(from: BitReader): Float64Array {
  const bounds: number[] = [];
  for (let left = readCount(from); left > 0; left--) {
    const code = from.unsignedVarbit();
    bounds.push(code === 0 ? from.double() : (code - 1) / 1000);
  }
  return Float64Array.from(bounds);
}

/** How many buckets each sample has on each side. */
export function bucketCounts({
  positiveSpans,
  negativeSpans,
}: HistogramLayout): [positive: number, negative: number] {
  return [bucketCount(positiveSpans), bucketCount(negativeSpans)];
}

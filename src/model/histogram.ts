/**
 * A native histogram: how many observations fell into each bucket. With exponential buckets (schemas -4 to 8: bounds are
 * powers of 2^(2^-schema), on both sides of a zero bucket) or with custom bounds (schema -53).
 *
 * Counts are integers or, in a float histogram, any doubles. They are held as doubles either way: decoders refuse
 * integers beyond 2^53, and what is stored anew has none beyond {@link integerCountMax}. Buckets have absolute counts, in the order of their indices on each side.
 *
 * Immutable; arrays handed to the constructor must not be changed afterwards.
 */
import { exponentialBound } from "./exponential-bounds.ts";
import { bucketIndices, equalSpans, noSpans, type Span, spansOf } from "./spans.ts";

export const ResetHint = { unknown: 0, reset: 1, notReset: 2, gauge: 3 } as const;
export type ResetHint = (typeof ResetHint)[keyof typeof ResetHint];

/**
 * Chunks tell integer counts by differences of differences of differences: up to here these are exact, too. Ten
 * million observations a second reach it after three years and a half.
 */
export const integerCountMax = 2 ** 50;

export const customBucketsSchema = -53;
export const schemaMin = -4;
export const schemaMax = 8;
/** Higher ones, up to this, are valid to receive: they are reduced to {@link schemaMax}. */
const schemaMaxReserved = 52;

export function isExponentialSchema(schema: number): boolean {
  return schema >= schemaMin && schema <= schemaMax;
}

/** Whether a chunk may have this schema; -9 to -5 are reserved, and nothing writes them. */
export function isKnownSchema(schema: number): boolean {
  return schema === customBucketsSchema || (schema >= -9 && schema <= schemaMaxReserved);
}

export interface HistogramFields {
  readonly isFloat: boolean;
  readonly resetHint?: ResetHint;
  readonly schema?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly count?: number;
  /** Where it is a staleness marker, that is all there is; see {@link staleHistogram}. */
  readonly sum: number;
  readonly positiveSpans?: readonly Span[];
  readonly negativeSpans?: readonly Span[];
  readonly positiveBuckets?: Float64Array;
  readonly negativeBuckets?: Float64Array;
  /** The upper bounds of custom buckets, ascending, without the infinite one. */
  readonly customBounds?: Float64Array;
}

/** A bucket with its bounds. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
}

const noBuckets = new Float64Array(0);
/** What Prometheus's struct takes without its slices, by which it counts samples. */
const structBytes = 168;

const bits = new Uint32Array(2);
const bitsAsDouble = new Float64Array(bits.buffer);

/** Doubles are the same where their bits are. */
function sameBits(a: number, b: number): boolean {
  return Object.is(a, b);
}

export class Histogram {
  readonly isFloat: boolean;
  readonly resetHint: ResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  /** Whether this is a staleness marker. */
  readonly isStale: boolean;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly positiveBuckets: Float64Array;
  readonly negativeBuckets: Float64Array;
  readonly customBounds: Float64Array;

  constructor(fields: HistogramFields) {
    this.isFloat = fields.isFloat;
    this.resetHint = fields.resetHint ?? ResetHint.unknown;
    this.schema = fields.schema ?? 0;
    this.zeroThreshold = fields.zeroThreshold ?? 0;
    this.zeroCount = fields.zeroCount ?? 0;
    this.count = fields.count ?? 0;
    this.sum = fields.sum;
    bitsAsDouble[0] = fields.sum;
    this.isStale = bits[0] === 2 && bits[1] === 0x7ff00000;
    this.positiveSpans = fields.positiveSpans ?? noSpans;
    this.negativeSpans = fields.negativeSpans ?? noSpans;
    this.positiveBuckets = fields.positiveBuckets ?? noBuckets;
    this.negativeBuckets = fields.negativeBuckets ?? noBuckets;
    this.customBounds = fields.customBounds ?? noBuckets;
  }

  get isCustom(): boolean {
    return this.schema === customBucketsSchema;
  }

  get isGauge(): boolean {
    return this.resetHint === ResetHint.gauge;
  }

  /** On both sides, without the zero bucket. */
  get bucketCount(): number {
    return this.positiveBuckets.length + this.negativeBuckets.length;
  }

  /** As Prometheus counts it for the limit on samples: sixteen bytes are a sample. */
  get sizeBytes(): number {
    const spans = this.positiveSpans.length + this.negativeSpans.length;
    return structBytes + 8 * (spans + this.bucketCount + this.customBounds.length);
  }

  /** Whether all is equal, but for the hint; sums and counts by their bits. */
  equals(other: Histogram): boolean {
    return (
      this.isFloat === other.isFloat &&
      this.isStale === other.isStale &&
      this.schema === other.schema &&
      sameBits(this.zeroThreshold, other.zeroThreshold) &&
      sameBits(this.zeroCount, other.zeroCount) &&
      sameBits(this.count, other.count) &&
      sameBits(this.sum, other.sum) &&
      equalSpans(this.positiveSpans, other.positiveSpans) &&
      equalSpans(this.negativeSpans, other.negativeSpans) &&
      equalNumbers(this.positiveBuckets, other.positiveBuckets) &&
      equalNumbers(this.negativeBuckets, other.negativeBuckets) &&
      equalNumbers(this.customBounds, other.customBounds)
    );
  }

  /** The same with other fields. */
  with(fields: Partial<HistogramFields>): Histogram {
    return new Histogram({ ...this, ...fields });
  }

  /** The same with coarser buckets; `schema` is exponential and lower than this one's. */
  reduced(schema: number): Histogram {
    const positive = merged(this.positiveSpans, this.positiveBuckets, this.schema - schema);
    const negative = merged(this.negativeSpans, this.negativeBuckets, this.schema - schema);
    return this.with({
      schema,
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
    });
  }

  /** All buckets from the lowest to the highest, the zero bucket where it has observations, empty ones included. */
  *allBuckets(): Generator<Bucket> {
    const { zeroThreshold, zeroCount } = this;
    const negative = bucketIndices(this.negativeSpans);
    for (let i = negative.length - 1; i >= 0; i--)
      yield this.#negativeBucket(negative[i], this.negativeBuckets[i]);
    if (zeroCount > 0) {
      yield {
        lower: -zeroThreshold,
        upper: zeroThreshold,
        lowerInclusive: true,
        upperInclusive: true,
        count: zeroCount,
      };
    }
    const positive = bucketIndices(this.positiveSpans);
    for (let i = 0; i < positive.length; i++)
      yield this.#positiveBucket(positive[i], this.positiveBuckets[i]);
  }

  /** Bounds within the zero bucket give way to it. */
  #positiveBucket(index: number, count: number): Bucket {
    const upper = this.#bound(index);
    const lower = this.#bound(index - 1);
    if (this.isCustom) return { lower, upper, lowerInclusive: index === 0, upperInclusive: true, count };
    return {
      lower: lower > 0 && lower < this.zeroThreshold ? this.zeroThreshold : lower,
      upper,
      lowerInclusive: false,
      upperInclusive: true,
      count,
    };
  }

  #negativeBucket(index: number, count: number): Bucket {
    const lower = -exponentialBound(index, this.schema);
    const upper = -exponentialBound(index - 1, this.schema);
    return {
      lower,
      upper: upper < 0 && upper > -this.zeroThreshold ? -this.zeroThreshold : upper,
      lowerInclusive: true,
      upperInclusive: false,
      count,
    };
  }

  #bound(index: number): number {
    if (!this.isCustom) return exponentialBound(index, this.schema);
    if (index < 0) return Number.NEGATIVE_INFINITY;
    return index < this.customBounds.length ? this.customBounds[index] : Number.POSITIVE_INFINITY;
  }
}

const staleWords = new Uint32Array([2, 0x7ff00000]);
const staleSum = new Float64Array(staleWords.buffer);

const staleInteger = new Histogram({ isFloat: false, sum: staleSum[0] });
const staleFloat = new Histogram({ isFloat: true, sum: staleSum[0] });

/** What ends a series of histograms of this kind. */
export function staleHistogram(isFloat: boolean): Histogram {
  return isFloat ? staleFloat : staleInteger;
}

export function equalNumbers(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameBits(a[i], b[i])) return false;
  return true;
}

/** Joins 2^`steps` neighbours into one. */
function merged(
  spans: readonly Span[],
  buckets: Float64Array,
  steps: number,
): { spans: readonly Span[]; buckets: Float64Array } {
  const scale = 2 ** steps;
  const indices = bucketIndices(spans);
  const into: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    // A bucket reaches up to its bound, inclusive.
    const target = Math.floor((indices[i] - 1) / scale) + 1;
    if (into.length > 0 && into[into.length - 1] === target) counts[counts.length - 1] += buckets[i];
    else {
      into.push(target);
      counts.push(buckets[i]);
    }
  }
  return { spans: spansOf(into), buckets: Float64Array.from(counts) };
}

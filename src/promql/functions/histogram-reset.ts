/** Whether a native histogram shows that its counter was reset since the one before it, by Prometheus's rules. */
import { type Histogram, ResetHint } from "../../model/histogram.ts";
import { bucketIndices, type Span } from "../../model/spans.ts";

export function wasReset(before: Histogram, after: Histogram): boolean {
  if (after.resetHint === ResetHint.reset) return true;
  if (after.resetHint === ResetHint.notReset) return false;
  if (after.count < before.count) return true;
  if (after.isCustom !== before.isCustom) return true;
  if (after.isCustom && !sameNumbers(after.customBounds, before.customBounds)) return true;
  if (after.schema > before.schema || after.zeroThreshold < before.zeroThreshold) return true;
  const coarse = after.schema < before.schema ? before.reduced(after.schema) : before;
  const zero = zeroCountUpTo(coarse, after.zeroThreshold);
  if (zero === undefined || after.zeroCount < zero.count) return true;
  const { positiveFrom, negativeFrom } = zero;
  return (
    lostObservations(
      coarse.positiveSpans,
      coarse.positiveBuckets,
      after.positiveSpans,
      after.positiveBuckets,
      positiveFrom,
    ) ||
    lostObservations(
      coarse.negativeSpans,
      coarse.negativeBuckets,
      after.negativeSpans,
      after.negativeBuckets,
      negativeFrom,
    )
  );
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

interface ZeroBucket {
  readonly count: number;
  /** The indices of the first buckets that are not in it. */
  readonly positiveFrom: number;
  readonly negativeFrom: number;
}

/** The zero bucket with a larger threshold; undefined where that lies within a bucket with observations. */
function zeroCountUpTo(histogram: Histogram, threshold: number): ZeroBucket | undefined {
  let count = histogram.zeroCount;
  if (threshold === histogram.zeroThreshold)
    return { count, positiveFrom: -Infinity, negativeFrom: -Infinity };
  const from = [-Infinity, -Infinity];
  let cut = false;
  const sides = [
    [histogram.positiveSpans, histogram.positiveBuckets],
    [histogram.negativeSpans, histogram.negativeBuckets],
  ] as const;
  sides.forEach(([spans, buckets], side) => {
    bucketIndices(spans).forEach((index, i) => {
      const upper = 2 ** (index * 2 ** -histogram.schema);
      const lower = 2 ** ((index - 1) * 2 ** -histogram.schema);
      if (lower >= threshold) return;
      if (upper > threshold && buckets[i] !== 0) cut = true;
      count += buckets[i];
      from[side] = index + 1;
    });
  });
  return cut ? undefined : { count, positiveFrom: from[0], negativeFrom: from[1] };
}

/** Whether a bucket, from index `first` on, has fewer observations than before. */
function lostObservations(
  spansBefore: readonly Span[],
  before: Float64Array,
  spansAfter: readonly Span[],
  after: Float64Array,
  first: number,
): boolean {
  const ours = bucketIndices(spansBefore);
  const theirs = bucketIndices(spansAfter);
  for (let i = 0, k = 0; i < ours.length; i++) {
    if (ours[i] < first) continue;
    while (k < theirs.length && theirs[k] < ours[i]) k++;
    const now = k < theirs.length && theirs[k] === ours[i] ? after[k] : 0;
    if (now < before[i]) return true;
  }
  return false;
}

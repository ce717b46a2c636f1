/** Native histograms without the empty buckets that nobody needs, as Prometheus stores what it scrapes. */
import type { Histogram } from "./histogram.ts";
import { bucketIndices, type Span, spansOf } from "./spans.ts";

/**
 * The same histogram with as few buckets as tell it: empty ones go, but for runs of at most `emptyMax` between others,
 * where a gap would cost more than it saves.
 */
export function compacted(histogram: Histogram, emptyMax: number): Histogram {
  const positive = compactSide(histogram.positiveSpans, histogram.positiveBuckets, emptyMax);
  const negative = compactSide(histogram.negativeSpans, histogram.negativeBuckets, emptyMax);
  return histogram.with({
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  });
}

function compactSide(
  spans: readonly Span[],
  counts: Float64Array,
  emptyMax: number,
): { spans: readonly Span[]; buckets: Float64Array } {
  const indices = bucketIndices(spans);
  const kept: number[] = [];
  const buckets: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    if (counts[i] === 0) continue;
    if (kept.length > 0 && indices[i] - kept[kept.length - 1] - 1 <= emptyMax) {
      for (let index = kept[kept.length - 1] + 1; index < indices[i]; index++) {
        kept.push(index);
        buckets.push(0);
      }
    }
    kept.push(indices[i]);
    buckets.push(counts[i]);
  }
  return { spans: spansOf(kept), buckets: Float64Array.from(buckets) };
}

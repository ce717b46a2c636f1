/** How the buckets of a histogram and those of a chunk can be brought to one layout. */
import { bucketIndices, type Span, spansOf } from "../model/spans.ts";

/** What has to be done on one side so that the chunk can take the histogram. */
export interface Expansion {
  /** The spans that the chunk has afterwards. */
  readonly spans: readonly Span[];
  /** Whether the chunk lacks buckets that the histogram has: it must be encoded anew. */
  readonly chunkGrows: boolean;
  /** Whether the histogram lacks buckets that the chunk has: it gets them, empty. */
  readonly histogramGrows: boolean;
}

/**
 * For one side of a counter histogram. Undefined where a bucket lost observations: the counter was reset. Buckets of the
 * chunk that the histogram lacks must have been empty.
 */
export function expandCounter(
  chunkSpans: readonly Span[],
  chunkBuckets: ArrayLike<number>,
  spans: readonly Span[],
  buckets: ArrayLike<number>,
): Expansion | undefined {
  const inChunk = bucketIndices(chunkSpans);
  const inHistogram = bucketIndices(spans);
  let chunkGrows = false;
  let histogramGrows = false;
  let i = 0;
  let j = 0;
  while (i < inChunk.length || j < inHistogram.length) {
    if (j === inHistogram.length || (i < inChunk.length && inChunk[i] < inHistogram[j])) {
      if (chunkBuckets[i++] !== 0) return undefined;
      histogramGrows = true;
    } else if (i === inChunk.length || inHistogram[j] < inChunk[i]) {
      j++;
      chunkGrows = true;
    } else if (chunkBuckets[i++] > buckets[j++]) return undefined;
  }
  return { spans: histogramGrows ? spansOf(union(inChunk, inHistogram)) : spans, chunkGrows, histogramGrows };
}

/** For one side of a gauge histogram, of which buckets may lose what they like. */
export function expandGauge(chunkSpans: readonly Span[], spans: readonly Span[]): Expansion {
  const inChunk = bucketIndices(chunkSpans);
  const inHistogram = bucketIndices(spans);
  const both = union(inChunk, inHistogram);
  return {
    spans: spansOf(both),
    chunkGrows: both.length > inChunk.length,
    histogramGrows: both.length > inHistogram.length,
  };
}

function union(a: Int32Array, b: Int32Array): Int32Array {
  return Int32Array.from(new Set([...a, ...b])).sort();
}

/** The same counts under more buckets; `buckets` itself where there are no more. */
export function spread(spans: readonly Span[], buckets: Float64Array, into: readonly Span[]): Float64Array {
  if (spans === into) return buckets;
  const from = bucketIndices(spans);
  const to = bucketIndices(into);
  const result = new Float64Array(to.length);
  let i = 0;
  for (let k = 0; k < to.length && i < from.length; k++) if (to[k] === from[i]) result[k] = buckets[i++];
  return result;
}

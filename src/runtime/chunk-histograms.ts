/**
 * Sizes, samples and times of the chunks that leave the head for a block, in the buckets of Prometheus's
 * prometheus_tsdb_compaction_chunk_*. As there, chunks count once: blocks made of blocks do not count them again.
 */
import { exponentialBounds, HistogramCounts, type ObservedCounts } from "./histogram-counts.ts";

export const chunkSizeBounds = exponentialBounds(32, 1.5, 12);
export const chunkSampleBounds = exponentialBounds(4, 1.5, 12);
/** Milliseconds: the metric is called "seconds", but what Prometheus observes is this, and its buckets fit it. */
export const chunkRangeBounds = exponentialBounds(100, 4, 10);

/** What a compaction thread has seen. */
export interface ObservedChunks {
  readonly sizes: ObservedCounts;
  readonly samples: ObservedCounts;
  readonly ranges: ObservedCounts;
}

export class ChunkHistograms {
  readonly #sizes = new HistogramCounts(chunkSizeBounds);
  readonly #samples = new HistogramCounts(chunkSampleBounds);
  readonly #ranges = new HistogramCounts(chunkRangeBounds);

  observe(sizeBytes: number, samples: number, rangeMs: number): void {
    this.#sizes.observe(sizeBytes);
    this.#samples.observe(samples);
    this.#ranges.observe(rangeMs);
  }

  get observed(): ObservedChunks {
    return {
      sizes: this.#sizes.observed,
      samples: this.#samples.observed,
      ranges: this.#ranges.observed,
    };
  }

  add({ sizes, samples, ranges }: ObservedChunks): void {
    this.#sizes.add(sizes);
    this.#samples.add(samples);
    this.#ranges.add(ranges);
  }

  stats(): Record<string, number> {
    return {
      ...this.#sizes.stats("chunkSizes"),
      ...this.#samples.stats("chunkSamples"),
      ...this.#ranges.stats("chunkRanges"),
    };
  }
}

/**
 * What a histogram of /metrics is made of: counted in one thread, and sent to another as plain data.
 */

/** A histogram's observations, as they travel between threads. */
export interface ObservedCounts {
  /** By bucket, not cumulative; the last one has what is beyond all bounds. */
  readonly counts: Float64Array;
  readonly sum: number;
}

export class HistogramCounts {
  /** Upper bounds of the buckets, inclusive, ascending. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) bucket++;
    this.#counts[bucket]++;
    this.#sum += value;
  }

  /** What was observed so far. */
  get observed(): ObservedCounts {
    return { counts: this.#counts.slice(), sum: this.#sum };
  }

  /** Adds what a histogram with the same bounds observed elsewhere. */
  add({ counts, sum }: ObservedCounts): void {
    for (let i = 0; i < counts.length; i++) this.#counts[i] += counts[i];
    this.#sum += sum;
  }

  /** As flat numbers: `${prefix}UpTo${bound}` (cumulative), `${prefix}Count`, `${prefix}Sum`. */
  stats(prefix: string): Record<string, number> {
    const stats: Record<string, number> = {};
    let count = 0;
    for (const [i, bound] of this.bounds.entries()) {
      count += this.#counts[i];
      stats[`${prefix}UpTo${bound}`] = count;
    }
    stats[`${prefix}Count`] = count + this.#counts[this.bounds.length];
    stats[`${prefix}Sum`] = this.#sum;
    return stats;
  }
}

/** `count` bounds, each `factor` times the one before. */
export function exponentialBounds(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first * factor ** i);
}

/**
 * Samples as columns: `n` timestamps (ms) and values. Grown by doubling and reused from series to series.
 * Whoever keeps one across series must copy; a column handed out is only valid until the next write.
 *
 * A sample is a float or a native histogram. Where there are histograms they stand in a third column, and the value
 * column has the bits of their sums there: a staleness marker is told by its bits whatever it marks. Who reads floats only
 * pays nothing for it: the column is made with the first histogram.
 *
 * Start timestamps are a column of those who ask for it at the construction: what moves samples from one place to another.
 */
import type { Histogram } from "../model/histogram.ts";

export class SampleColumns {
  t: Float64Array;
  v: Float64Array;
  n = 0;
  /** Since when each sample counts (ms, 0 for not known); undefined where nobody asked. */
  starts: Float64Array | undefined;
  /**
   * Undefined where all samples are floats. Otherwise sample i is a histogram where element i is one; a shorter array
   * has none at its end. Histograms are immutable: they may be kept, and may occur in several places.
   */
  histograms: (Histogram | undefined)[] | undefined = undefined;

  constructor(capacity = 256, withStarts = false) {
    this.t = new Float64Array(capacity);
    this.v = new Float64Array(capacity);
    this.starts = withStarts ? new Float64Array(capacity) : undefined;
  }

  /** Forgets the samples, keeps the memory. */
  clear(): void {
    this.n = 0;
    this.histograms = undefined;
  }

  /** Makes room for `extra` more samples; the arrays may be replaced. */
  reserve(extra: number): void {
    const needed = this.n + extra;
    if (needed <= this.t.length) return;
    const capacity = Math.max(needed, this.t.length * 2);
    const t = new Float64Array(capacity);
    const v = new Float64Array(capacity);
    t.set(this.t.subarray(0, this.n));
    v.set(this.v.subarray(0, this.n));
    this.t = t;
    this.v = v;
    if (this.starts === undefined) return;
    const starts = new Float64Array(capacity);
    starts.set(this.starts.subarray(0, this.n));
    this.starts = starts;
  }

  /** Appends a histogram. */
  pushHistogram(t: number, histogram: Histogram, start = 0): void {
    this.reserve(1);
    const i = this.n++;
    this.t[i] = t;
    this.v[i] = histogram.sum;
    if (this.starts !== undefined) this.starts[i] = start;
    this.histograms ??= [];
    this.histograms[i] = histogram;
  }

  /** Ends the columns at `n` samples, of those that are there. */
  truncate(n: number): void {
    this.n = n;
    if (this.histograms !== undefined && this.histograms.length > n) this.histograms.length = n;
  }
}

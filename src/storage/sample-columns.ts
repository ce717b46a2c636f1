/**
 * Samples as columns: `n` timestamps (ms) and values. Grown by doubling and reused from series to series.
 * Whoever keeps one across series must copy; a column handed out is only valid until the next write.
 */
export class SampleColumns {
  t: Float64Array;
  v: Float64Array;
  n = 0;

  constructor(capacity = 256) {
    this.t = new Float64Array(capacity);
    this.v = new Float64Array(capacity);
  }

  /** Forgets the samples, keeps the memory. */
  clear(): void {
    this.n = 0;
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
  }
}

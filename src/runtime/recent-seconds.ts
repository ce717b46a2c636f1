/** How long things took lately, for the quantiles of a summary. */

/** As summaries of Prometheus's client library look back. */
const windowMs = 600_000;
/** The latest of the window, where there are more. */
const countMax = 1024;

export class RecentSeconds {
  /** Of all times. */
  count = 0;
  sum = 0;
  readonly #seconds = new Float64Array(countMax);
  readonly #atMs = new Float64Array(countMax);

  observe(seconds: number, nowMs: number): void {
    const at = this.count % countMax;
    this.#seconds[at] = seconds;
    this.#atMs[at] = nowMs;
    this.count++;
    this.sum += seconds;
  }

  /** Of those within ten minutes, seconds each; NaN where there were none. */
  quantiles(quantiles: readonly number[], nowMs: number): number[] {
    const known = Math.min(this.count, countMax);
    const recent = this.#seconds
      .subarray(0, known)
      .filter((_, i) => this.#atMs[i] > nowMs - windowMs)
      .sort();
    if (recent.length === 0) return quantiles.map(() => Number.NaN);
    return quantiles.map((quantile) => recent[Math.max(0, Math.ceil(quantile * recent.length) - 1)]);
  }
}

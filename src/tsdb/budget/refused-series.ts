/**
 * Which new series were refused, by job and metric: who fills the memory is mostly who goes on sending new series. Kept
 * bounded: beyond the limit the smallest counts are given up, so what is counted much stays.
 */

export interface Culprit {
  readonly job: string;
  readonly metric: string;
  readonly count: number;
}

const entriesMax = 1024;
const entriesKept = 256;

export class RefusedSeries {
  readonly #counts = new Map<string, { job: string; metric: string; count: number }>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** One series; `job` and `metric` are "" where it has none. */
  add(job: string, metric: string): void {
    this.#total++;
    const key = `${job}\udfff${metric}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    if (this.#counts.size >= entriesMax) this.#forgetSmall();
    this.#counts.set(key, { job, metric, count: 1 });
  }

  /** Those with the highest counts, highest first. */
  culprits(limit: number): Culprit[] {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count)
      .slice(0, limit)
      .map((entry) => ({ ...entry }));
  }

  #forgetSmall(): void {
    const kept = [...this.#counts].sort(([, a], [, b]) => b.count - a.count).slice(0, entriesKept);
    this.#counts.clear();
    for (const [key, entry] of kept) this.#counts.set(key, entry);
  }
}

/** For a log line: `job "x" metric "y": 12, …`. */
export function culpritsText(culprits: readonly Culprit[]): string {
  return culprits
    .map(({ job, metric, count }) => `job ${JSON.stringify(job)} metric ${JSON.stringify(metric)}: ${count}`)
    .join(", ");
}

/** What random expressions may talk about: the metrics of a data set, their labels, its time. */

export interface Metric {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "buckets" | "info";
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export interface Vocabulary {
  readonly metrics: readonly Metric[];
  /** The data's first and last time, in milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** The usual distance of two samples. */
  readonly intervalMs: number;
}

/** What random expressions talk about: the metrics of a data set, their series, its time. */
import type { World } from "./world.ts";

export type MetricKind = "counter" | "gauge" | "buckets" | "info";

export interface Metric {
  readonly name: string;
  readonly kind: MetricKind;
  /** The labels of its series, without the name. */
  readonly series: readonly Readonly<Record<string, string>>[];
}

export interface Vocabulary {
  readonly metrics: readonly Metric[];
  /** Of every label that any metric has, its values. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** The data's first and last time, in milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
}

const kinds: readonly [RegExp, MetricKind][] = [
  [/_bucket$/, "buckets"],
  [/(_total|_count|_sum)$/, "counter"],
  [/_info$/, "info"],
];

export function vocabularyOf({ labelSets, startMs, endMs }: World): Vocabulary {
  const byName = new Map<string, Record<string, string>[]>();
  const values = new Map<string, Set<string>>();
  for (const labelSet of labelSets) {
    const { __name__: name, ...labels } = labelSet.toObject();
    byName.set(name, [...(byName.get(name) ?? []), labels]);
    for (const [label, value] of Object.entries(labels)) {
      values.set(label, (values.get(label) ?? new Set()).add(value));
    }
  }
  const metrics = [...byName].map(([name, series]) => ({ name, kind: kindOf(name), series }));
  return { metrics, labels: new Map([...values].map(([label, set]) => [label, [...set]])), startMs, endMs };
}

const kindOf = (name: string): MetricKind => kinds.find(([pattern]) => pattern.test(name))?.[1] ?? "gauge";

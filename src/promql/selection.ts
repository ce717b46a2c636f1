/** What a selector asks the storage for, and what it gets: once per query, however often the selector is evaluated. */
import { metricName } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { SelectHints, Series } from "../storage/querier.ts";
import { hasTypeLabels } from "./metadata-labels.ts";

export interface Selector {
  readonly matchers: readonly Matcher[];
  /** The time that the selector is pinned to by `@`. */
  readonly at: number | undefined;
  readonly offsetMs: number;
  /** All that any evaluation of it can need, both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  readonly hints: SelectHints;
}

/** Equal for selectors that select the same series over the same time. */
export function selectionKey({ matchers, mint, maxt, hints }: Selector): string {
  return `${mint},${maxt},${hints.lastOnly === true},${matchers.join(",")}`;
}

export class Selection {
  readonly series: readonly Series[];
  #distinctWithoutName: boolean | undefined;
  #typeLabels: boolean | undefined;

  constructor(series: readonly Series[]) {
    this.series = series;
  }

  /** Whether the label sets stay distinct without name, type and unit: all have one name, and no type or unit. */
  get distinctWithoutName(): boolean {
    this.#distinctWithoutName ??= !this.typeLabels && haveOneName(this.series);
    return this.#distinctWithoutName;
  }

  /** Whether any series has a `__type__` or `__unit__` label. */
  get typeLabels(): boolean {
    this.#typeLabels ??= this.series.some(({ labels }) => hasTypeLabels(labels));
    return this.#typeLabels;
  }
}

function haveOneName(series: readonly Series[]): boolean {
  if (series.length === 0) return true;
  const name = series[0].labels.get(metricName);
  return series.every(({ labels }) => labels.get(metricName) === name);
}

/** What a selector asks the storage for, and what it gets: once per query, however often the selector is evaluated. */
import { metricName } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { Querier, QueryContext, SelectHints, Series } from "../storage/querier.ts";
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

export interface Selection {
  readonly series: readonly Series[];
  /** All series have the same name. */
  readonly oneName: boolean;
  /** Some series has a `__type__` or `__unit__` label. */
  readonly typeLabels: boolean;
}

export function select(querier: Querier, context: QueryContext, selector: Selector): Selection {
  const { matchers, mint, maxt, hints } = selector;
  const series = querier.select(context, matchers, mint, maxt, hints, false);
  const name = series.length === 0 ? "" : series[0].labels.get(metricName);
  return {
    series,
    oneName: series.every(({ labels }) => labels.get(metricName) === name),
    typeLabels: series.some(({ labels }) => hasTypeLabels(labels)),
  };
}

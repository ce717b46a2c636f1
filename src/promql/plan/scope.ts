/**
 * What the place of an expression in the query says about the times at which it is evaluated. Gathered on the way from
 * the root down, used at the selectors.
 */

import type { Matcher } from "../../model/matcher.ts";
import type { SubqueryTimes } from "../operators/range-source.ts";
import type { AtModifier } from "../parser/ast.ts";
import type { Selector } from "../selection.ts";

/** The whole query. An instant query has the same start and end, and a step of 0. */
export interface QueryTimes {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly lookbackMs: number;
}

export interface Scope {
  /** The times of the query, or of the innermost subquery that is pinned by `@`. */
  readonly startMs: number;
  readonly endMs: number;
  /** Of all subqueries around, since the pinned one. */
  readonly offsetMs: number;
  readonly rangeMs: number;
  /** Of the innermost subquery, otherwise of the query. */
  readonly stepMs: number;
  /** The function or aggregation around, unless an operator stands in between. */
  readonly func: string;
}

export function rootScope({ startMs, endMs, stepMs }: QueryTimes): Scope {
  return { startMs, endMs, offsetMs: 0, rangeMs: 0, stepMs, func: "" };
}

export function within(scope: Scope, func: string): Scope {
  return { ...scope, func };
}

export function withinSubquery(scope: Scope, { rangeMs, stepMs, offsetMs, at }: SubqueryTimes): Scope {
  if (at !== undefined) return { ...scope, startMs: at, endMs: at, offsetMs, rangeMs, stepMs };
  return { ...scope, offsetMs: scope.offsetMs + offsetMs, rangeMs: scope.rangeMs + rangeMs, stepMs };
}

export function resolveAt(at: AtModifier | undefined, times: QueryTimes): number | undefined {
  if (at === "start") return times.startMs;
  return at === "end" ? times.endMs : at;
}

/**
 * `windowMs` is how far a step looks back: the lookback, or the range; what is exactly that old does not count.
 * `lastOnly`: at each step only the last sample in the window counts.
 */
export function selectorIn(
  scope: Scope,
  windowMs: number,
  matchers: readonly Matcher[],
  offsetMs: number,
  at: number | undefined,
  lastOnly: boolean,
): Selector {
  const first = at ?? scope.startMs - scope.offsetMs - scope.rangeMs;
  const last = at ?? scope.endMs - scope.offsetMs;
  const mint = first - offsetMs - windowMs + 1;
  const maxt = last - offsetMs;
  const { stepMs, func } = scope;
  const hints = { startMs: mint, endMs: maxt, stepMs, func, lastOnly: lastOnly && first === last };
  return { matchers, at, offsetMs, mint, maxt, hints };
}

/**
 * The contract of the aggregations that take series one by one. A group has a value at a step as soon as one of its
 * series has; the first value is taken as it is, not added to 0.
 */
import type { Column } from "../column.ts";
import type { QueryRun } from "../query-run.ts";

export interface Accumulator {
  /** Takes a series of group `group`; groups come numbered from 0 without gaps, in order of their first series. */
  add(group: number, column: Column): void;
  /** Writes the group's result. */
  finish(group: number, out: Column): void;
  free(): void;
}

export type MakeAccumulator = (run: QueryRun, steps: number) => Accumulator;

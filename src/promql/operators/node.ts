/**
 * The contract between operators. A plan is a tree of nodes; evaluating one pushes its series, one at a time, into the
 * function that the node around it passed. So an aggregation holds one input series and its outputs, nothing else;
 * who needs all series at once collects them (operators/collect.ts).
 *
 * - `emit` is called from within `evaluate`, once per series, in the order in which Prometheus has the series. Label
 *   sets are distinct, and every column has at least one value.
 * - The column belongs to the receiver until it returns: it may overwrite the values, and must copy what it keeps.
 *   After that the producer uses the memory again.
 * - Nodes keep nothing between evaluations; what belongs to one query is in the run.
 * - On return, `run.samples.held` has grown by the samples emitted (samples.ts says why and how).
 */
import type { Labels } from "../../model/labels.ts";
import type { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";

export type Emit = (labels: Labels, column: Column) => void;

/** An expression of type vector. */
export interface VectorNode {
  evaluate(run: QueryRun, grid: Grid, emit: Emit): void;
  /** Whether its label sets stay distinct without the metric's name, type and unit. */
  distinctWithoutName(run: QueryRun): boolean;
}

/** An expression of type scalar: one value per step. The array belongs to the caller, who may overwrite it. */
export interface ScalarNode {
  evaluate(run: QueryRun, grid: Grid): Float64Array;
}

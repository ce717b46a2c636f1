/** A vector that does not depend on the evaluation time (everything in it is pinned by `@`): evaluated at one step. */
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import type { Emit, VectorNode } from "./node.ts";

export class StepInvariantNode implements VectorNode {
  readonly #operand: VectorNode;

  constructor(operand: VectorNode) {
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#operand.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    if (grid.steps <= 1) return this.#operand.evaluate(run, grid, emit);
    const { queryable } = run.samples;
    const column = new Column(grid.steps);
    let series = 0;
    this.#operand.evaluate(run, { ...grid, steps: 1 }, (labels, { values, histograms }) => {
      series++;
      column.fill();
      column.values.fill(values[0]);
      const histogram = histograms?.[0];
      if (histogram !== undefined) column.histograms = new Array(grid.steps).fill(histogram);
      emit(labels, column);
    });
    run.samples.repeatSince(queryable, grid.steps);
    run.samples.hold(series * (grid.steps - 1));
  }
}

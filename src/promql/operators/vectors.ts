/** Vectors that do not come from a selector: `vector(s)`, and dates of the evaluation time. */
import { Labels } from "../../model/labels.ts";
import { Column } from "../column.ts";
import type { ColumnKernel } from "../functions/elementwise.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { settleSteps } from "../samples.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";
import { denseTally } from "./scalars.ts";

/** One element without labels, made of a scalar: `vector(s)`; with a kernel also `hour()`, which is `hour(vector(time()))`. */
export class VectorOfScalarNode implements VectorNode {
  readonly #operand: ScalarNode;
  readonly #kernel: ColumnKernel | undefined;

  constructor(operand: ScalarNode, kernel?: ColumnKernel) {
    this.#operand = operand;
    this.#kernel = kernel;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const column = new Column(grid.steps);
    column.fill();
    column.values.set(this.#operand.evaluate(run, grid));
    this.#kernel?.(column, []);
    emit(Labels.empty, column);
    settleSteps(run.samples, before, grid.steps, [denseTally(grid, 1)], denseTally(grid, 1));
  }
}

/** Vectors of one element without labels, which do not come from a selector. */
import { Labels } from "../../model/labels.ts";
import { Column } from "../column.ts";
import type { ColumnKernel } from "../functions/elementwise.ts";
import { type Grid, timeOf } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { settleSteps } from "../samples.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";
import { denseTally } from "./scalars.ts";

/** `vector(s)` */
export class VectorOfScalarNode implements VectorNode {
  readonly #operand: ScalarNode;

  constructor(operand: ScalarNode) {
    this.#operand = operand;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const column = new Column(grid.steps);
    column.fill();
    column.values.set(this.#operand.evaluate(run, grid));
    emit(Labels.empty, column);
    settleSteps(run.samples, before, grid.steps, [denseTally(grid, 1)], denseTally(grid, 1));
  }
}

/** `hour()` and its kind: of the evaluation time. */
export class DateOfTimeNode implements VectorNode {
  readonly #kernel: ColumnKernel;

  constructor(kernel: ColumnKernel) {
    this.#kernel = kernel;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const column = new Column(grid.steps);
    column.fill();
    for (let k = 0; k < grid.steps; k++) column.values[k] = timeOf(grid, k) / 1000;
    this.#kernel(column, []);
    emit(Labels.empty, column);
    run.samples.hold(grid.steps);
  }
}

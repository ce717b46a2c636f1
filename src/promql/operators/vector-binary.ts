/** `v + on (job) w`, `v > w`: arithmetic and comparison of two vectors. What matches what: join.ts. */
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import { isMetadataLabel } from "../metadata-labels.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { collect, emitRows } from "./collect.ts";
import { Join, keepsName, type VectorOperator } from "./join.ts";
import type { Emit, VectorNode } from "./node.ts";

export class VectorBinaryNode implements VectorNode {
  readonly #operator: VectorOperator;
  readonly #left: VectorNode;
  readonly #right: VectorNode;

  constructor(operator: VectorOperator, left: VectorNode, right: VectorNode) {
    this.#operator = operator;
    this.#left = left;
    this.#right = right;
  }

  distinctWithoutName(run: QueryRun): boolean {
    const { cardinality, on, include } = this.#operator.matching;
    if (!keepsName(this.#operator)) return !include.some(isMetadataLabel);
    return cardinality === "one-to-one" && !on && this.#left.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const left = collect(run, grid, this.#left);
    const right = collect(run, grid, this.#right);
    const result = new Join(run, this.#operator, left.block, right.block).run();
    left.block.free();
    right.block.free();
    const output = new StepTally(grid.steps);
    const column = new Column(grid.steps);
    for (let row = 0; row < result.rows; row++) {
      result.read(row, column);
      output.add(column);
    }
    emitRows(result, emit);
    result.free();
    settleSteps(run.samples, before, grid.steps, [left.tally, right.tally], output);
  }
}

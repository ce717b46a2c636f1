/** `sort(v)` and `sort_desc(v)`: of an instant query by value, NaN last; of a range query labels decide in the end. */
import { annotationTexts } from "../annotations.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { Position } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import { settleSteps } from "../samples.ts";
import { collect } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";

export class SortNode implements VectorNode {
  readonly #descending: boolean;
  readonly #operand: VectorNode;
  readonly #position: Position;

  constructor(descending: boolean, operand: VectorNode, position: Position) {
    this.#descending = descending;
    this.#operand = operand;
    this.#position = position;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#operand.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    if (grid.steps > 1) run.annotations.warn(annotationTexts.sortInRangeQuery, this.#position);
    const { block, tally } = collect(run, grid, this.#operand);
    const order = Array.from({ length: block.rows }, (_, row) => row);
    if (grid.steps === 1) {
      const { values } = block;
      const sign = this.#descending ? -1 : 1;
      order.sort((a, b) => compareNaNLast(values[a], values[b], sign));
    }
    const column = new Column(grid.steps);
    for (const row of order) {
      block.read(row, column);
      emit(block.labels[row], column);
    }
    block.free();
    settleSteps(run.samples, before, grid.steps, [tally], tally);
  }
}

function compareNaNLast(a: number, b: number, sign: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a === b ? 0 : a < b ? -sign : sign;
}

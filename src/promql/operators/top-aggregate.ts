/** `topk(k, v)` and `bottomk(k, v)`: at every step the k series of a group with the largest or smallest values. */
import { QueryError } from "../../base/errors.ts";
import { formatGeneral } from "../../model/format-float.ts";
import { type Grouping, membersOf } from "../aggregations/groups.ts";
import { TopHeap } from "../aggregations/top-heap.ts";
import type { Block } from "../block.ts";
import { Column, countPresent } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { collect } from "./collect.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";

export class TopAggregateNode implements VectorNode {
  readonly #k: ScalarNode;
  readonly #largest: boolean;
  readonly #grouping: Grouping;
  readonly #operand: VectorNode;

  constructor(k: ScalarNode, largest: boolean, grouping: Grouping, operand: VectorNode) {
    this.#k = k;
    this.#largest = largest;
    this.#grouping = grouping;
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#operand.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const k = this.#k.evaluate(run, grid);
    const { block } = collect(run, grid, this.#operand);
    run.samples.held = before;
    if (checkCounts(k)) {
      const { members } = membersOf(block.labels, this.#grouping);
      if (grid.steps === 1) this.#emitRanked(run, block, members, k[0], emit);
      else this.#emitSelected(run, block, members, k, emit);
    }
    block.free();
  }

  /** Of an instant query: group by group, in order of rank. */
  #emitRanked(run: QueryRun, block: Block, members: readonly number[][], k: number, emit: Emit): void {
    const column = new Column(1);
    let samples = 0;
    for (const rows of members) {
      for (const row of this.#select(block, rows, k, 0).sorted()) {
        block.read(row, column);
        emit(block.labels[row], column);
        samples++;
      }
    }
    run.samples.hold(samples);
  }

  /** Leaves present only what is selected. */
  #emitSelected(
    run: QueryRun,
    block: Block,
    members: readonly number[][],
    k: Float64Array,
    emit: Emit,
  ): void {
    const { steps } = block;
    const selected = new Uint8Array(block.rows * steps);
    for (const rows of members) {
      for (let step = 0; step < steps; step++) {
        run.check();
        const { items, size } = this.#select(block, rows, k[step], step);
        for (let i = 0; i < size; i++) selected[items[i] * steps + step] = 1;
      }
    }
    const column = new Column(steps);
    let samples = 0;
    for (let row = 0; row < block.rows; row++) {
      block.read(row, column);
      column.present.set(selected.subarray(row * steps, (row + 1) * steps));
      column.count = countPresent(column.present, 0, steps);
      if (column.count === 0) continue;
      samples += column.count;
      emit(block.labels[row], column);
    }
    run.samples.hold(samples);
  }

  #select(block: Block, rows: readonly number[], k: number, step: number): TopHeap {
    const heap = new TopHeap(Math.max(0, Math.min(Math.trunc(k), rows.length)), this.#largest);
    const { steps, present, values } = block;
    for (const row of rows) {
      const at = row * steps + step;
      if (present[at] === 1) heap.offer(row, values[at]);
    }
    return heap;
  }
}

/** The largest double below 2^63: what Prometheus still takes for an int64. */
const int64Limit = 2 ** 63 - 1024;

/** Whether any step selects anything; throws for counts that are none. */
function checkCounts(k: Float64Array): boolean {
  const max = k.reduce((a, b) => Math.max(a, b), -Number.MAX_VALUE);
  const min = k.reduce((a, b) => Math.min(a, b), Number.MAX_VALUE);
  if (max < 1) return false;
  if (Number.isNaN(max)) throw new QueryError("execution", "Parameter value is NaN");
  if (min <= -(2 ** 63)) {
    throw new QueryError("execution", `Scalar value ${formatGeneral(min)} underflows int64`);
  }
  if (max >= int64Limit) {
    throw new QueryError("execution", `Scalar value ${formatGeneral(max)} overflows int64`);
  }
  return true;
}

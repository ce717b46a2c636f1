/** `quantile(q, v)`: at every step over all values of a group, which must all be there. */
import { type Grouping, membersOf } from "../aggregations/groups.ts";
import { annotationTexts } from "../annotations.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import { quantileOf } from "../quantile.ts";
import type { QueryRun } from "../query-run.ts";
import { groupsAreNameless } from "./aggregate.ts";
import { collect } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";
import type { PlacedScalar } from "./range-call.ts";

export class QuantileAggregateNode implements VectorNode {
  readonly #q: PlacedScalar;
  readonly #grouping: Grouping;
  readonly #operand: VectorNode;

  constructor(q: PlacedScalar, grouping: Grouping, operand: VectorNode) {
    this.#q = q;
    this.#grouping = grouping;
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return groupsAreNameless(this.#grouping, run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const q = this.#q.node.evaluate(run, grid);
    const { block } = collect(run, grid, this.#operand);
    this.#complain(run, q);
    const { labels, members } = membersOf(block.labels, this.#grouping);
    const column = new Column(grid.steps);
    const scratch = new Float64Array(block.rows);
    let samples = 0;
    for (let group = 0; group < labels.length; group++) {
      column.clear();
      for (let k = 0; k < grid.steps; k++) {
        run.check();
        let n = 0;
        for (const row of members[group]) {
          const at = row * grid.steps + k;
          if (block.present[at] === 1) scratch[n++] = block.values[at];
        }
        if (n === 0) continue;
        column.values[k] = quantileOf(q[k], scratch, n);
        column.present[k] = 1;
        column.count++;
      }
      samples += column.count;
      emit(labels[group], column);
    }
    block.free();
    run.samples.held = before;
    run.samples.hold(samples);
  }

  /** The extremes stand for all values of the parameter. */
  #complain(run: QueryRun, q: Float64Array): void {
    const warn = (value: number) =>
      run.annotations.warn(annotationTexts.invalidQuantile(value), this.#q.position);
    const max = q.reduce((a, b) => Math.max(a, b), -Number.MAX_VALUE);
    const min = q.reduce((a, b) => Math.min(a, b), Number.MAX_VALUE);
    if (Number.isNaN(max)) warn(Number.NaN);
    if (max > 1) warn(max);
    if (min < 0) warn(min);
  }
}

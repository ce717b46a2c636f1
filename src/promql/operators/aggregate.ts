/** `sum by (job) (v)` and the other aggregations that need to see each series only once. */
import type { MakeAccumulator } from "../aggregations/accumulator.ts";
import { AvgAccumulator } from "../aggregations/avg.ts";
import { CountAccumulator } from "../aggregations/count.ts";
import { ExtremumAccumulator } from "../aggregations/extremum.ts";
import { type Grouping, Groups } from "../aggregations/groups.ts";
import { SumAccumulator } from "../aggregations/sum.ts";
import { VarianceAccumulator } from "../aggregations/variance.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import { isMetadataLabel } from "../metadata-labels.ts";
import type { QueryRun } from "../query-run.ts";
import type { Emit, VectorNode } from "./node.ts";

export const accumulators: Readonly<Record<string, MakeAccumulator>> = {
  avg: (run, steps) => new AvgAccumulator(run, steps),
  count: (run, steps) => new CountAccumulator(run, steps, false),
  group: (run, steps) => new CountAccumulator(run, steps, true),
  max: (run, steps) => new ExtremumAccumulator(run, steps, true),
  min: (run, steps) => new ExtremumAccumulator(run, steps, false),
  stddev: (run, steps) => new VarianceAccumulator(run, steps, true),
  stdvar: (run, steps) => new VarianceAccumulator(run, steps, false),
  sum: (run, steps) => new SumAccumulator(run, steps),
};

export class AggregateNode implements VectorNode {
  readonly #make: MakeAccumulator;
  readonly #grouping: Grouping;
  readonly #operand: VectorNode;

  constructor(make: MakeAccumulator, grouping: Grouping, operand: VectorNode) {
    this.#make = make;
    this.#grouping = grouping;
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return groupsAreNameless(this.#grouping, run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const groups = new Groups(this.#grouping);
    const accumulator = this.#make(run, grid.steps);
    this.#operand.evaluate(run, grid, (labels, column) => accumulator.add(groups.of(labels), column));
    const column = new Column(grid.steps);
    let samples = 0;
    for (let group = 0; group < groups.count; group++) {
      accumulator.finish(group, column);
      samples += column.count;
      emit(groups.labels[group], column);
    }
    accumulator.free();
    run.samples.held = before;
    run.samples.hold(samples);
  }
}

/** Whether the labels of groups hold no name, type or unit that could be dropped. */
export function groupsAreNameless({ names, without }: Grouping, run: QueryRun): boolean {
  return without ? !run.typeLabels : !names.some(isMetadataLabel);
}

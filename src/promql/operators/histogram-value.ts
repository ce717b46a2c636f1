/** `histogram_count(v)` and its kind: a number that every native histogram has in it; floats are left out. */
import type { Histogram } from "../../model/histogram.ts";
import type { Grid } from "../grid.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { emitDistinct } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";

type ValueOf = (histogram: Histogram) => number;

export const histogramValues: Readonly<Record<string, ValueOf>> = {
  histogram_avg: ({ sum, count }) => sum / count,
  histogram_count: ({ count }) => count,
  histogram_sum: ({ sum }) => sum,
};

export class HistogramValueNode implements VectorNode {
  readonly #compute: ValueOf;
  readonly #operand: VectorNode;

  constructor(compute: ValueOf, operand: VectorNode) {
    this.#compute = compute;
    this.#operand = operand;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const input = new StepTally(grid.steps);
    const output = new StepTally(grid.steps);
    emitDistinct(run, grid, this.#operand.distinctWithoutName(run), emit, (pass) => {
      this.#operand.evaluate(run, grid, (labels, column) => {
        input.add(column);
        const { histograms, values, present } = column;
        column.histograms = undefined;
        column.count = 0;
        for (let k = 0; k < grid.steps; k++) {
          const histogram = present[k] === 1 ? histograms?.[k] : undefined;
          present[k] = histogram === undefined ? 0 : 1;
          if (histogram === undefined) continue;
          values[k] = this.#compute(histogram);
          column.count++;
        }
        if (column.count === 0) return;
        output.add(column);
        pass(dropMetadata(labels), column);
      });
    });
    settleSteps(run.samples, before, grid.steps, [input], output);
  }
}

/** `absent(v)` and `absent_over_time(v[5m])`: 1 where nothing is there, with the labels that the selector asks for. */
import { Labels, metricName } from "../../model/labels.ts";
import type { Matcher } from "../../model/matcher.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import type { Emit, VectorNode } from "./node.ts";

export class AbsentNode implements VectorNode {
  readonly #labels: Labels;
  readonly #operand: VectorNode;
  readonly #overTime: boolean;

  /** `operand` is the vector itself, or, if `overTime`, present_over_time of the range vector. */
  constructor(labels: Labels, operand: VectorNode, overTime: boolean) {
    this.#labels = labels;
    this.#operand = operand;
    this.#overTime = overTime;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const input = new StepTally(grid.steps);
    const output = new StepTally(grid.steps);
    const result = new Column(grid.steps);
    result.fill();
    result.values.fill(1);
    this.#operand.evaluate(run, grid, (_, column) => {
      input.add(column);
      for (let k = 0; k < grid.steps; k++) {
        if (column.present[k] === 0 || result.present[k] === 0) continue;
        result.present[k] = 0;
        result.count--;
      }
    });
    if (result.count > 0) {
      output.add(result);
      emit(this.#labels, result);
    }
    // Prometheus does not count what absent_over_time makes of its windows.
    if (!this.#overTime) settleSteps(run.samples, before, grid.steps, [input], output);
  }
}

/** What the matchers pin down to one value; a label that is mentioned twice counts as not pinned down. */
export function absentLabels(matchers: readonly Matcher[]): Labels {
  const values = new Map<string, string>();
  const mentioned = new Set<string>();
  for (const { name, type, value } of matchers) {
    if (name === metricName) continue;
    if (type === "=" && !mentioned.has(name)) {
      values.set(name, value);
      mentioned.add(name);
    } else {
      values.delete(name);
    }
  }
  return Labels.of(values);
}

/** `count_values("label", v)`: how many series of a group have each value, which becomes a label. */

import { formatFloat } from "../../model/format-float.ts";
import type { Labels } from "../../model/labels.ts";
import { LabelsBuilder } from "../../model/labels-builder.ts";
import { type Grouping, Groups } from "../aggregations/groups.ts";
import { Block } from "../block.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { groupsAreNameless } from "./aggregate.ts";
import { emitRows } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";

export class CountValuesNode implements VectorNode {
  readonly #label: string;
  readonly #grouping: Grouping;
  readonly #operand: VectorNode;

  constructor(label: string, grouping: Grouping, operand: VectorNode) {
    this.#label = label;
    this.#grouping = grouping.without ? grouping : { ...grouping, names: [...grouping.names, label] };
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return groupsAreNameless(this.#grouping, run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const input = new StepTally(grid.steps);
    const groups = new Groups(this.#grouping);
    const counts = new Block(run, grid.steps);
    this.#operand.evaluate(run, grid, (labels, column) => {
      input.add(column);
      /** The rows of the values that this series has; Maps do not tell -0 from 0. */
      const rows = new Map<number | "-0", number>();
      for (let k = 0; k < grid.steps; k++) {
        if (column.present[k] === 0) continue;
        const value = column.values[k];
        const key = Object.is(value, -0) ? "-0" : value;
        let row = rows.get(key);
        if (row === undefined) {
          row = groups.of(this.#withValue(labels, value));
          if (row === counts.rows) counts.addEmpty(groups.labels[row]);
          rows.set(key, row);
        }
        const at = row * grid.steps + k;
        counts.counts[row] += 1 - counts.present[at];
        counts.present[at] = 1;
        counts.values[at]++;
      }
    });
    const output = new StepTally(grid.steps);
    const column = new Column(grid.steps);
    for (let row = 0; row < counts.rows; row++) {
      counts.read(row, column);
      output.add(column);
    }
    emitRows(counts, emit);
    counts.free();
    settleSteps(run.samples, before, grid.steps, [input], output);
  }

  #withValue(labels: Labels, value: number): Labels {
    const builder = new LabelsBuilder(labels);
    builder.set(this.#label, formatFloat(value));
    return builder.labels();
  }
}

/** `label_replace(…)` and `label_join(…)`: change labels, leave the values alone. */
import type { Labels } from "../../model/labels.ts";
import { LabelsBuilder } from "../../model/labels-builder.ts";
import type { CapturingRegexp } from "../../model/regexp.ts";
import { expandTemplate } from "../../model/regexp-template.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { emitDistinct } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";

export type ChangeLabels = (labels: Labels) => Labels;

export class LabelFunctionNode implements VectorNode {
  readonly #change: ChangeLabels;
  readonly #operand: VectorNode;

  constructor(change: ChangeLabels, operand: VectorNode) {
    this.#change = change;
    this.#operand = operand;
  }

  distinctWithoutName(): boolean {
    return false;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    emitDistinct(run, grid, false, emit, (pass) => {
      this.#operand.evaluate(run, grid, (labels, column) => pass(this.#change(labels), column));
    });
  }
}

export function labelReplace(
  target: string,
  replacement: string,
  source: string,
  regexp: CapturingRegexp,
): ChangeLabels {
  return (labels) => {
    const match = regexp.exec(labels.get(source));
    return match === undefined ? labels : withLabel(labels, target, expandTemplate(replacement, match));
  };
}

export function labelJoin(target: string, separator: string, sources: readonly string[]): ChangeLabels {
  return (labels) => withLabel(labels, target, sources.map((source) => labels.get(source)).join(separator));
}

function withLabel(labels: Labels, name: string, value: string): Labels {
  const builder = new LabelsBuilder(labels);
  builder.set(name, value);
  return builder.labels();
}

/** `and`, `unless`, `or`: which elements stay depends on whether any series of the other side matches, not on values. */

import type { Column } from "../column.ts";
import { countPresent } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { SetOp, VectorMatching } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { Merger } from "./collect.ts";
import { evaluateEarly } from "./early.ts";
import { Matching } from "./matching.ts";
import type { Emit, VectorNode } from "./node.ts";

export class SetOperatorNode implements VectorNode {
  readonly #op: SetOp;
  readonly #left: VectorNode;
  readonly #right: VectorNode;
  readonly #matching: Matching;

  constructor(op: SetOp, left: VectorNode, right: VectorNode, matching: VectorMatching) {
    this.#op = op;
    this.#left = left;
    this.#right = right;
    this.#matching = new Matching(matching);
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#op !== "or" && this.#left.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const inputs = [new StepTally(grid.steps), new StepTally(grid.steps)];
    const output = new StepTally(grid.steps);
    const pass: Emit = (labels, column) => {
      output.add(column);
      emit(labels, column);
    };
    if (this.#op === "or") this.#union(run, grid, inputs, pass);
    else this.#filter(run, grid, inputs, pass);
    settleSteps(run.samples, before, grid.steps, inputs, output);
  }

  /** The left side, where something (`and`) or nothing (`unless`) of the right side matches. */
  #filter(run: QueryRun, grid: Grid, inputs: readonly StepTally[], emit: Emit): void {
    const wanted = this.#op === "and" ? 1 : 0;
    const matches = new Presence(grid.steps);
    const right = () =>
      this.#right.evaluate(run, grid, (labels, column) => {
        inputs[1].add(column);
        matches.add(this.#matching.signature(labels), column);
      });
    const rightsTurn = evaluateEarly(run, right, () => this.#left.evaluate(run, grid, () => {}));
    this.#left.evaluate(run, grid, (labels, column) => {
      inputs[0].add(column);
      matches.mask(this.#matching.signature(labels), column, wanted);
      if (column.count > 0) emit(labels, column);
    });
    rightsTurn();
  }

  /** The left side, and of the right side what matches nothing there. */
  #union(run: QueryRun, grid: Grid, inputs: readonly StepTally[], emit: Emit): void {
    const matches = new Presence(grid.steps);
    const merger = new Merger(run, grid);
    this.#left.evaluate(run, grid, (labels, column) => {
      inputs[0].add(column);
      matches.add(this.#matching.signature(labels), column);
      merger.add(labels, column);
    });
    this.#right.evaluate(run, grid, (labels, column) => {
      inputs[1].add(column);
      matches.mask(this.#matching.signature(labels), column, 0);
      if (column.count > 0) merger.add(labels, column);
    });
    merger.flush(emit);
  }
}

/** At which steps any series with a signature has a value. */
class Presence {
  readonly #bySignature = new Map<string, Uint8Array>();
  readonly #none: Uint8Array;

  constructor(steps: number) {
    this.#none = new Uint8Array(steps);
  }

  add(signature: string, { present }: Column): void {
    const known = this.#bySignature.get(signature);
    if (known === undefined) this.#bySignature.set(signature, present.slice());
    else for (let k = 0; k < present.length; k++) known[k] |= present[k];
  }

  /** Makes the steps absent whose presence here is not `wanted`. */
  mask(signature: string, column: Column, wanted: number): void {
    const seen = this.#bySignature.get(signature) ?? this.#none;
    const { present } = column;
    for (let k = 0; k < present.length; k++) if (seen[k] !== wanted) present[k] = 0;
    column.count = countPresent(present, 0, present.length);
  }
}

/** `vector op scalar` and `scalar op vector`. */
import { type Column, countPresent } from "../column.ts";
import { arithmetic, compare, isComparison } from "../functions/binary.ts";
import type { Grid } from "../grid.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { ArithmeticOp, ComparisonOp } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { emitDistinct } from "./collect.ts";
import { evaluateEarly } from "./early.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";
import { denseTally } from "./scalars.ts";

export interface VectorScalarOperands {
  readonly vector: VectorNode;
  readonly scalar: ScalarNode;
  /** The scalar stands on the left. */
  readonly scalarFirst: boolean;
}

const noScalars = new Float64Array(0);

export class VectorScalarNode implements VectorNode {
  readonly #op: ArithmeticOp | ComparisonOp;
  readonly #operands: VectorScalarOperands;
  readonly #returnBool: boolean;

  constructor(op: ArithmeticOp | ComparisonOp, operands: VectorScalarOperands, returnBool: boolean) {
    this.#op = op;
    this.#operands = operands;
    this.#returnBool = returnBool;
  }

  /** A comparison without bool filters the series as they are. */
  get #keepsName(): boolean {
    return isComparison(this.#op) && !this.#returnBool;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return !this.#keepsName || this.#operands.vector.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const { vector, scalar, scalarFirst } = this.#operands;
    const keepsName = this.#keepsName;
    const before = run.samples.held;
    let scalars: Float64Array = noScalars;
    const evaluateScalar = () => {
      scalars = scalar.evaluate(run, grid);
    };
    let scalarsTurn = () => {};
    if (scalarFirst) evaluateScalar();
    else scalarsTurn = evaluateEarly(run, evaluateScalar, () => vector.evaluate(run, grid, () => {}));
    const keep = new Uint8Array(grid.steps);
    const input = new StepTally(grid.steps);
    const output = new StepTally(grid.steps);
    emitDistinct(run, grid, keepsName || vector.distinctWithoutName(run), emit, (pass) => {
      vector.evaluate(run, grid, (labels, column) => {
        input.add(column);
        this.#apply(column, scalars, keep);
        if (column.count === 0) return;
        output.add(column);
        pass(keepsName ? labels : dropMetadata(labels), column);
      });
    });
    scalarsTurn();
    settleSteps(run.samples, before, grid.steps, [denseTally(grid, 1), input], output);
  }

  #apply(column: Column, scalars: Float64Array, keep: Uint8Array): void {
    const { values, present } = column;
    const { scalarFirst } = this.#operands;
    const left = scalarFirst ? scalars : values;
    const right = scalarFirst ? values : scalars;
    const steps = values.length;
    const op = this.#op;
    if (!isComparison(op)) {
      arithmetic(op, left, 0, right, 0, values, 0, steps);
    } else if (this.#returnBool) {
      keep.fill(1);
      compare(op, left, 0, right, 0, keep, 0, steps);
      values.set(keep);
    } else {
      compare(op, left, 0, right, 0, present, 0, steps);
      column.count = countPresent(present, 0, steps);
    }
  }
}

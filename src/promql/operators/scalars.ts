/** Expressions of type scalar. */

import { arithmetic, compare, isComparison } from "../functions/binary.ts";
import { type Grid, timeOf } from "../grid.ts";
import type { ArithmeticOp, ComparisonOp } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import type { ScalarNode, VectorNode } from "./node.ts";

export class NumberNode implements ScalarNode {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  evaluate(run: QueryRun, grid: Grid): Float64Array {
    run.samples.hold(grid.steps);
    return new Float64Array(grid.steps).fill(this.value);
  }
}

/** `time()`: every step's time, in seconds. */
export class TimeNode implements ScalarNode {
  evaluate(run: QueryRun, grid: Grid): Float64Array {
    run.samples.hold(grid.steps);
    return new Float64Array(grid.steps).map((_, k) => timeOf(grid, k) / 1000);
  }
}

/** `-scalar` */
export class NegatedScalarNode implements ScalarNode {
  readonly #operand: ScalarNode;

  constructor(operand: ScalarNode) {
    this.#operand = operand;
  }

  evaluate(run: QueryRun, grid: Grid): Float64Array {
    const values = this.#operand.evaluate(run, grid);
    for (let k = 0; k < values.length; k++) values[k] = -values[k];
    return values;
  }
}

/** `scalar op scalar`; comparisons give 0 or 1. */
export class ScalarBinaryNode implements ScalarNode {
  readonly #op: ArithmeticOp | ComparisonOp;
  readonly #left: ScalarNode;
  readonly #right: ScalarNode;

  constructor(op: ArithmeticOp | ComparisonOp, left: ScalarNode, right: ScalarNode) {
    this.#op = op;
    this.#left = left;
    this.#right = right;
  }

  evaluate(run: QueryRun, grid: Grid): Float64Array {
    const before = run.samples.held;
    const left = this.#left.evaluate(run, grid);
    const right = this.#right.evaluate(run, grid);
    if (isComparison(this.#op)) {
      const keep = new Uint8Array(grid.steps).fill(1);
      compare(this.#op, left, 0, right, 0, keep, 0, grid.steps);
      left.set(keep);
    } else {
      arithmetic(this.#op, left, 0, right, 0, left, 0, grid.steps);
    }
    settleSteps(run.samples, before, grid.steps, [denseTally(grid, 2)], denseTally(grid, 1));
    return left;
  }
}

/** `scalar(vector)`: the value of the only element, NaN where there is none or more than one. */
export class ScalarOfVectorNode implements ScalarNode {
  readonly #operand: VectorNode;

  constructor(operand: VectorNode) {
    this.#operand = operand;
  }

  evaluate(run: QueryRun, grid: Grid): Float64Array {
    const before = run.samples.held;
    const input = new StepTally(grid.steps);
    const result = new Float64Array(grid.steps).fill(Number.NaN);
    const seen = new Uint8Array(grid.steps);
    this.#operand.evaluate(run, grid, (_, column) => {
      input.add(column);
      const { values, present } = column;
      for (let k = 0; k < grid.steps; k++) {
        if (present[k] === 0) continue;
        result[k] = seen[k] === 0 ? values[k] : Number.NaN;
        seen[k] = 1;
      }
    });
    settleSteps(run.samples, before, grid.steps, [input], denseTally(grid, 1));
    return result;
  }
}

/** A scalar of the first step, at every step of the grid: its operand does not depend on the time. */
export class StepInvariantScalarNode implements ScalarNode {
  readonly #operand: ScalarNode;

  constructor(operand: ScalarNode) {
    this.#operand = operand;
  }

  evaluate(run: QueryRun, grid: Grid): Float64Array {
    const before = run.samples.queryable;
    const [value] = this.#operand.evaluate(run, { ...grid, steps: 1 });
    run.samples.repeatSince(before, grid.steps);
    run.samples.hold(grid.steps - 1);
    return new Float64Array(grid.steps).fill(value);
  }
}

export function denseTally(grid: Grid, count: number): StepTally {
  const tally = new StepTally(grid.steps);
  tally.addDense(count);
  return tally;
}

/** Operators that change every element of a vector by itself and let its series go on without a name. */

import type { Column } from "../column.ts";
import type { ColumnKernel } from "../functions/elementwise.ts";
import { type Grid, timeOf } from "../grid.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { emitDistinct } from "./collect.ts";
import { evaluateEarly } from "./early.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";
import { denseTally } from "./scalars.ts";

/** `abs(v)`, `clamp(v, 1, 2)`, `hour(v)` */
export class VectorCallNode implements VectorNode {
  readonly #kernel: ColumnKernel;
  readonly #operand: VectorNode;
  readonly #params: readonly ScalarNode[];

  constructor(kernel: ColumnKernel, operand: VectorNode, params: readonly ScalarNode[]) {
    this.#kernel = kernel;
    this.#operand = operand;
    this.#params = params;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    let params: Float64Array[] = [];
    const evaluateParams = () => {
      params = this.#params.map((param) => param.evaluate(run, grid));
    };
    const turn = evaluateEarly(run, evaluateParams, () => this.#operand.evaluate(run, grid, () => {}));
    const change = (column: Column) => this.#kernel(column, params);
    mapElements(run, grid, this.#operand, emit, change, { count: params.length, turn });
  }
}

/** `-v`. Prometheus does not count it as a step of its own. */
export class NegatedVectorNode implements VectorNode {
  readonly #operand: VectorNode;

  constructor(operand: VectorNode) {
    this.#operand = operand;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    emitDistinct(run, grid, this.#operand.distinctWithoutName(run), emit, (pass) => {
      this.#operand.evaluate(run, grid, (labels, column) => {
        const { values } = column;
        for (let k = 0; k < values.length; k++) values[k] = -values[k];
        pass(dropMetadata(labels), column);
      });
    });
  }
}

/** `timestamp(v)` of what is not a plain selector: the elements have the time of the step. */
export class StepTimeNode implements VectorNode {
  readonly #operand: VectorNode;

  constructor(operand: VectorNode) {
    this.#operand = operand;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    mapElements(run, grid, this.#operand, emit, (column) => {
      const { values } = column;
      column.histograms = undefined;
      for (let k = 0; k < values.length; k++) values[k] = timeOf(grid, k) / 1000;
    });
  }
}

/** `timestamp(selector)`: the selector emits its samples' own times; what is left to do is to drop the name. */
export class SampleTimeNode implements VectorNode {
  readonly #selector: VectorNode;

  constructor(selector: VectorNode) {
    this.#selector = selector;
  }

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const output = new StepTally(grid.steps);
    emitDistinct(run, grid, this.#selector.distinctWithoutName(run), emit, (pass) => {
      this.#selector.evaluate(run, grid, (labels, column) => {
        output.add(column);
        pass(dropMetadata(labels), column);
      });
    });
    // Prometheus looks the samples up step by step here, without holding them all first.
    run.samples.held = before;
    settleSteps(run.samples, before, grid.steps, [output], output);
  }
}

/** Scalar arguments that were evaluated before their turn (early.ts). */
interface EarlyParams {
  readonly count: number;
  readonly turn: () => void;
}

/** Evaluates `operand`, changes its columns by `change`, drops the names. */
function mapElements(
  run: QueryRun,
  grid: Grid,
  operand: VectorNode,
  emit: Emit,
  change: (column: Column) => void,
  params: EarlyParams = { count: 0, turn() {} },
): void {
  const before = run.samples.held;
  const input = denseTally(grid, params.count);
  const output = new StepTally(grid.steps);
  emitDistinct(run, grid, operand.distinctWithoutName(run), emit, (pass) => {
    operand.evaluate(run, grid, (labels, column) => {
      input.add(column);
      change(column);
      if (column.count === 0) return;
      output.add(column);
      pass(dropMetadata(labels), column);
    });
  });
  params.turn();
  settleSteps(run.samples, before, grid.steps, [input], output);
}

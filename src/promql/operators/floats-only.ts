/**
 * In front of operators that take floats: leaves native histograms out, where Prometheus does, or refuses the query, where
 * Prometheus would compute with them and this engine cannot yet.
 */
import { QueryError } from "../../base/errors.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import type { Emit, VectorNode } from "./node.ts";

export class FloatsOnlyNode implements VectorNode {
  readonly #operand: VectorNode;
  readonly #onHistogram: (run: QueryRun) => void;

  /** `onHistogram` is called for every series with histograms. */
  constructor(operand: VectorNode, onHistogram: (run: QueryRun) => void = () => {}) {
    this.#operand = operand;
    this.#onHistogram = onHistogram;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#operand.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    this.#operand.evaluate(run, grid, (labels, column) => {
      if (column.histograms !== undefined) {
        const before = column.count;
        column.dropHistograms();
        if (column.count < before) this.#onHistogram(run);
        if (column.count === 0) return;
      }
      emit(labels, column);
    });
  }
}

/** A node whose series must not have histograms: `what` cannot compute with them yet. */
export function refuseHistograms(operand: VectorNode, what: string): VectorNode {
  return new FloatsOnlyNode(operand, () => {
    throw notOnHistograms(what);
  });
}

export function notOnHistograms(what: string): QueryError {
  return new QueryError(
    "execution",
    `${what} on native histograms is not supported yet; leave their series out of the query`,
  );
}

/** Receivers that hold on to series: all of them, or one row per label set. */
import type { Labels } from "../../model/labels.ts";
import { Block } from "../block.ts";
import { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import { type QueryRun, sameLabelset } from "../query-run.ts";
import { StepTally } from "../samples.ts";
import type { Emit, VectorNode } from "./node.ts";

/** All series of a node, and how many samples they have per step. The caller frees the block. */
export function collect(run: QueryRun, grid: Grid, node: VectorNode): { block: Block; tally: StepTally } {
  const block = new Block(run, grid.steps);
  const tally = new StepTally(grid.steps);
  node.evaluate(run, grid, (labels, column) => {
    block.add(labels, column);
    tally.add(column);
  });
  return { block, tally };
}

/** Emits the rows of a block that have values, in their order. */
export function emitRows(block: Block, emit: Emit): void {
  const column = new Column(block.steps);
  for (let row = 0; row < block.rows; row++) {
    if (block.counts[row] === 0) continue;
    block.read(row, column);
    emit(block.labels[row], column);
  }
}

/**
 * Series whose label sets may have become equal, because labels were dropped or changed: they are merged where they
 * have values at different steps; two values at one step are an error.
 */
export class Merger {
  readonly #block: Block;
  readonly #rows = new Map<string, number>();

  constructor(run: QueryRun, grid: Grid) {
    this.#block = new Block(run, grid.steps);
  }

  add(labels: Labels, column: Column): void {
    const row = this.#rows.get(labels.key);
    if (row === undefined) this.#rows.set(labels.key, this.#block.add(labels, column));
    else if (!this.#block.merge(row, column)) throw sameLabelset();
  }

  flush(emit: Emit): void {
    emitRows(this.#block, emit);
    this.#block.free();
  }
}

/**
 * Runs `produce` with a receiver that passes on to `emit`: directly where the label sets are known to be distinct,
 * merged where they may not be.
 */
export function emitDistinct(
  run: QueryRun,
  grid: Grid,
  distinct: boolean,
  emit: Emit,
  produce: (emit: Emit) => void,
): void {
  if (distinct) return produce(emit);
  const merger = new Merger(run, grid);
  produce((labels, column) => merger.add(labels, column));
  merger.flush(emit);
}

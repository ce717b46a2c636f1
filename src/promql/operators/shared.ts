/**
 * A vector that occurs more than once in a query: evaluated once, kept, and emitted again, unless it is so large that
 * evaluating it again is the lesser evil.
 */
import { Block } from "../block.ts";
import { columnBytes } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { emitRows } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";

/** What is larger is not kept. */
const keptBytesMax = 32 * 2 ** 20;

/** What a run remembers of a shared node. */
export interface SharedResult {
  readonly grid: Grid;
  readonly block: Block;
  /** What the evaluation changed in the run's sample counts. */
  readonly held: number;
  readonly peak: number;
  readonly queryable: number;
  readonly read: number;
  /** How often it is still asked for. */
  usesLeft: number;
}

export class SharedNode implements VectorNode {
  /** How many parents it has. */
  uses = 0;
  readonly #operand: VectorNode;

  constructor(operand: VectorNode) {
    this.#operand = operand;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#operand.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    if (this.uses < 2) return this.#operand.evaluate(run, grid, emit);
    const known = run.shared.get(this);
    if (known !== undefined && isSame(known.grid, grid)) this.#repeat(run, known, emit);
    else this.#record(run, grid, emit);
  }

  #record(run: QueryRun, grid: Grid, emit: Emit): void {
    const { held, queryable, read } = run.samples;
    const rowsMax = keptBytesMax / columnBytes(grid.steps);
    let block: Block | undefined = new Block(run, grid.steps);
    const { samples } = run;
    const peak = samples.peakOf(() =>
      this.#operand.evaluate(run, grid, (labels, column) => {
        if (block !== undefined && block.rows >= rowsMax) {
          block.free();
          block = undefined;
        }
        block?.add(labels, column);
        emit(labels, column);
      }),
    );
    if (block === undefined) return;
    run.shared.set(this, {
      grid,
      block,
      held: samples.held - held,
      peak,
      queryable: samples.queryable - queryable,
      read: samples.read - read,
      usesLeft: this.uses - 1,
    });
  }

  #repeat(run: QueryRun, known: SharedResult, emit: Emit): void {
    run.check();
    emitRows(known.block, emit);
    run.samples.touch(known.peak);
    run.samples.hold(known.held);
    run.samples.count(known.queryable, known.read);
    if (--known.usesLeft > 0) return;
    known.block.free();
    run.shared.delete(this);
  }
}

function isSame(a: Grid, b: Grid): boolean {
  return a.startMs === b.startMs && a.stepMs === b.stepMs && a.steps === b.steps;
}

/** A growing table of numbers, one row per group and one column per step; new cells are 0. */
import type { QueryRun } from "../query-run.ts";

export class Rows {
  data: Float64Array;
  readonly steps: number;
  readonly #run: QueryRun;

  constructor(run: QueryRun, steps: number) {
    this.#run = run;
    this.steps = steps;
    run.chargeBytes(steps * 8);
    this.data = new Float64Array(steps);
  }

  /** The index of the row's first cell, after making room for it. */
  start(row: number): number {
    const start = row * this.steps;
    if (start + this.steps > this.data.length) this.#grow(start + this.steps);
    return start;
  }

  free(): void {
    this.#run.releaseBytes(this.data.byteLength);
  }

  #grow(needed: number): void {
    const length = Math.max(needed, this.data.length * 2);
    this.#run.chargeBytes((length - this.data.length) * 8);
    const bigger = new Float64Array(length);
    bigger.set(this.data);
    this.data = bigger;
  }
}

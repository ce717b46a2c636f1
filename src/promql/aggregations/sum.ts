/** sum: compensated, in the order of the series. */
import type { Column } from "../column.ts";
import type { QueryRun } from "../query-run.ts";
import type { Accumulator } from "./accumulator.ts";
import { Rows } from "./rows.ts";

export class SumAccumulator implements Accumulator {
  readonly #sums: Rows;
  readonly #compensations: Rows;
  /** 1 where the group has a value. */
  readonly #seen: Rows;

  constructor(run: QueryRun, steps: number) {
    this.#sums = new Rows(run, steps);
    this.#compensations = new Rows(run, steps);
    this.#seen = new Rows(run, steps);
  }

  add(group: number, column: Column): void {
    const start = this.#sums.start(group);
    this.#compensations.start(group);
    this.#seen.start(group);
    addColumn(column, this.#sums.data, this.#compensations.data, this.#seen.data, start);
  }

  finish(group: number, out: Column): void {
    const { values, present } = out;
    const start = this.#sums.start(group);
    const sums = this.#sums.data;
    const compensations = this.#compensations.data;
    const seen = this.#seen.data;
    let count = 0;
    for (let k = 0; k < values.length; k++) {
      present[k] = seen[start + k];
      count += present[k];
      values[k] = sums[start + k] + compensations[start + k];
    }
    out.count = count;
  }

  free(): void {
    this.#sums.free();
    this.#compensations.free();
    this.#seen.free();
  }
}

/** Kahan-Neumaier (kahan.ts), a row of sums at a time. */
function addColumn(
  { values, present }: Column,
  sums: Float64Array,
  compensations: Float64Array,
  seen: Float64Array,
  start: number,
): void {
  for (let k = 0; k < values.length; k++) {
    if (present[k] === 0) continue;
    const at = start + k;
    const value = values[k];
    if (seen[at] === 0) {
      seen[at] = 1;
      sums[at] = value;
      continue;
    }
    const sum = sums[at];
    const next = sum + value;
    if (next > Number.MAX_VALUE || next < -Number.MAX_VALUE) compensations[at] = 0;
    else if (Math.abs(sum) >= Math.abs(value)) compensations[at] += sum - next + value;
    else compensations[at] += value - next + sum;
    sums[at] = next;
  }
}

/** avg: the compensated sum by the count; once the sum overflows, the running mean from there on. */
import type { Column } from "../column.ts";
import { KahanSum } from "../kahan.ts";
import type { QueryRun } from "../query-run.ts";
import type { Accumulator } from "./accumulator.ts";
import { Rows } from "./rows.ts";

export class AvgAccumulator implements Accumulator {
  /** The sum; in cells that overflowed the mean. */
  readonly #sums: Rows;
  readonly #compensations: Rows;
  readonly #counts: Rows;
  /** 1 where the sum overflowed. */
  readonly #overflowed: Rows;

  constructor(run: QueryRun, steps: number) {
    this.#sums = new Rows(run, steps);
    this.#compensations = new Rows(run, steps);
    this.#counts = new Rows(run, steps);
    this.#overflowed = new Rows(run, steps);
  }

  add(group: number, { values, present }: Column): void {
    const start = this.#sums.start(group);
    for (const rows of [this.#compensations, this.#counts, this.#overflowed]) rows.start(group);
    const sums = this.#sums.data;
    const compensations = this.#compensations.data;
    const counts = this.#counts.data;
    const overflowed = this.#overflowed.data;
    for (let k = 0; k < values.length; k++) {
      if (present[k] === 0) continue;
      const at = start + k;
      const value = values[k];
      const count = ++counts[at];
      if (count === 1) {
        sums[at] = value;
        continue;
      }
      if (overflowed[at] === 0) {
        const sum = sums[at];
        const next = sum + value;
        if (Math.abs(next) !== Number.POSITIVE_INFINITY) {
          if (Math.abs(sum) >= Math.abs(value)) compensations[at] += sum - next + value;
          else compensations[at] += value - next + sum;
          sums[at] = next;
          continue;
        }
        overflowed[at] = 1;
        sums[at] = sum / (count - 1);
        compensations[at] /= count - 1;
      }
      const share = (count - 1) / count;
      const mean = new KahanSum(share * sums[at], share * compensations[at]);
      mean.add(value / count);
      sums[at] = mean.sum;
      compensations[at] = mean.compensation;
    }
  }

  finish(group: number, out: Column): void {
    const { values, present } = out;
    const start = this.#sums.start(group);
    out.count = 0;
    for (let k = 0; k < values.length; k++) {
      const at = start + k;
      const count = this.#counts.data[at];
      present[k] = count > 0 ? 1 : 0;
      out.count += present[k];
      const sum = this.#sums.data[at];
      const compensation = this.#compensations.data[at];
      values[k] = this.#overflowed.data[at] === 1 ? sum + compensation : sum / count + compensation / count;
    }
  }

  free(): void {
    for (const rows of [this.#sums, this.#compensations, this.#counts, this.#overflowed]) rows.free();
  }
}

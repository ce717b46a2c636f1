/** stdvar and stddev: Welford's method, not compensated. A first value that is not finite makes it NaN. */
import type { Column } from "../column.ts";
import type { QueryRun } from "../query-run.ts";
import type { Accumulator } from "./accumulator.ts";
import { setPresence } from "./extremum.ts";
import { Rows } from "./rows.ts";

export class VarianceAccumulator implements Accumulator {
  readonly #counts: Rows;
  readonly #means: Rows;
  /** The sum of the squared distances from the mean. */
  readonly #squares: Rows;
  readonly #deviation: boolean;

  constructor(run: QueryRun, steps: number, deviation: boolean) {
    this.#counts = new Rows(run, steps);
    this.#means = new Rows(run, steps);
    this.#squares = new Rows(run, steps);
    this.#deviation = deviation;
  }

  add(group: number, { values, present }: Column): void {
    const start = this.#counts.start(group);
    this.#means.start(group);
    this.#squares.start(group);
    const counts = this.#counts.data;
    const means = this.#means.data;
    const squares = this.#squares.data;
    for (let k = 0; k < values.length; k++) {
      if (present[k] === 0) continue;
      const at = start + k;
      const value = values[k];
      const count = ++counts[at];
      if (count === 1) {
        means[at] = value;
        squares[at] = Number.isFinite(value) ? 0 : Number.NaN;
        continue;
      }
      const distance = value - means[at];
      means[at] += distance / count;
      squares[at] += distance * (value - means[at]);
    }
  }

  finish(group: number, out: Column): void {
    const { values } = out;
    const start = this.#counts.start(group);
    setPresence(this.#counts.data, start, out);
    for (let k = 0; k < values.length; k++) {
      const variance = this.#squares.data[start + k] / this.#counts.data[start + k];
      values[k] = this.#deviation ? Math.sqrt(variance) : variance;
    }
  }

  free(): void {
    this.#counts.free();
    this.#means.free();
    this.#squares.free();
  }
}

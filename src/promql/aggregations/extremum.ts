/** min and max: of equal values the first, NaN only where there is nothing else. */
import type { Column } from "../column.ts";
import type { QueryRun } from "../query-run.ts";
import type { Accumulator } from "./accumulator.ts";
import { Rows } from "./rows.ts";

export class ExtremumAccumulator implements Accumulator {
  readonly #best: Rows;
  readonly #seen: Rows;
  readonly #max: boolean;

  constructor(run: QueryRun, steps: number, max: boolean) {
    this.#best = new Rows(run, steps);
    this.#seen = new Rows(run, steps);
    this.#max = max;
  }

  add(group: number, { values, present }: Column): void {
    const start = this.#best.start(group);
    this.#seen.start(group);
    const best = this.#best.data;
    const seen = this.#seen.data;
    const max = this.#max;
    for (let k = 0; k < values.length; k++) {
      if (present[k] === 0) continue;
      const at = start + k;
      const value = values[k];
      const known = best[at];
      const better = max ? known < value : known > value;
      if (better || seen[at] === 0 || Number.isNaN(known)) best[at] = value;
      seen[at] = 1;
    }
  }

  finish(group: number, out: Column): void {
    const start = this.#best.start(group);
    out.values.set(this.#best.data.subarray(start, start + out.steps));
    setPresence(this.#seen.data, start, out);
  }

  free(): void {
    this.#best.free();
    this.#seen.free();
  }
}

/** Present where the row of `seen` is not 0. */
export function setPresence(seen: Float64Array, start: number, out: Column): void {
  const { present } = out;
  let count = 0;
  for (let k = 0; k < present.length; k++) {
    present[k] = seen[start + k] === 0 ? 0 : 1;
    count += present[k];
  }
  out.count = count;
}

/** count and group: how many series have a value; 1 where any has. */
import type { Column } from "../column.ts";
import type { QueryRun } from "../query-run.ts";
import type { Accumulator } from "./accumulator.ts";
import { setPresence } from "./extremum.ts";
import { Rows } from "./rows.ts";

export class CountAccumulator implements Accumulator {
  readonly #counts: Rows;
  readonly #group: boolean;

  constructor(run: QueryRun, steps: number, group: boolean) {
    this.#counts = new Rows(run, steps);
    this.#group = group;
  }

  add(group: number, { present }: Column): void {
    const start = this.#counts.start(group);
    const counts = this.#counts.data;
    for (let k = 0; k < present.length; k++) counts[start + k] += present[k];
  }

  finish(group: number, out: Column): void {
    const start = this.#counts.start(group);
    setPresence(this.#counts.data, start, out);
    if (this.#group) out.values.fill(1);
    else out.values.set(this.#counts.data.subarray(start, start + out.steps));
  }

  free(): void {
    this.#counts.free();
  }
}

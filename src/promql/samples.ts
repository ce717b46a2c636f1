/**
 * Counts samples as Prometheus's engine counts them, which evaluates an expression completely before the one around
 * it. This engine passes series on one by one and holds fewer; but the limit and the statistics mean the same to the
 * user in both. So every operator states what Prometheus would hold: before (`held`), meanwhile, and after it.
 *
 * The rule that makes this work although evaluation is interleaved: only `evaluate` frames move `held`, never the
 * functions to which they emit.
 */
import { QueryError } from "../base/errors.ts";
import type { Column } from "./column.ts";
import type { SampleStats } from "./stats.ts";

export class SampleCounter {
  readonly #max: number;
  /** Samples in memory now. */
  held = 0;
  #peak = 0;
  #queryable = 0;
  #read = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** `count` more samples are held; throws when that is too many. */
  hold(count: number): void {
    this.held += count;
    this.touch(0);
  }

  /** For a moment `extra` samples are held besides. */
  touch(extra: number): void {
    const now = this.held + extra;
    if (now > this.#peak) this.#peak = now;
    if (now > this.#max) {
      throw new QueryError(
        "execution",
        "query processing would load too many samples into memory in query execution",
      );
    }
  }

  /** The most that `evaluate` holds at once, above what is held already. */
  peakOf(evaluate: () => void): number {
    const { held } = this;
    const peakBefore = this.#peak;
    this.#peak = held;
    evaluate();
    const peak = this.#peak;
    this.#peak = Math.max(peak, peakBefore);
    return peak - held;
  }

  /** Samples that a step looked at, and those of them that came from the storage. */
  count(queryable: number, read: number): void {
    this.#queryable += queryable;
    this.#read += read;
  }

  /** What a part of the query that is evaluated once would have counted at each of `steps` steps. */
  repeatSince(queryableBefore: number, steps: number): void {
    this.#queryable += (this.#queryable - queryableBefore) * (steps - 1);
  }

  get queryable(): number {
    return this.#queryable;
  }

  get read(): number {
    return this.#read;
  }

  /** For a subquery: its own samples do not count, the surrounding function counts the results as it uses them. */
  resetQueryable(value: number): void {
    this.#queryable = value;
  }

  stats(): SampleStats {
    return { totalQueryableSamples: this.#queryable, samplesRead: this.#read, peakSamples: this.#peak };
  }
}

/** How many samples a vector has at every step. */
export class StepTally {
  readonly #steps: number;
  #total = 0;
  /** Series with a sample at every step. */
  #dense = 0;
  /** Of the others. */
  #sparse: Uint32Array | undefined;

  constructor(steps: number) {
    this.#steps = steps;
  }

  get total(): number {
    return this.#total;
  }

  add(column: Column): void {
    this.#total += column.count;
    if (column.dense) {
      this.#dense++;
      return;
    }
    this.#sparse ??= new Uint32Array(this.#steps);
    const { present } = column;
    const sparse = this.#sparse;
    for (let k = 0; k < sparse.length; k++) sparse[k] += present[k];
  }

  /** The same for `count` scalars. */
  addDense(count: number): void {
    this.#total += count * this.#steps;
    this.#dense += count;
  }

  at(step: number): number {
    return this.#dense + (this.#sparse === undefined ? 0 : this.#sparse[step]);
  }
}

/**
 * The end of an operator that works step by step over vectors which are completely there: at every step it gathers the
 * step's input and adds its output; afterwards only the output is left. `before` is what was held before the operands.
 */
export function settleSteps(
  counter: SampleCounter,
  before: number,
  steps: number,
  inputs: readonly StepTally[],
  output: StepTally,
): void {
  let produced = 0;
  for (let k = 0; k < steps; k++) {
    const out = output.at(k);
    let gathered = 0;
    for (const input of inputs) gathered += input.at(k);
    counter.touch(produced + gathered + out);
    produced += out;
  }
  counter.held = before;
  counter.hold(output.total);
}

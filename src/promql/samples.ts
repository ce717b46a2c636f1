/**
 * Counts samples as Prometheus's engine counts them, which evaluates an expression completely before the one around
 * it. This engine passes series on one by one and holds fewer; but the limit and the statistics mean the same to the
 * user in both. So every operator states what Prometheus would hold: before (`held`), meanwhile, and after it.
 *
 * The rule that makes this work although evaluation is interleaved: only `evaluate` frames move `held`, never the
 * functions to which they emit.
 */
import { QueryError } from "../base/errors.ts";
import type { Histogram } from "../model/histogram.ts";
import type { Column, Histograms } from "./column.ts";
import type { SampleStats } from "./stats.ts";

/** What Prometheus says that a histogram takes, in bytes. */
function histogramBytes(histogram: Histogram): number {
  return histogram.sizeBytes;
}

/** What histograms take in memory, and the array with them. */
export function histogramsBytes(histograms: Histograms): number {
  let bytes = histograms.length * 8;
  for (const histogram of histograms) if (histogram !== undefined) bytes += histogramBytes(histogram);
  return bytes;
}

/** As how many samples a histogram counts where it is read or stands in a range vector. */
export function pointWeight(histogram: Histogram): number {
  return (histogramBytes(histogram) + 8) >> 4;
}

/** As how many samples a histogram counts as an element of an instant vector. */
function elementWeight(histogram: Histogram): number {
  return 1 + (histogramBytes(histogram) >> 4);
}

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
    if (column.histograms !== undefined) this.#addWeights(column, column.histograms);
    if (column.dense) {
      this.#dense++;
      return;
    }
    this.#sparse ??= new Uint32Array(this.#steps);
    const { present } = column;
    const sparse = this.#sparse;
    for (let k = 0; k < sparse.length; k++) sparse[k] += present[k];
  }

  /** What histograms count for beyond one. */
  #addWeights({ present }: Column, histograms: Histograms): void {
    this.#sparse ??= new Uint32Array(this.#steps);
    for (let k = 0; k < histograms.length; k++) {
      const histogram = histograms[k];
      if (histogram === undefined || present[k] === 0) continue;
      const extra = elementWeight(histogram) - 1;
      this.#total += extra;
      this.#sparse[k] += extra;
    }
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

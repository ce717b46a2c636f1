/**
 * The values of one series on the steps of a grid. NaN is an ordinary value, so which steps have one stands beside
 * them: `present[k]` is 1 or 0 and always up to date, `count` is how many ones there are (all, if it equals the number
 * of steps, which lets loops skip the test). `values[k]` of an absent step is anything.
 *
 * A step holds a native histogram where it is present and `histograms[k]` is one; `values[k]` is anything there.
 * Where all steps are floats, which is nearly always, there is no such array.
 */
import type { Histogram } from "../model/histogram.ts";

/** Histograms by step or sample; a shorter array has none at its end. */
export type Histograms = (Histogram | undefined)[];

export class Column {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  count = 0;
  histograms: Histograms | undefined = undefined;

  constructor(steps: number) {
    this.values = new Float64Array(steps);
    this.present = new Uint8Array(steps);
  }

  get steps(): number {
    return this.values.length;
  }

  get dense(): boolean {
    return this.count === this.values.length;
  }

  /** Makes every step absent. */
  clear(): void {
    this.present.fill(0);
    this.count = 0;
    this.histograms = undefined;
  }

  /** Makes every step present; the values are the caller's to write. */
  fill(): void {
    this.present.fill(1);
    this.count = this.values.length;
    this.histograms = undefined;
  }

  copy(from: Column): void {
    this.values.set(from.values);
    this.present.set(from.present);
    this.count = from.count;
    this.histograms = from.histograms?.slice();
  }

  /** Makes the steps with histograms absent. */
  dropHistograms(): void {
    const { histograms, present } = this;
    if (histograms === undefined) return;
    for (let k = 0; k < histograms.length; k++) if (histograms[k] !== undefined) present[k] = 0;
    this.count = countPresent(present, 0, present.length);
    this.histograms = undefined;
  }
}

/** What a column costs, for the budget. */
export function columnBytes(steps: number): number {
  return steps * 9;
}

/** Counts the ones of `present[start, end)`. */
export function countPresent(present: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) count += present[i];
  return count;
}

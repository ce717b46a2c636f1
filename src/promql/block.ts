/**
 * Series that must be there all at once: rows of equal length in one array, charged to the query. Row r has the labels
 * `labels[r]` and its values at `values[r * steps … (r + 1) * steps)`, present likewise (column.ts).
 */
import type { Labels } from "../model/labels.ts";
import type { Column, Histograms } from "./column.ts";
import { columnBytes } from "./column.ts";
import type { QueryRun } from "./query-run.ts";
import { histogramsBytes } from "./samples.ts";

export class Block {
  readonly steps: number;
  readonly labels: Labels[] = [];
  values: Float64Array;
  present: Uint8Array;
  /** How many values each row has. */
  readonly counts: number[] = [];
  /** The histograms of each row that has any. */
  readonly histograms = new Map<number, Histograms>();
  readonly #run: QueryRun;
  #capacity: number;
  #histogramBytes = 0;

  constructor(run: QueryRun, steps: number, capacity = 8) {
    this.#run = run;
    this.steps = steps;
    this.#capacity = capacity;
    run.chargeBytes(capacity * columnBytes(steps));
    this.values = new Float64Array(capacity * steps);
    this.present = new Uint8Array(capacity * steps);
  }

  get rows(): number {
    return this.labels.length;
  }

  /** Copies the column into a new row. */
  add(labels: Labels, column: Column): number {
    const row = this.addEmpty(labels);
    this.values.set(column.values, row * this.steps);
    this.present.set(column.present, row * this.steps);
    this.counts[row] = column.count;
    if (column.histograms !== undefined) this.#keep(row, column.histograms.slice());
    return row;
  }

  /** A new row without values. */
  addEmpty(labels: Labels): number {
    const row = this.labels.length;
    if (row === this.#capacity) this.#grow();
    this.labels.push(labels);
    this.counts.push(0);
    return row;
  }

  /** Copies a row into a column. */
  read(row: number, out: Column): void {
    const start = row * this.steps;
    out.values.set(this.values.subarray(start, start + this.steps));
    out.present.set(this.present.subarray(start, start + this.steps));
    out.count = this.counts[row];
    out.histograms = this.histograms.get(row)?.slice();
  }

  /** Adds the column's values to a row; false if both have one at the same step, and then the row is spoiled. */
  merge(row: number, column: Column): boolean {
    const { values, present, steps } = this;
    const start = row * steps;
    const known = this.histograms.get(row);
    const merged = known ?? (column.histograms === undefined ? undefined : []);
    for (let k = 0; k < steps; k++) {
      if (column.present[k] === 0) continue;
      if (present[start + k] === 1) return false;
      present[start + k] = 1;
      values[start + k] = column.values[k];
      if (merged !== undefined) merged[k] = column.histograms?.[k];
    }
    if (merged !== undefined && known === undefined) this.#keep(row, merged);
    this.counts[row] += column.count;
    return true;
  }

  /** Gives the memory back; the block is not used any more. */
  free(): void {
    this.#run.releaseBytes(this.#capacity * columnBytes(this.steps) + this.#histogramBytes);
    this.#histogramBytes = 0;
    this.histograms.clear();
    this.#capacity = 0;
    this.values = new Float64Array(0);
    this.present = new Uint8Array(0);
  }

  #keep(row: number, histograms: Histograms): void {
    const bytes = histogramsBytes(histograms);
    this.#run.chargeBytes(bytes);
    this.#histogramBytes += bytes;
    this.histograms.set(row, histograms);
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    this.#run.chargeBytes((capacity - this.#capacity) * columnBytes(this.steps));
    const values = new Float64Array(capacity * this.steps);
    const present = new Uint8Array(capacity * this.steps);
    values.set(this.values);
    present.set(this.present);
    this.values = values;
    this.present = present;
    this.#capacity = capacity;
  }
}

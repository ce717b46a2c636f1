/**
 * The values of one series on the steps of a grid. NaN is an ordinary value, so which steps have one stands beside
 * them: `present[k]` is 1 or 0 and always up to date, `count` is how many ones there are (all, if it equals the number
 * of steps, which lets loops skip the test). `values[k]` of an absent step is anything.
 */
export class Column {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  count = 0;

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
  }

  /** Makes every step present; the values are the caller's to write. */
  fill(): void {
    this.present.fill(1);
    this.count = this.values.length;
  }

  copy(from: Column): void {
    this.values.set(from.values);
    this.present.set(from.present);
    this.count = from.count;
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

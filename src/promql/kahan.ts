/**
 * Kahan's compensated summation with Neumaier's improvement, in exactly the order of operations that Prometheus uses.
 * Small enough that V8 inlines it and keeps its two numbers in registers.
 */
export class KahanSum {
  sum: number;
  /** What was lost so far; to be added to the sum at the end. */
  compensation: number;

  constructor(sum = 0, compensation = 0) {
    this.sum = sum;
    this.compensation = compensation;
  }

  add(value: number): void {
    const { sum } = this;
    const next = sum + value;
    if (next > Number.MAX_VALUE || next < -Number.MAX_VALUE) this.compensation = 0;
    else if (Math.abs(sum) >= Math.abs(value)) this.compensation += sum - next + value;
    else this.compensation += value - next + sum;
    this.sum = next;
  }
}

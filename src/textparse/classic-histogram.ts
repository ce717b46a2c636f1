/**
 * The series of a classic histogram (`_bucket`, `_count`, `_sum`), collected into a native histogram with custom buckets.
 * What contradicts itself gives none; the texts are Prometheus's.
 */
import { compacted } from "../model/compact-histogram.ts";
import { customBucketsSchema, Histogram } from "../model/histogram.ts";

/** Beyond this the counts are no integers that we keep: see model/histogram.ts. */
const integerMax = Number.MAX_SAFE_INTEGER;

export class ClassicHistogram {
  readonly #bounds: number[] = [];
  /** Cumulative. */
  readonly #counts: number[] = [];
  #count: number | undefined;
  readonly #sum = new Float64Array(1);
  /** Why there will be no histogram; "" so far. */
  problem = "";

  reset(): void {
    this.#bounds.length = 0;
    this.#counts.length = 0;
    this.#count = undefined;
    this.#sum[0] = 0;
    this.problem = "";
  }

  setCount(count: number): void {
    if (count < 0) this.#refuse(`count must be non-negative: count=${count}`);
    this.#count = count;
  }

  /** `values[0]`, bit by bit. */
  setSum(values: Float64Array): void {
    this.#sum.set(values.subarray(0, 1));
  }

  /** One bucket; they mostly come in order. The second of two with one bound is ignored. */
  setBucket(bound: number, count: number): void {
    if (Number.isNaN(bound)) return this.#refuse("NaN bucket boundary");
    if (count < 0) {
      return this.#refuse(`bucket count must be non-negative: le=${bound}, count=${count}`);
    }
    const bounds = this.#bounds;
    let at = bounds.length;
    while (at > 0 && bounds[at - 1] >= bound) at--;
    if (bounds[at] === bound) return;
    if (at > 0 && count < this.#counts[at - 1]) {
      return this.#refuse(`count is not cumulative: ${count} < ${this.#counts[at - 1]}`);
    }
    if (at < bounds.length && count > this.#counts[at]) {
      return this.#refuse(`count is not cumulative: ${count} > ${this.#counts[at]}`);
    }
    bounds.splice(at, 0, bound);
    this.#counts.splice(at, 0, count);
  }

  /** Undefined where there is a {@link problem}. */
  convert(): Histogram | undefined {
    if (this.problem !== "") return undefined;
    const bounds = this.#bounds;
    const counts = this.#counts;
    const count = this.#count ?? counts.at(-1) ?? 0;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) {
      bounds.push(Number.POSITIVE_INFINITY);
      counts.push(count);
    }
    if (count !== counts.at(-1)) {
      this.#refuse(`count mismatch: count=${count} != le=+Inf count=${counts.at(-1)}`);
      return undefined;
    }
    const isFloat = ![...counts, count].every((one) => Number.isInteger(one) && one <= integerMax);
    const buckets = Float64Array.from(counts, (one, i) => (i === 0 ? one : one - counts[i - 1]));
    const histogram = new Histogram({
      isFloat,
      schema: customBucketsSchema,
      count,
      sum: this.#sum[0],
      positiveSpans: [{ offset: 0, length: buckets.length }],
      positiveBuckets: buckets,
      customBounds: Float64Array.from(bounds.slice(0, -1)),
    });
    return compacted(histogram, isFloat ? 0 : 2);
  }

  #refuse(problem: string): void {
    if (this.problem === "") this.problem = problem;
  }
}

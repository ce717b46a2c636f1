// Histograms for tests: by bucket index, and as text that does not depend on empty buckets.
import { customBucketsSchema, Histogram, ResetHint } from "../../src/model/histogram.ts";
import { spansOf } from "../../src/model/spans.ts";

export interface Shape {
  readonly isFloat?: boolean;
  readonly gauge?: boolean;
  readonly schema?: number;
  /** Of custom buckets. */
  readonly bounds?: readonly number[];
}

/** Its positive buckets by index; the sum is 1.5 for each observation. */
export function histogram(buckets: Readonly<Record<number, number>>, shape: Shape = {}): Histogram {
  const indices = Object.keys(buckets)
    .map(Number)
    .sort((a, b) => a - b);
  const counts = indices.map((index) => buckets[index]);
  const count = counts.reduce((a, b) => a + b, 0);
  return new Histogram({
    isFloat: shape.isFloat ?? false,
    resetHint: shape.gauge ? ResetHint.gauge : ResetHint.unknown,
    schema: shape.bounds === undefined ? (shape.schema ?? 1) : customBucketsSchema,
    zeroThreshold: shape.bounds === undefined ? 1e-128 : 0,
    count,
    sum: count * 1.5,
    positiveSpans: spansOf(indices),
    positiveBuckets: Float64Array.from(counts),
    customBounds: shape.bounds === undefined ? undefined : Float64Array.from(shape.bounds),
  });
}

/** What a histogram says, whatever empty buckets it has. */
export function told(one: Histogram): string {
  if (one.isStale) return `stale ${one.isFloat}`;
  const buckets = [...one.allBuckets()].filter(({ count }) => count !== 0);
  const list = buckets.map(({ lower, upper, count }) => `${lower}-${upper}:${count}`);
  return `${one.isFloat} ${one.isGauge} ${one.schema} ${one.count} ${one.sum} ${list.join(" ")}`;
}

// Histograms for tests: by bucket index, and as text that does not depend on empty buckets.
import { customBucketsSchema, Histogram, ResetHint } from "../../src/model/histogram.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { spansOf } from "../../src/model/spans.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";
import type { HeadQuerier } from "../../src/tsdb/head/head-querier.ts";
import type { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { hints, noContext } from "./fixture.ts";

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

/** Of each series, by its label `a`, the samples: milliseconds since `t0` and value. */
export function dumpBoth(querier: HeadQuerier, t0: number): Record<string, string[]> {
  const shown: Record<string, string[]> = {};
  const everything = [new Matcher("=~", "a", ".*")];
  for (const series of querier.select(noContext, everything, -Infinity, Infinity, hints, true)) {
    const out = new SampleColumns(4);
    series.read(out, -Infinity, Infinity);
    const bits = new BigUint64Array(out.v.buffer);
    shown[series.labels.get("a")] = Array.from({ length: out.n }, (_, i) => {
      const one = out.histograms?.[i];
      return `${out.t[i] - t0}=${one === undefined ? bits[i].toString(16) : told(one)}`;
    });
  }
  return shown;
}

/** The same of a new querier. */
export function dumpBothNow(reader: HeadReader, t0: number): Record<string, string[]> {
  const querier = reader.querier(-Infinity, Infinity);
  try {
    return dumpBoth(querier, t0);
  } finally {
    querier.close();
  }
}

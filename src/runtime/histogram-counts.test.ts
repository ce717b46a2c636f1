import { expect, test } from "vitest";
import { exponentialBounds, HistogramCounts } from "./histogram-counts.ts";

test("an observation on a bound is within it, and buckets are cumulative", () => {
  const histogram = new HistogramCounts([1, 4]);
  for (const value of [0, 1, 1.5, 4, 4.5, 100]) histogram.observe(value);
  expect(histogram.stats("size")).toEqual({ sizeUpTo1: 2, sizeUpTo4: 4, sizeCount: 6, sizeSum: 111 });
});

test("what other threads observed is added", () => {
  const all = new HistogramCounts([1, 4]);
  all.observe(1);
  const other = new HistogramCounts([1, 4]);
  other.observe(3);
  other.observe(7);
  all.add(structuredClone(other.observed));
  all.add(structuredClone(other.observed));
  expect(all.stats("")).toEqual({ UpTo1: 1, UpTo4: 3, Count: 5, Sum: 21 });
});

test("the bounds of Prometheus's chunk histograms", () => {
  expect(exponentialBounds(4, 1.5, 4)).toEqual([4, 6, 9, 13.5]);
  expect(exponentialBounds(100, 4, 10).at(-1)).toBe(26214400);
});

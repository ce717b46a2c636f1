import { expect, test } from "vitest";
import { quantileOf } from "./quantile.ts";

test.each([
  [0.5, [], Number.NaN],
  [Number.NaN, [1], Number.NaN],
  [-0.1, [1], Number.NEGATIVE_INFINITY],
  [1.1, [1], Number.POSITIVE_INFINITY],
  [0.5, [3, 1, 2], 2],
  [0.5, [4, 3, 2, 1], 2.5],
  [0, [3, 1, 2], 1],
  [1, [3, 1, 2], 3],
  [0.75, [0, 100], 75],
  // NaN is the smallest
  [0, [1, Number.NaN], Number.NaN],
  [1, [1, Number.NaN], 1],
  [0.9, [Number.NaN, Number.NaN, 5, 7, 9], 8.2],
])("%d of %j", (q, values, want) => {
  expect(quantileOf(q, Float64Array.from([...values, 99]), values.length)).toBe(want);
});

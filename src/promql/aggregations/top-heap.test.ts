import fc from "fast-check";
import { expect, test } from "vitest";
import { TopHeap } from "./top-heap.ts";

function top(k: number, largest: boolean, values: readonly number[]): number[] {
  const heap = new TopHeap(k, largest);
  for (const [i, v] of values.entries()) heap.offer(i, v);
  return heap.sorted().map((item) => values[item]);
}

test("the k strongest values, in order, NaN last", () => {
  const value = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constant(Number.NaN), fc.double());
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), fc.nat(20), fc.boolean(), (values, k, largest) => {
      const numbers = values.filter((v) => !Number.isNaN(v)).sort((a, b) => (largest ? b - a : a - b));
      const want = [...numbers, ...values.filter(Number.isNaN)].slice(0, k);
      expect(top(k, largest, values).map((v) => v + 0)).toEqual(want.map((v) => v + 0));
    }),
  );
});

test.each([
  // Which of equal ones stay, as Go's heap has it.
  [2, [1, 1, 1, 1], [0, 1]],
  [3, [1, 2, 2, 2, 3], [4, 1, 2]],
  [2, [5, 5, 7, 5], [2, 1]],
])("of equal values: top %d of %j are the items %j", (k, values, want) => {
  const heap = new TopHeap(k, true);
  for (const [i, v] of values.entries()) heap.offer(i, v);
  expect(heap.sorted()).toEqual(want);
});

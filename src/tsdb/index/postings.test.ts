import fc from "fast-check";
import { expect, test } from "vitest";
import { intersect, intersects, union, without } from "./postings.ts";

const list = fc
  .oneof(
    fc.uniqueArray(fc.nat(40), { maxLength: 20 }),
    fc.uniqueArray(fc.nat(5000), { maxLength: 400 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 5 }),
  )
  .map((refs) => Uint32Array.from(refs).sort());

test("set operations equal those on sets", () => {
  fc.assert(
    fc.property(list, list, (a, b) => {
      const inB = new Set(b);
      expect([...intersect(a, b)]).toEqual([...a].filter((ref) => inB.has(ref)));
      expect([...without(a, b)]).toEqual([...a].filter((ref) => !inB.has(ref)));
      expect(intersects(a, b)).toBe([...a].some((ref) => inB.has(ref)));
    }),
    { numRuns: 500 },
  );
});

test("all pairs of small sets", () => {
  const subsets = Array.from({ length: 64 }, (_, bits) =>
    Uint32Array.from([0, 1, 2, 3, 4, 5].filter((ref) => bits & (1 << ref))),
  );
  for (const a of subsets) {
    for (const b of subsets) {
      expect([...intersect(a, b)]).toEqual([...a].filter((ref) => b.includes(ref)));
      expect([...without(a, b)]).toEqual([...a].filter((ref) => !b.includes(ref)));
      expect([...union([a, b])]).toEqual([...new Set([...a, ...b])].sort((x, y) => x - y));
    }
  }
});

test("unions of few, many, sparse and dense lists", () => {
  const many = fc.array(list, { maxLength: 30 });
  fc.assert(
    fc.property(many, (lists) => {
      const want = [...new Set(lists.flatMap((each) => [...each]))].sort((x, y) => x - y);
      expect([...union(lists)]).toEqual(want);
    }),
  );
  const dense = Array.from({ length: 10 }, (_, k) =>
    Uint32Array.from({ length: 1000 }, (_, i) => i * 10 + k),
  );
  expect([...union(dense)]).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
});

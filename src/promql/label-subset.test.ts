import fc from "fast-check";
import { expect, test } from "vitest";
import { Labels } from "../model/labels.ts";
import { LabelSubset } from "./label-subset.ts";

test("keys are equal exactly where the labels are", () => {
  // Characters that a separator might be confused with.
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\xff", "\0", "\uffff", "="), maxLength: 3 });
  const labels = fc
    .dictionary(fc.constantFrom("__name__", "a", "b", "c"), text)
    .map((from) => Labels.of(from));
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "d", "__name__"));
  fc.assert(
    fc.property(labels, labels, names, fc.boolean(), (x, y, named, others) => {
      const subset = new LabelSubset(named, others);
      expect(subset.key(x) === subset.key(y)).toBe(`${subset.of(x)}` === `${subset.of(y)}`);
      expect(x.key === y.key).toBe(`${x}` === `${y}`);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [["a", "b"], false, '{a="1"}'],
  [["a", "b"], true, '{c="3"}'],
  [[], false, "{}"],
  [[], true, '{a="1", c="3"}'],
  [["__name__"], false, '{__name__="m"}'],
])("of %j, others %j: %s", (names, others, want) => {
  const labels = Labels.of({ __name__: "m", a: "1", c: "3" });
  expect(`${new LabelSubset(names, others).of(labels)}`).toBe(want);
});

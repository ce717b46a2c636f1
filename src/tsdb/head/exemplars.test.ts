// The ring of exemplars, by Prometheus's rules.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { type Exemplar, Outcome } from "../../storage/appender.ts";
import { ExemplarRing } from "./exemplars.ts";

const series = (name: string) => Labels.of({ __name__: name });
const exemplar = (t: number, value = 1, id = "x", hasTimestamp = true): Exemplar => ({
  labels: Labels.of({ id }),
  value,
  t,
  hasTimestamp,
});
const every = [[new Matcher("=~", "__name__", ".+")]];

describe("after an exemplar at 10 with value 5 and id x", () => {
  test.each<[string, Exemplar, number]>([
    ["the same", exemplar(10, 5), Outcome.duplicate],
    ["the same without a timestamp of its own, at another time", exemplar(11, 5, "x", false), Outcome.ok],
    ["later", exemplar(11, 1), Outcome.ok],
    ["earlier", exemplar(9, 9), Outcome.outOfOrder],
    ["same time, higher value", exemplar(10, 6), Outcome.ok],
    ["same time, lower value", exemplar(10, 4), Outcome.outOfOrder],
    ["same time and value, other labels", exemplar(10, 5, "y"), Outcome.ok],
  ])("%s", (_, next, want) => {
    const ring = new ExemplarRing(5);
    expect(ring.add(series("a"), exemplar(10, 5))).toBe(Outcome.ok);
    expect(ring.judge(series("a"), next)).toBe(want);
    expect(ring.add(series("a"), next)).toBe(want);
    expect(ring.add(series("b"), exemplar(1))).toBe(Outcome.ok);
    expect(ring.outOfOrder).toBe(want === Outcome.outOfOrder ? 1 : 0);
  });
});

test.each([
  ["128 characters", "x".repeat(126), Outcome.ok],
  ["129 characters", "x".repeat(127), Outcome.outOfBounds],
  ["126 characters of two UTF-16 units", "\u{1F600}".repeat(126), Outcome.ok],
])("labels of %s", (_, id, want) => {
  expect(new ExemplarRing(5).add(series("a"), exemplar(1, 1, id))).toBe(want);
});

test("a ring without room takes none", () => {
  const ring = new ExemplarRing(0);
  expect(ring.add(series("a"), exemplar(1))).toBe(Outcome.outOfBounds);
  expect(ring.select(0, 10, every)).toEqual([]);
  expect([ring.count, ring.oldestTime]).toEqual([0, 0]);
});

test("it holds the last that arrived, whatever is added and however it is resized", () => {
  const step = fc.oneof(
    fc.record({ name: fc.constantFrom("a", "b", "c"), t: fc.nat(50), value: fc.nat(3) }),
    fc.record({ size: fc.nat(8) }),
  );
  fc.assert(
    fc.property(fc.nat(8), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const ring = new ExemplarRing(size);
      let model: { name: string; exemplar: Exemplar }[] = [];
      let limit = size;
      for (const one of steps) {
        if ("size" in one) {
          limit = one.size;
          ring.resize(limit);
        } else {
          const added = exemplar(one.t, one.value);
          if (ring.add(series(one.name), added) === Outcome.ok)
            model.push({ name: one.name, exemplar: added });
        }
        model = model.slice(Math.max(0, model.length - limit));
        expect(ring.count).toBe(model.length);
        expect(ring.seriesCount).toBe(new Set(model.map(({ name }) => name)).size);
        if (model.length > 0) expect(ring.oldestTime).toBe(model[0].exemplar.t);
        const want = ["a", "b", "c"]
          .map((name) => ({
            labels: series(name),
            exemplars: model.filter((entry) => entry.name === name).map((entry) => entry.exemplar),
          }))
          .map(({ labels, exemplars }) => ({
            labels,
            exemplars: exemplars.filter(({ t }) => t >= 10 && t <= 40),
          }))
          .filter(({ exemplars }) => exemplars.length > 0);
        expect(ring.select(10, 40, every)).toEqual(want);
      }
    }),
    { numRuns: 100 },
  );
});

test("selects by any of several sets of matchers", () => {
  const ring = new ExemplarRing(5);
  for (const name of ["a", "b", "c"]) ring.add(series(name), exemplar(1));
  const sets = [[new Matcher("=", "__name__", "c")], [new Matcher("=", "__name__", "a")]];
  expect(ring.select(0, 1, sets).map(({ labels }) => labels.get("__name__"))).toEqual(["a", "c"]);
  expect(ring.select(0, 1, [])).toEqual([]);
});

import { expect, test } from "vitest";
import { pagesKept, Urgency, urgencyScore } from "./urgency.ts";

test.each([
  ["nothing held", 0, 0, 10_000, 0],
  ["half of what new series may have", 4700, 5000, 10_000, 0.5],
  ["all of it", 9400, 9399, 10_000, 1],
  ["more than that, for known series", 9900, 9900, 10_000, 1],
  ["every page taken, little of it in use", 1000, 9400, 10_000, 1],
  ["one page less", 1000, 9399, 10_000, 1000 / 9400],
  ["a limit that was lowered below what is held", 5000, 5000, 100, 1],
  ["no room at all", 0, 0, 0, 1],
])("the score with %s", (_name, held, taken, pagesMax, want) => {
  expect(urgencyScore(held, taken, pagesMax)).toBeCloseTo(want, 10);
});

test("some pages are kept for known series, however small the arena", () => {
  expect([0, 50, 96, 200, 1600, 1601, 65_536].map(pagesKept)).toEqual([0, 50, 96, 96, 96, 97, 3933]);
});

test.each([
  { name: "up and down", scores: [0.5, 0.79, 0.8, 0.75, 0.7, 0.69, 0.79], rushed: "..###.." },
  { name: "straight to the end", scores: [0, 1, 0.7, 0.699], rushed: ".##." },
  { name: "between the two from below", scores: [0.7, 0.75, 0.7999], rushed: "..." },
])("rushed mode, $name", ({ scores, rushed }) => {
  const urgency = new Urgency();
  let was = false;
  const seen = scores.map((score) => {
    const changed = urgency.update(score);
    expect(changed).toBe(urgency.rushed !== was);
    was = urgency.rushed;
    return was ? "#" : ".";
  });
  expect(seen.join("")).toBe(rushed);
});

test.each([
  [0.8999, false, false],
  [0.9, true, false],
  [0.9999, true, false],
  [1, true, true],
])("at %d queries are refused: %s, new series: %s", (score, queries, series) => {
  const urgency = new Urgency();
  urgency.update(score);
  expect(urgency.refusesQueries).toBe(queries);
  expect(urgency.refusesNewSeries).toBe(series);
});

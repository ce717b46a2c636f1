import { expect, test } from "vitest";
import { culpritsText, RefusedSeries } from "./refused-series.ts";

test("counts by job and metric, largest first", () => {
  const refused = new RefusedSeries();
  for (const [job, metric] of [
    ["a", "m"],
    ["b", "m"],
    ["b", "m"],
    ["b", "n"],
    ["", ""],
  ])
    refused.add(job, metric);
  expect(refused.total).toBe(5);
  expect(refused.culprits(1)).toEqual([{ job: "b", metric: "m", count: 2 }]);
  expect(refused.culprits(10)).toHaveLength(4);
  expect(culpritsText(refused.culprits(1))).toBe('job "b" metric "m": 2');
});

test("a flood of names does not hide who is counted much", () => {
  const refused = new RefusedSeries();
  for (let i = 0; i < 50_000; i++) {
    refused.add(`job-${i}`, "noise");
    if (i % 10 === 0) refused.add("culprit", "http_requests_total");
  }
  expect(refused.total).toBe(55_000);
  expect(refused.culprits(1)).toEqual([{ job: "culprit", metric: "http_requests_total", count: 5000 }]);
});

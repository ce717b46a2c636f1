import { expect, test } from "vitest";
import { RecentSeconds } from "./recent-seconds.ts";

test("quantiles are of the last ten minutes, count and sum of all times", () => {
  const recent = new RecentSeconds();
  expect(recent.quantiles([0.5], 0)).toEqual([Number.NaN]);
  recent.observe(9, 0);
  for (let i = 1; i <= 100; i++) recent.observe(i / 100, 1000);
  expect(recent.quantiles([0.5, 0.9, 0.99, 1], 600_500)).toEqual([0.5, 0.9, 0.99, 1]);
  expect(recent.quantiles([1], 2000)).toEqual([9]);
  expect(recent.quantiles([0.5], 700_000)).toEqual([Number.NaN]);
  expect(recent.count).toBe(101);
  expect(recent.sum).toBeCloseTo(59.5);
});

test("of very many the latest count", () => {
  const recent = new RecentSeconds();
  for (let i = 0; i < 5000; i++) recent.observe(i < 3000 ? 5 : 1, 0);
  expect(recent.quantiles([0.01, 1], 1)).toEqual([1, 1]);
});

import { expect, test } from "vitest";
import { nodeClock } from "./clock.ts";
import { nodeRandom } from "./random.ts";

test("the clock runs, and timers can be cancelled", async () => {
  const start = nodeClock.monotonicMs();
  let cancelled = 0;
  nodeClock.after(1, () => cancelled++).cancel();
  await new Promise<void>((resolve) => nodeClock.after(5, resolve));
  expect(nodeClock.monotonicMs()).toBeGreaterThan(start);
  expect(cancelled).toBe(0);
  expect(Math.abs(nodeClock.nowMs() - Date.now())).toBeLessThan(1000);
});

test("random numbers fill their range and do not repeat with the pool", () => {
  const numbers = Array.from({ length: 3000 }, () => nodeRandom.u32());
  expect(new Set(numbers).size).toBeGreaterThan(2990);
  expect(Math.min(...numbers)).toBeLessThan(2 ** 32 / 100);
  expect(Math.max(...numbers)).toBeGreaterThan(2 ** 32 * 0.99);
  expect(numbers.every((number) => Number.isInteger(number) && number >= 0)).toBe(true);
});

import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";
import { SeededRandom } from "./seeded-random.ts";

test("timers run at their time, in order, also those that timers make", () => {
  const clock = new ManualClock(1000);
  const ran: string[] = [];
  const note = (name: string) => ran.push(`${name}@${clock.monotonicMs()}`);
  clock.after(30, () => note("c"));
  clock.after(10, () => {
    note("a");
    clock.after(5, () => note("b"));
  });
  clock.after(30, () => note("d"));
  const cancelled = clock.after(20, () => note("never"));
  cancelled.cancel();
  cancelled.cancel();
  clock.advance(9);
  expect(ran).toEqual([]);
  clock.advance(21);
  expect(ran).toEqual(["a@10", "b@15", "c@30", "d@30"]);
  expect(clock.nowMs()).toBe(1030);
  expect(clock.pending).toBe(0);
});

test("the wall clock jumps, the monotonic one does not", () => {
  const clock = new ManualClock(1000);
  let ran = 0;
  clock.after(10, () => ran++);
  clock.jumpTo(5);
  expect([clock.nowMs(), clock.monotonicMs(), ran]).toEqual([5, 0, 0]);
  clock.advance(10);
  expect([clock.nowMs(), clock.monotonicMs(), ran]).toEqual([15, 10, 1]);
});

test("the same seed gives the same numbers, spread over the whole range", () => {
  const a = new SeededRandom(42);
  const b = new SeededRandom(42);
  const counts = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) {
    const x = a.u32();
    expect(x).toBe(b.u32());
    counts[x >>> 28]++;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  const below = Array.from({ length: 100 }, () => a.below(3));
  expect(new Set(below)).toEqual(new Set([0, 1, 2]));
  expect(new SeededRandom(1).u32()).not.toBe(new SeededRandom(2).u32());
  expect(["x", "y"]).toContain(a.pick(["x", "y"]));
});

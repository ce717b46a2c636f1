import { expect, test } from "vitest";
import { ManualClock } from "../testkit/manual-clock.ts";
import { arenaPages, divideMemory } from "../tsdb/budget/shares.ts";
import { MemoryMeter } from "./memory-meter.ts";
import { MemoryWords } from "./memory-words.ts";

const mebibyte = 2 ** 20;
const threads = 3;

function meterOf(limitMiB: number) {
  const words = new MemoryWords(new Int32Array(MemoryWords.count(threads)), threads);
  const fake = { residentBytes: 100 * mebibyte, threadsToCome: 0 };
  const clock = new ManualClock();
  const shares = divideMemory(limitMiB * mebibyte, 2, 1);
  const env = {
    clock,
    residentBytes: () => fake.residentBytes,
    threadsToCome: () => fake.threadsToCome,
  };
  return { words, fake, clock, shares, meter: new MemoryMeter(env, shares, words) };
}

test("what is counted is not measured as fixed", () => {
  const { words, fake, shares, meter } = meterOf(512);
  words.report(1600, 90 * mebibyte, 0.5, false);
  words.reportCache(0, 5 * mebibyte);
  words.reportCache(2, 7 * mebibyte);
  words.queryWord(1)[0] = 9 * 1024;
  words.changeCompaction(9 * mebibyte);
  words.changeCompaction(-6 * mebibyte);
  fake.residentBytes = (100 + 100 + 12 + 9 + 3) * mebibyte;
  meter.measure();
  expect(meter.parts).toEqual({
    fixed: 100 * mebibyte,
    arena: 100 * mebibyte,
    caches: 12 * mebibyte,
    queries: 9 * mebibyte,
    compaction: 3 * mebibyte,
  });
  expect(words.arenaPages).toBe(arenaPages(shares, 100 * mebibyte));
  words.forget(2);
  expect(words.compactionBytes).toBe(0);
  expect(words.cacheBytes).toBe(5 * mebibyte);
});

test("a peak of the fixed part is forgotten slowly", async () => {
  const { words, fake, shares, clock, meter } = meterOf(512);
  fake.residentBytes = 200 * mebibyte;
  meter.start();
  expect(words.arenaPages).toBe(arenaPages(shares, 200 * mebibyte));
  fake.residentBytes = 100 * mebibyte;
  clock.advance(10_000);
  expect(meter.parts.fixed).toBeGreaterThan(190 * mebibyte);
  clock.advance(1_000_000);
  expect(meter.parts.fixed).toBe(100 * mebibyte);
  meter.stop();
});

test("threads that are still to come have their room kept", () => {
  const { words, fake, shares, meter } = meterOf(512);
  fake.threadsToCome = 2;
  meter.measure();
  expect(words.arenaPages).toBe(arenaPages(shares, 148 * mebibyte));
});

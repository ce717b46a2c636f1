import { expect, test } from "vitest";
import { arenaPages, arenaPagesMax, divideMemory, pageBytes, threadsFor } from "./shares.ts";

const mebibyte = 2 ** 20;

test.each([192, 256, 512, 1024, 4096, 65_536])("%d MiB are divided without a rest", (limitMiB) => {
  const limitBytes = limitMiB * mebibyte;
  for (const threads of [1, 2, 8, 32]) {
    const shares = divideMemory(limitBytes, threads, threads);
    const fixedBytes = limitBytes / 4;
    const { cacheBytes, queryBytes, queryBytesMax, compactionBytes, spareBytes } = shares;
    const others = fixedBytes + cacheBytes + queryBytes + compactionBytes + spareBytes;
    const arena = arenaPages(shares, fixedBytes) * pageBytes;
    expect(others + arena).toBeLessThanOrEqual(limitBytes);
    if (arena < arenaPagesMax * pageBytes) expect(others + arena).toBeGreaterThan(limitBytes - pageBytes);
    expect(queryBytesMax * threads).toBeLessThanOrEqual(queryBytes);
    expect(shares.cacheBytesMax * 2 * threads).toBeLessThanOrEqual(cacheBytes);
  }
});

test("the arena keeps a minimum where the others leave nothing", () => {
  expect(arenaPages(divideMemory(192 * mebibyte, 2, 1), 300 * mebibyte)).toBe(512);
});

test("the arena never gets more than one memory holds", () => {
  expect(arenaPages(divideMemory(2 ** 40, 8, 8), 0)).toBe(65_536);
});

test("a small limit has few threads", () => {
  expect([192, 512, 1024, 8192].map((limitMiB) => threadsFor(limitMiB * mebibyte))).toEqual([1, 4, 8, 64]);
});

import { expect, test } from "vitest";
import { earlyCut } from "./early-cut.ts";

const minute = 60_000;
const range = 120 * minute;

test.each([
  ["less than a step has passed", 0, 14 * minute, undefined],
  ["a step", 0, 15 * minute, 15 * minute],
  ["the end is a multiple of the step", 0, 44 * minute, 30 * minute],
  ["a head that begins between the steps", 7 * minute, 44 * minute, 30 * minute],
  ["of which less than a step would go", 16 * minute, 30 * minute, undefined],
  ["not beyond the block range", 100 * minute, 170 * minute, 120 * minute],
  ["which may be little", 119 * minute, 170 * minute, 120 * minute],
  ["times before 1970", -200 * minute, -100 * minute, -120 * minute],
  ["an empty head", Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined],
])("%s", (_name, mint, minValidTime, end) => {
  expect(earlyCut(mint, minValidTime, range)).toEqual(
    end === undefined ? undefined : { mint, maxt: end - 1 },
  );
});

test("whatever the times: aligned, never in the last half of a range, and it comes to an end", () => {
  const small = 16;
  for (let begin = -20; begin < 20; begin++) {
    for (let maxTime = begin; maxTime < 60; maxTime++) {
      let mint = begin;
      for (let cuts = 0; ; cuts++) {
        expect(cuts).toBeLessThan(10);
        const cut = earlyCut(mint, maxTime - small / 2, small);
        if (cut === undefined) break;
        expect(cut.mint).toBe(mint);
        expect(Math.abs((cut.maxt + 1) % 2)).toBe(0);
        expect(cut.maxt).toBeLessThan(maxTime - small / 2);
        expect(Math.floor(cut.mint / small)).toBe(Math.floor(cut.maxt / small));
        mint = cut.maxt + 1;
      }
      expect(maxTime - small / 2 - mint).toBeLessThan(4);
    }
  }
});

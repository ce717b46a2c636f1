import { expect, test } from "vitest";
import { append, testHead } from "../../test/head/fixture.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { HeadTruncation } from "./head-truncation.ts";

const t0 = 1_700_000_000_000;

test("what truncations took is the time of their slices; a failure counts, and the next step goes on", () => {
  const { appender, head } = testHead({ chunkRangeMs: 100_000, samplesPerChunk: 8 }, { pages: 256 });
  for (let k = 0; k < 40; k++) append(appender, [[{ i: "1" }, t0 + k * 10_000, k]]);
  const clock = new ManualClock();
  const files = { failing: true, truncated: [] as number[] };
  const chunks = {
    truncate(mint: number) {
      if (files.failing) throw new Error("EIO");
      return files.truncated.push(mint);
    },
  };
  const truncation = new HeadTruncation(head, chunks, clock);
  const mint = t0 + 200_000;
  const slice = () =>
    truncation.step(mint, () => {
      clock.advance(500);
      return true;
    });
  let state = slice();
  expect(state).toBe("working");
  expect(truncation.isUnderWay).toBe(true);
  clock.advance(60_000);
  let failures = 0;
  for (let i = 0; i < 100 && state !== "done"; i++) {
    try {
      state = slice();
    } catch (error) {
      expect((error as Error).message).toBe("EIO");
      failures++;
      files.failing = false;
    }
  }
  expect(failures).toBe(1);
  expect(files.truncated).toEqual([mint]);
  expect(truncation.isUnderWay).toBe(false);
  expect(head.stats.truncations).toBe(1);
  expect(truncation.stats.truncationsFailed).toBe(1);
  expect(truncation.stats.gcSeconds).toBeGreaterThanOrEqual(0.5);
  expect(truncation.stats.gcSeconds).toBeLessThan(60);
});

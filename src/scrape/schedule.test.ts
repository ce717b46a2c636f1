import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashText, ScrapeTimestamps, scrapeOffsetMs } from "./schedule.ts";

describe("the phase of a target", () => {
  test("does not depend on when it is asked for, and lies within one interval", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.integer({ min: 0, max: 2e12 }),
        fc.integer({ min: 0, max: 1e7 }),
        (text, intervalMs, nowMs, laterMs) => {
          const hash = hashText(text);
          const offset = scrapeOffsetMs(hash, intervalMs, nowMs);
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset).toBeLessThanOrEqual(intervalMs);
          const due = nowMs + offset;
          const other = nowMs + laterMs;
          expect((other + scrapeOffsetMs(hash, intervalMs, other) - due) % intervalMs).toBe(0);
        },
      ),
    );
  });

  test("is spread evenly over the interval", () => {
    const buckets = new Array(10).fill(0);
    for (let i = 0; i < 5000; i++) {
      buckets[Math.floor((hashText(`node-${i}:9100`) % 15_000) / 1500)]++;
    }
    for (const count of buckets) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  test("hashes stay what they are: targets keep their phase over an upgrade", () => {
    expect([hashText(""), hashText("a"), hashText("localhost:9090")]).toMatchInlineSnapshot(`
      [
        6025115439012197,
        932481263858254,
        838862108178467,
      ]
    `);
  });
});

describe("timestamps", () => {
  const interval = 1000;
  // Each row: the moments at which scrapes start, and the timestamps they get.
  test.each([
    ["punctual", [0, 1000, 2000], [0, 1000, 2000]],
    ["up to 2 ms late", [0, 1001, 2002, 3000], [0, 1000, 2000, 3000]],
    ["later than that", [0, 1003, 2010, 3001], [0, 1003, 2010, 3000]],
    ["after missed ones", [0, 3001, 7002, 8500, 9002], [0, 3000, 7000, 8500, 9000]],
    ["a millisecond early", [0, 999, 2000], [0, 999, 2000]],
    ["after the clock was set back", [10_000, 4000, 5001, 6000], [10_000, 4000, 5000, 6000]],
    ["after the clock was set forward", [0, 50_000_500, 50_001_500], [0, 50_000_500, 50_001_500]],
  ])("%s", (_, starts, wanted) => {
    const timestamps = new ScrapeTimestamps(starts[0], interval, 2);
    expect(starts.map((at) => timestamps.next(at))).toEqual(wanted);
  });

  test("the tolerance is at most a hundredth of the interval", () => {
    const timestamps = new ScrapeTimestamps(0, 100, 2);
    expect([timestamps.next(101), timestamps.next(202)]).toEqual([100, 202]);
  });
});

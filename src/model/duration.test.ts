import fc from "fast-check";
import { expect, test } from "vitest";
import { ParseError } from "../base/errors.ts";
import { durationMsMax, formatDuration, parseDuration } from "./duration.ts";

const day = 24 * 60 * 60 * 1000;

test.each([
  ["0", 0, "0s"],
  ["0w", 0, "0s"],
  ["324ms", 324, "324ms"],
  ["3s", 3000, "3s"],
  ["5m", 300_000, "5m"],
  ["4d1h", 4 * day + 3_600_000, "4d1h"],
  ["14d", 14 * day, "2w"],
  ["15d", 15 * day, "15d"],
  ["3w", 21 * day, "3w"],
  ["3w2d1h", 23 * day + 3_600_000, "23d1h"],
  ["10y", 3650 * day, "10y"],
  ["1m500ms", 60_500, "1m500ms"],
  ["90s", 90_000, "1m30s"],
])("%s", (text, ms, printed) => {
  expect(parseDuration(text)).toBe(ms);
  expect(formatDuration(ms)).toBe(printed);
});

test("negative durations are printed, not read", () => {
  expect(formatDuration(-90_000)).toBe("-1m30s");
  expect(() => parseDuration("-5m")).toThrow(ParseError);
});

test.each([
  ["", "empty duration string"],
  ["1", 'not a valid duration string: "1"'],
  ["d", 'not a valid duration string: "d"'],
  ["-1w", 'not a valid duration string: "-1w"'],
  ["1y1m1d", 'not a valid duration string: "1y1m1d"'],
  ["1m1m", 'not a valid duration string: "1m1m"'],
  ["1.5d", 'unknown unit "." in duration "1.5d"'],
  ["5hs", 'unknown unit "hs" in duration "5hs"'],
  ["1s ", 'unknown unit "s " in duration "1s "'],
  ["294y", "duration out of range"],
  ["200y10400w", "duration out of range"],
  ["107675d", "duration out of range"],
  ["2584200h", "duration out of range"],
  ["99999999999999999999999s", 'not a valid duration string: "99999999999999999999999s"'],
])("%j is refused", (text, problem) => {
  expect(() => parseDuration(text)).toThrow(new ParseError(problem, 0));
});

test("what is printed is read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: durationMsMax }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});

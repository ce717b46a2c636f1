import fc from "fast-check";
import { expect, test } from "vitest";
import * as dates from "./dates.ts";

const parts = (seconds: number) => [
  dates.year(seconds),
  dates.month(seconds),
  dates.dayOfMonth(seconds),
  dates.dayOfWeek(seconds),
  dates.dayOfYear(seconds),
  dates.daysInMonth(seconds),
  dates.hour(seconds),
  dates.minute(seconds),
];

test("the parts of a date are those of JavaScript's dates", () => {
  fc.assert(
    fc.property(fc.double({ min: -8.6e12, max: 8.6e12, noNaN: true }), (seconds) => {
      const date = new Date(Math.trunc(seconds) * 1000);
      const year = date.getUTCFullYear();
      const startOfYear = new Date(0);
      startOfYear.setUTCFullYear(year, 0, 1);
      const nextMonth = new Date(0);
      nextMonth.setUTCFullYear(year, date.getUTCMonth() + 1, 0);
      expect(parts(seconds)).toEqual([
        year,
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay(),
        Math.floor((date.getTime() - startOfYear.getTime()) / 86_400_000) + 1,
        nextMonth.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
      ]);
    }),
    { numRuns: 2000 },
  );
});

test.each([Number.NaN, Infinity, -Infinity, 1e300, -(2 ** 63)])("%d is out of range", (seconds) => {
  // As Prometheus answers.
  expect(parts(seconds)).toEqual([292277026596, 12, 4, 0, 339, 31, 15, 30]);
});

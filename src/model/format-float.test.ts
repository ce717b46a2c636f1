import { expect, test } from "vitest";
import { formatFloat, formatGeneral, formatSampleValue } from "./format-float.ts";

test.each([
  // value, 'f' -1, the API's samples, %g
  [0, "0", "0", "0"],
  [-0, "-0", "-0", "-0"],
  [1, "1", "1", "1"],
  [-1.5, "-1.5", "-1.5", "-1.5"],
  [0.1, "0.1", "0.1", "0.1"],
  [100000, "100000", "100000", "100000"],
  [1e6, "1000000", "1000000", "1e+06"],
  [1234567.5, "1234567.5", "1234567.5", "1.2345675e+06"],
  [0.0001, "0.0001", "0.0001", "0.0001"],
  [0.00001, "0.00001", "0.00001", "1e-05"],
  [1e-6, "0.000001", "0.000001", "1e-06"],
  [1.25e-7, "0.000000125", "1.25e-07", "1.25e-07"],
  [1e20, "100000000000000000000", "100000000000000000000", "1e+20"],
  [1e21, "1000000000000000000000", "1e+21", "1e+21"],
  [-1.5e300, `-15${"0".repeat(299)}`, "-1.5e+300", "-1.5e+300"],
  [5e-324, `0.${"0".repeat(323)}5`, "5e-324", "5e-324"],
  [Number.NaN, "NaN", "NaN", "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf", "+Inf", "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf", "-Inf", "-Inf"],
])("%d", (value, fixed, sample, general) => {
  expect([formatFloat(value), formatSampleValue(value), formatGeneral(value)]).toEqual([
    fixed,
    sample,
    general,
  ]);
});

test.each([
  [5, "5"],
  [12, "12"],
  [12.5, "12"], // to even, as exact decimal arithmetic has it
  [13.5, "14"],
  [0.045, "0.045"],
  [0.0445, "0.044"], // a little below the middle
  [0.0145, "0.015"], // a little above
  [99.9, "1e+02"],
  [100, "1e+02"],
  [0.00123, "0.0012"],
  [1234567, "1.2e+06"],
])("%d with two digits", (value, want) => {
  expect(formatGeneral(value, 2)).toBe(want);
});

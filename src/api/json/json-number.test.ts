import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSampleValue } from "../../model/format-float.ts";
import { numberBytesMax, writeSampleValue, writeTimestamp } from "./json-number.ts";

const decoder = new TextDecoder("ascii");

function written(write: (bytes: Uint8Array, at: number) => number): string {
  const bytes = new Uint8Array(numberBytesMax + 6).fill(0xff);
  const end = write(bytes, 3);
  expect(bytes.subarray(0, 3)).toEqual(new Uint8Array(3).fill(0xff));
  expect(bytes.subarray(end).every((byte) => byte === 0xff)).toBe(true);
  return decoder.decode(bytes.subarray(3, end));
}
const valueText = (value: number) => written((bytes, at) => writeSampleValue(bytes, at, value));
const timeText = (ms: number) => written((bytes, at) => writeTimestamp(bytes, at, ms));

test.each([
  [0, "0"],
  [-0, "-0"],
  [5, "5"],
  [-1.5, "-1.5"],
  [0.1, "0.1"],
  [0.0001, "0.0001"],
  [0.00001, "0.00001"],
  [1.005, "1.005"],
  [99999999.9999, "99999999.9999"],
  [123456789012345680, "123456789012345680"],
  [2 ** 53 - 1, "9007199254740991"],
  [1e20, "100000000000000000000"],
  [1e21, "1e+21"],
  [1e-6, "0.000001"],
  [1e-7, "1e-07"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [-2.2250738585072014e-308, "-2.2250738585072014e-308"],
  [5e-324, "5e-324"],
  [0.1 + 0.2, "0.30000000000000004"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("the value %s is written as %s", (value, text) => {
  expect(valueText(value)).toBe(text);
});

test.each([
  [0, "0"],
  [1, "0.001"],
  [-1, "-0.001"],
  [1500, "1.500"],
  [-1500, "-1.500"],
  [1435781430781, "1435781430.781"],
  [1435781430000, "1435781430"],
  [1435781430010, "1435781430.010"],
  [-62135596800000, "-62135596800"],
  [-9223372036854, "-9223372036.854"],
  [8.64e15, "8640000000000"],
])("the time %d ms is written as %s", (ms, text) => {
  expect(timeText(ms)).toBe(text);
});

test("every value is written as model/format-float.ts prints it", () => {
  const shortDecimals = fc
    .tuple(fc.integer(), fc.integer({ min: 0, max: 6 }))
    .map(([digits, decimals]) => digits / 10 ** decimals);
  const wide = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 5 })).map(([n, d]) => n / 10 ** d);
  fc.assert(
    fc.property(fc.oneof(fc.double(), shortDecimals, wide, fc.maxSafeInteger()), (value) => {
      expect(valueText(value)).toBe(formatSampleValue(value));
    }),
    { numRuns: 5000 },
  );
});

test("every time is written as Prometheus writes it", () => {
  const plain = (ms: number) => {
    const fraction = Math.abs(ms) % 1000;
    const seconds = `${ms < 0 ? "-" : ""}${(Math.abs(ms) - fraction) / 1000}`;
    return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(3, "0")}`;
  };
  fc.assert(
    fc.property(fc.maxSafeInteger(), (ms) => {
      expect(timeText(ms)).toBe(plain(ms));
    }),
    { numRuns: 5000 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { formatOpenMetricsFloat, parseGoFloat, parseValue } from "./float.ts";

const value = (text: string) => {
  const out = new Float64Array(1);
  return parseValue(text, out) ?? out[0];
};

test.each([
  ["1", 1],
  ["+1.5e3", 1500],
  ["-.5", -0.5],
  ["5.", 5],
  ["INF", Number.POSITIVE_INFINITY],
  ["+infinity", Number.POSITIVE_INFINITY],
  ["-Inf", Number.NEGATIVE_INFINITY],
  ["NaN", Number.NaN],
  ["1.7976931348623157e308", Number.MAX_VALUE],
  ["1.7976931348623159e308", "value out of range"],
  ["1e999999999999", "value out of range"],
  ["0e999999999999", 0],
  ["1e-999999999999", 0],
  ["2.2250738585072011e-308", 2.225073858507201e-308],
  ...[
    "",
    " 1",
    "1 ",
    "+",
    ".",
    "e5",
    "1e",
    "1e+",
    "1.2.3",
    "infi",
    "+nan",
    "0x1",
    "0b1",
    "1n",
    "Infinit",
    "١",
  ].map((text): [string, string] => [text, "invalid syntax"]),
  ["1_000", "unsupported character in float"],
  ["0x1p2", "unsupported character in float"],
  ["p", "unsupported character in float"],
])("%j as a sample value", (text, want) => {
  expect(value(text)).toEqual(want);
});

test.each([
  ["0x1p4", 16],
  ["-0x1.8p1", -3],
  ["0x_1_0p0", 16],
  ["0x.8p0", 0.5],
  ["0x1.p-1074", 5e-324],
  ["0x1p-1075", 0],
  ["0x1.8p-1075", 5e-324],
  ["0x1.00000000000008p0", 1],
  ["0x1.00000000000018p0", 1.0000000000000004],
  ["0x1.fffffffffffff8p1023", undefined],
  ["0x1p1024", undefined],
  ["0x1", undefined],
  ["0xp1", undefined],
  ["0x1__0p0", undefined],
  ["0x1_p0", undefined],
  ["1_0", undefined],
  ["1e400", undefined],
])("%j as a label value", (text, want) => {
  expect(parseGoFloat(text)).toEqual(want);
});

test("every NaN becomes the ordinary one", () => {
  const out = new Float64Array(1);
  parseValue("nan", out);
  expect([...new Uint32Array(out.buffer)]).toEqual([1, 0x7ff80000]);
});

test.each([
  [0, "0.0"],
  [-0, "0.0"],
  [1, "1.0"],
  [-1, "-1.0"],
  [0.5, "0.5"],
  [100000, "100000.0"],
  [1000000, "1e+06"],
  [1234567, "1.234567e+06"],
  [123456.75, "123456.75"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [1e21, "1e+21"],
  [5e-324, "5e-324"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("%d is written %s", (number, want) => {
  expect(formatOpenMetricsFloat(number)).toBe(want);
});

test("what is written reads back the same", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (number) => {
      expect(parseGoFloat(formatOpenMetricsFloat(number))).toBe(number === 0 ? 0 : number);
    }),
  );
});

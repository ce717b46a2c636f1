import { expect, test } from "vitest";
import { parseFloatText } from "./parse-float.ts";

test.each([
  ["1", 1],
  ["+1.5e3", 1500],
  ["-.5", -0.5],
  ["5.", 5],
  ["+Inf", Infinity],
  ["-inf", -Infinity],
  ["Infinity", Infinity],
  ["NaN", Number.NaN],
  ["0x1p-2", 0.25],
  ["-0X1.8p1", -3],
  ["", undefined],
  ["one", undefined],
  [" 1", undefined],
  ["1e", undefined],
  ["1e400", undefined],
  ["-nan", undefined],
  ["0x1", undefined],
  ["0xp1", undefined],
  ["1_000", undefined],
])("%j", (text, want) => {
  expect(parseFloatText(text)).toBe(want);
});

import { expect, test } from "vitest";
import { goJson, goTime, int64, RawJson } from "./go-json.ts";
import { quoteJson } from "./json-writer.ts";

test.each<[unknown, string]>([
  ["plain", '"plain"'],
  ['<a href="x">&', '"\\u003ca href=\\"x\\"\\u003e\\u0026"'],
  ["\u2028\u2029\u007f\u00e9\ud83d\ude00", '"\\u2028\\u2029\u007f\u00e9\ud83d\ude00"'],
  ["\b\f\n\r\t\\\u0001", '"\\u0008\\u000c\\n\\r\\t\\\\\\u0001"'],
  ["\\b", '"\\\\b"'],
  [7.32e-7, "7.32e-07"],
  [1e-10, "1e-10"],
  [1e21, "1e+21"],
  [0.00001, "0.00001"],
  [2n ** 63n - 1n, "9223372036854775807"],
  [null, "null"],
  [{ a: [1, true, {}], b: undefined, c: new RawJson("[<]") }, '{"a":[1,true,{}],"c":[<]}'],
])("%o", (value, json) => {
  expect(goJson(value)).toBe(json);
});

test("strings that are streamed keep what is not JSON's own", () => {
  expect(quoteJson("<b>&'\u2028\u0001\b\n\t\\\"\u007f")).toBe(
    '"<b>&\'\u2028\\u0001\\u0008\\n\\t\\\\\\"\u007f"',
  );
});

test.each([
  [undefined, "0001-01-01T00:00:00Z"],
  [1795334376814, "2026-11-22T07:59:36.814Z"],
  [1795334370500, "2026-11-22T07:59:30.5Z"],
  [1795334400000, "2026-11-22T08:00:00Z"],
])("the time %s is %s", (ms, text) => {
  expect(goTime(ms)).toBe(text);
});

test.each([
  [5, 5],
  [2 ** 63, 2n ** 63n - 1n],
  [-(2 ** 63), -(2n ** 63n)],
  [Number.POSITIVE_INFINITY, 2n ** 63n - 1n],
  [Number.NEGATIVE_INFINITY, -(2n ** 63n)],
])("the 64-bit integer nearest to %d", (value, exact) => {
  expect(int64(value)).toBe(exact);
});

import { describe, expect, test } from "vitest";
import { field, label } from "../../test/remote/messages.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { areUsualLabels, isUtf8 } from "./usual-labels.ts";

const name = label("__name__", "m");
const usual = (...fields: readonly number[][]) => {
  const bytes = Uint8Array.from([0xff, ...fields.flat(), 0xff]);
  return areUsualLabels(bytes, 1, bytes.length - 1);
};

describe("usual labels", () => {
  test.each<[string, boolean, number[][]]>([
    ["a metric name alone", true, [name]],
    ["more labels", true, [label("A", "x"), name, label("b", "ü"), label("bb", "1")]],
    ["a long value", true, [name, label("x", "y".repeat(20_000))]],
    ["no labels", false, []],
    ["no metric name", false, [label("a", "b")]],
    ["an empty metric name", false, [label("__name__", "")]],
    ["an empty value", false, [name, label("b", "")]],
    ["an empty name", false, [label("", "b"), name]],
    ["out of order", false, [label("b", "1"), name]],
    ["twice", false, [name, label("b", "1"), label("b", "2")]],
    ["the value first", false, [field(1, [...field(2, "m"), ...field(1, "__name__")])]],
    ["no value", false, [name, field(1, field(1, "b"))]],
    ["a second value", false, [field(1, [...field(1, "__name__"), ...field(2, "m"), ...field(2, "n")])]],
    ["another field", false, [name, field(3, "x")]],
    ["a length of two bytes that needs one", false, [[0x0a, 0x8d, 0x00, ...name.slice(2)]]],
    ["cut short", false, [name.slice(0, -1)]],
    ["no UTF-8 in a name", false, [name, field(1, [...field(1, [0xc0]), ...field(2, "x")])]],
    ["no UTF-8 in a value", false, [name, field(1, [...field(1, "a"), ...field(2, [0xed, 0xa0, 0x80])])]],
  ])("%s: %s", (_, expected, fields) => {
    expect(usual(...fields)).toBe(expected);
  });
});

test("UTF-8 as TextDecoder has it", () => {
  const random = new SeededRandom(1);
  const interesting = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
  ];
  interesting.push(0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
  let valid = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: 1 + random.below(5) }, () => random.pick(interesting));
    let expected = true;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      expected = false;
    }
    expect(isUtf8(bytes, 0, bytes.length), Buffer.from(bytes).toString("hex")).toBe(expected);
    if (expected) valid++;
  }
  expect(valid).toBeGreaterThan(500);
});

import { expect, test } from "vitest";
import { quote, quoteChar } from "./quote.ts";

test.each([
  ["", '""'],
  ["plain text, 'single' quotes", "\"plain text, 'single' quotes\""],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["\x00\x07\b\f\n\r\t\v\x1f\x7f", '"\\x00\\a\\b\\f\\n\\r\\t\\v\\x1f\\x7f"'],
  ["grüße 🔥 ⽕", '"grüße 🔥 ⽕"'],
  ["\u00a0\u2028\u200b", '"\\u00a0\\u2028\\u200b"'],
  ["\u{e0001}", '"\\U000e0001"'],
])("%j", (text, want) => {
  expect(quote(text)).toBe(want);
});

test.each([
  ["a", "'a'"],
  ["'", "'\\''"],
  ['"', "'\"'"],
  ["\n", "'\\n'"],
  ["", "'\ufffd'"],
])("character %j", (char, want) => {
  expect(quoteChar(char)).toBe(want);
});

import { expect, test } from "vitest";
import { encodeUtf8 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";

test.each([
  ["", 0],
  ["123456789", 0xe3069283], // the check value of RFC 3720
  ["\0".repeat(32), 0x8a9136aa], // RFC 3720, B.4
])("%j", (text, want) => {
  expect(crc32c(encodeUtf8(text))).toBe(want);
});

test("a seed continues an earlier checksum at any cut", () => {
  const bytes = encodeUtf8("the quick brown fox jumps over the lazy dog");
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(crc32c(bytes));
  }
});

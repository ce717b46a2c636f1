import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSize, parseSize } from "./size.ts";

// What promtool accepts, and the value it prints.
test.each([
  ["0", 0, "0B"],
  ["10B", 10, "10B"],
  ["1KB", 1024, "1KiB"],
  ["1KiB", 1024, "1KiB"],
  ["1.5MB", 1.5 * 2 ** 20, "1MiB512KiB"],
  ["1MB512KB", 1.5 * 2 ** 20, "1MiB512KiB"],
  ["5KB1B", 5121, "5KiB1B"],
  [".5GB", 2 ** 29, "512MiB"],
  ["1.MB", 2 ** 20, "1MiB"],
  ["1.5B", 1, "1B"],
  ["+1MB", 2 ** 20, "1MiB"],
  ["-1MB", -(2 ** 20), "-1MiB"],
  ["7EiB", 7 * 2 ** 60, "7EiB"],
])("%s is %d bytes, printed %s", (text, bytes, printed) => {
  expect(parseSize(text)).toBe(bytes);
  expect(formatSize(bytes)).toBe(printed);
});

test.each([
  "",
  "10",
  "1kB",
  "1mb",
  "1E",
  "1MiB512KB",
  "1MB ",
  "1_0MB",
  "MB",
  "1MBx",
  "9EB",
  "0x1MB",
  "--1MB",
  ".",
])("%j is refused", (text) => {
  expect(() => parseSize(text)).toThrow(/is not a size/);
});

test("what is printed reads back", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }),
  );
});

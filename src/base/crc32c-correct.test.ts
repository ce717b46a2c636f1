import { expect, test } from "vitest";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { crc32c } from "./crc32c.ts";
import { changedByte } from "./crc32c-correct.ts";

const random = new SeededRandom(1);
const someBytes = (length: number) => Uint8Array.from({ length }, () => random.u32());

test("every change of every byte, and of the checksum, is found", () => {
  for (const [length, start, end] of [
    [1, 0, 1],
    [9, 2, 7],
    [40, 0, 40],
    [3000, 100, 2900],
  ]) {
    const bytes = someBytes(length);
    const want = crc32c(bytes, start, end);
    const step = Math.max(1, Math.floor((end - start) / 40));
    for (let at = start; at < end; at += step) {
      for (const xor of [1, 0x80, 0xff, 1 + random.below(255)]) {
        bytes[at] ^= xor;
        expect(changedByte(bytes, start, end, want), `byte ${at} of ${length}`).toEqual({ at, xor });
        bytes[at] ^= xor;
      }
    }
    for (const xor of [1, 0xff00, 0x550000, 0x80000000]) {
      expect(changedByte(bytes, start, end, (want ^ xor) >>> 0)).toEqual({ at: end, xor });
    }
    expect(changedByte(bytes, start, end, want)).toBeUndefined();
  }
});

test("what two changes did is not taken for one, but for about one in 2^32 for each byte and value", () => {
  let wrong = 0;
  for (let i = 0; i < 2000; i++) {
    const bytes = someBytes(100);
    const want = crc32c(bytes);
    const [a, b] = [random.below(50), 50 + random.below(50)];
    bytes[a] ^= 1 + random.below(255);
    bytes[b] ^= 1 + random.below(255);
    if (changedByte(bytes, 0, 100, want) !== undefined) wrong++;
  }
  expect(wrong).toBe(0);
});

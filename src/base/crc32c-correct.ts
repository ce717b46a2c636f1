/**
 * Where a CRC-32C shows that one byte was changed, which one it was. The checksum of bytes that differ in one place differs
 * by what that byte's change, followed by so many zeros, gives; so the difference is taken back byte by byte, until it is
 * one that a single byte gives. One step for each byte.
 */
import { crc32c } from "./crc32c.ts";

/** What a change of the last byte does to the checksum; every word has another highest byte. */
const table = Int32Array.from(
  { length: 256 },
  (_, i) => ~crc32c(Uint8Array.of(i)) ^ ~crc32c(Uint8Array.of(0)),
);
/** The index of the word with this highest byte. */
const byHighest = new Uint8Array(256);
for (let i = 0; i < 256; i++) byHighest[table[i] >>> 24] = i;

/** `bytes[at] ^ xor` is what it was. `at` is `end` where the checksum itself was changed. */
export interface ChangedByte {
  readonly at: number;
  readonly xor: number;
}

/**
 * The one change of one byte of `bytes[start, end)`, or of the checksum `want` that is stored for them, that makes both
 * agree; undefined where there is none, or more than one.
 */
export function changedByte(
  bytes: Uint8Array,
  start: number,
  end: number,
  want: number,
): ChangedByte | undefined {
  let difference = want ^ crc32c(bytes, start, end);
  if (difference === 0) return undefined;
  let found: ChangedByte | undefined = isOneByte(difference) ? { at: end, xor: difference >>> 0 } : undefined;
  for (let at = end - 1; at >= start; at--) {
    const i = byHighest[difference >>> 24];
    if (difference === table[i]) {
      if (found !== undefined) return undefined;
      found = { at, xor: i };
    }
    difference = ((difference ^ table[i]) << 8) | i;
  }
  return found;
}

function isOneByte(word: number): boolean {
  return [0, 8, 16, 24].some((shift) => (word & ~(0xff << shift)) === 0);
}

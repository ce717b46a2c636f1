/**
 * The hash of label bytes: 64 bits as two words, quick over unaligned bytes, seeded. Not for anything that is stored or
 * sent. `assembly/` has the same function.
 */

/** The high word of the last hash; the low one is returned. */
export let hashHigh = 0;

/**
 * Hashes bytes[start, end): returns the low word, leaves the high one in {@link hashHigh}. Both are u32.
 *
 * Each round maps the two lanes one to one, so texts of one length that differ in one round only never collide; the
 * shifts spread a difference over bits that the next round's input cannot take back at once.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let a = seed ^ 0x9e3779b9;
  let b = seed ^ 0x85ebca6b ^ (end - start);
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const x = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    const y = bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
    a = Math.imul(a ^ x, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b ^ y, 0xc2b2ae35);
    b ^= b >>> 13;
    a = (a + ((b << 7) | (b >>> 25))) | 0;
    b = (b + ((a << 11) | (a >>> 21))) | 0;
  }
  let x = 0;
  let y = 0;
  for (let shift = 0; at < end && shift < 32; at++, shift += 8) x |= bytes[at] << shift;
  for (let shift = 0; at < end; at++, shift += 8) y |= bytes[at] << shift;
  a = Math.imul(a ^ x, 0x85ebca6b);
  a ^= a >>> 15;
  b = Math.imul(b ^ y, 0xc2b2ae35);
  b ^= b >>> 13;
  a = mix((a + ((b << 7) | (b >>> 25))) | 0);
  b = mix((b + ((a << 11) | (a >>> 21))) | 0);
  hashHigh = b >>> 0;
  return (a + b) >>> 0;
}

function mix(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}

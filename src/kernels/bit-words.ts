/**
 * Writing bits into 32-bit words, the first bit into the highest. A word is assigned when its first bit is written, so
 * memory need not be cleared before.
 */

/** Writes the low `n` bits of `value`, which has no others, 1 <= n <= 32; returns the position behind them. */
export function putBits(words: Uint32Array, base: number, bit: number, value: number, n: number): number {
  const word = base + (bit >>> 5);
  const used = bit & 31;
  const room = 32 - used;
  if (n <= room) {
    const shifted = value << (room - n);
    words[word] = used === 0 ? shifted : words[word] | shifted;
  } else {
    words[word] |= value >>> (n - room);
    words[word + 1] = value << (32 - n + room);
  }
  return bit + n;
}

/** Writes a varint; returns the position behind it. */
export function putVarintBits(words: Uint32Array, base: number, bit: number, value: number): number {
  while (value >= 0x80) {
    bit = putBits(words, base, bit, (value % 128) | 0x80, 8);
    value = Math.floor(value / 128);
  }
  return putBits(words, base, bit, value, 8);
}

/** How many bits a varint takes. */
export function varintBits(value: number): number {
  let n = 8;
  for (; value >= 0x80; value = Math.floor(value / 128)) n += 8;
  return n;
}

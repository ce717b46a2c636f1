// Writing bits into 32-bit words, the first bit into the highest: src/kernels/bit-words.ts. A word is assigned when its
// first bit is written.
import { setWord, word } from "./head-layout";

/** Writes the low `n` bits of `value`, which has no others, 1 <= n <= 32; returns the position behind them. */
@inline
export function putBits(base: u32, bit: u32, value: u32, n: u32): u32 {
  const at = base + (bit >> 5);
  const used = bit & 31;
  const room: u32 = 32 - used;
  if (n <= room) {
    const shifted = value << (room - n);
    setWord(at, used == 0 ? shifted : word(at) | shifted);
  } else {
    setWord(at, word(at) | (value >> (n - room)));
    setWord(at + 1, value << (32 - n + room));
  }
  return bit + n;
}

/** Writes a varint; returns the position behind it. */
export function putVarintBits(base: u32, bit: u32, value: u64): u32 {
  while (value >= 0x80) {
    bit = putBits(base, bit, (<u32>value & 0x7f) | 0x80, 8);
    value >>= 7;
  }
  return putBits(base, bit, <u32>value, 8);
}

/** How many bits a varint takes. */
export function varintBits(value: u64): u32 {
  let n: u32 = 8;
  for (; value >= 0x80; value >>= 7) n += 8;
  return n;
}

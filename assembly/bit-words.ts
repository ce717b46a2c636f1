// Writing the bits of an open chunk along its parts: src/kernels/bit-words.ts. A word is assigned when its first bit is
// written; the parts that will be needed must be linked already.
import { PART_DATA, PART_WORDS, setWord, word } from "./head-layout";

/** The word with the last bit that was written. */
export let tail: u32 = 0;

/** Sets where writing goes on. */
@inline
export function setTail(at: u32): void {
  tail = at;
}

/** Writes the low `n` bits of `value`, which has no others, 1 <= n <= 32; `bit` bits were written before. */
export function putBits(bit: u32, value: u32, n: u32): u32 {
  const used = bit & 31;
  if (used == 0) {
    advance();
    setWord(tail, value << (32 - n));
  } else if (n <= 32 - used) {
    setWord(tail, word(tail) | (value << (32 - used - n)));
  } else {
    const rest = n - 32 + used;
    setWord(tail, word(tail) | (value >> rest));
    advance();
    setWord(tail, value << (32 - rest));
  }
  return bit + n;
}

/** To the next word, in the next part where this one is full. */
@inline
function advance(): void {
  tail++;
  if ((tail & (PART_WORDS - 1)) == 0) tail = word(tail - PART_WORDS) + PART_DATA;
}

/** Writes a varint; returns the number of bits afterwards. */
export function putVarintBits(bit: u32, value: u64): u32 {
  while (value >= 0x80) {
    bit = putBits(bit, (<u32>value & 0x7f) | 0x80, 8);
    value >>= 7;
  }
  return putBits(bit, <u32>value, 8);
}

/** How many bits a varint takes. */
export function varintBits(value: u64): u32 {
  let n: u32 = 8;
  for (; value >= 0x80; value >>= 7) n += 8;
  return n;
}

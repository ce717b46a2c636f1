/**
 * Writing the bits of an open chunk: into 32-bit words, the first bit into the highest, along the parts that the words
 * lie in. A word is assigned when its first bit is written, so memory need not be cleared before. The parts that will be
 * needed must be linked already.
 */
import { ChunkPart } from "./head-layout.ts";

/** The word with the last bit that was written. */
export let tail = 0;

/** Sets where writing goes on. */
export function setTail(word: number): void {
  tail = word;
}

/**
 * Writes the low `n` bits of `value`, which has no others, 1 <= n <= 32. `bit` is the number of bits before, which tells
 * how full the tail is; returns the number afterwards.
 */
export function putBits(words: Uint32Array, bit: number, value: number, n: number): number {
  const used = bit & 31;
  if (used === 0) {
    advance(words);
    words[tail] = value << (32 - n);
  } else if (n <= 32 - used) {
    words[tail] |= value << (32 - used - n);
  } else {
    const rest = n - 32 + used;
    words[tail] |= value >>> rest;
    advance(words);
    words[tail] = value << (32 - rest);
  }
  return bit + n;
}

/** To the next word, in the next part where this one is full. */
function advance(words: Uint32Array): void {
  tail++;
  if ((tail & (ChunkPart.words - 1)) === 0) tail = words[tail - ChunkPart.words] + ChunkPart.data;
}

/** Writes a varint; returns the number of bits afterwards. */
export function putVarintBits(words: Uint32Array, bit: number, value: number): number {
  while (value >= 0x80) {
    bit = putBits(words, bit, (value % 128) | 0x80, 8);
    value = Math.floor(value / 128);
  }
  return putBits(words, bit, value, 8);
}

/** How many bits a varint takes. */
export function varintBits(value: number): number {
  let n = 8;
  for (; value >= 0x80; value = Math.floor(value / 128)) n += 8;
  return n;
}

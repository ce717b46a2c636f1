/**
 * MD5 (RFC 1321) of a short text. Only `hashmod` relabelling uses it: sharding by it must pick the same targets as
 * Prometheus does. Nothing here depends on it for security.
 */
import { encodeUtf8 } from "../base/bytes.ts";

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

/** The integer parts of 2^32 × |sin(i)| for i = 1 … 64, as the RFC defines them. */
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

/** The 16 bytes of the digest of `text` in UTF-8. */
export function md5(text: string): Uint8Array {
  const words = paddedWords(encodeUtf8(text));
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let block = 0; block < words.length; block += 16) mixBlock(state, words, block);
  const digest = new Uint8Array(16);
  const view = new DataView(digest.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(i * 4, state[i], true);
  return digest;
}

/** The message, a one bit, zeros and the bit length: whole 64-byte blocks of little-endian words. */
function paddedWords(message: Uint8Array): Int32Array {
  const blocks = Math.floor((message.length + 8) / 64) + 1;
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, message.length * 8, true);
  view.setUint32(padded.length - 4, Math.floor(message.length / 0x20000000), true);
  return Int32Array.from({ length: blocks * 16 }, (_, i) => view.getInt32(i * 4, true));
}

function mixBlock(state: Int32Array, words: Int32Array, block: number): void {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      mixed = (b & d) | (c & ~d);
      word = (5 * i + 1) & 15;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    const sum = (a + mixed + sines[i] + words[block + word]) | 0;
    const shift = shifts[round * 4 + (i & 3)];
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

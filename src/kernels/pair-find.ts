/** Looks pairs up by the bytes of their protobuf field. For the writer and for readers at the same time. */
import {
  directoryHeaderWords,
  Pair,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Table,
} from "./head-layout.ts";

/**
 * Compares the string slab at `string` with bytes[start, …): the number of bytes it has if they are the same, otherwise
 * 0. `end` is where the bytes stop.
 */
export function matchString(
  words: Uint32Array,
  string: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const length = words[string];
  if (length > end - start) return 0;
  let at = start;
  let word = string + 1;
  for (const last = start + length - 4; at <= last; at += 4) {
    const x = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    if ((words[word++] | 0) !== x) return 0;
  }
  const rest = start + length - at;
  if (rest > 0) {
    let x = bytes[at];
    if (rest > 1) x |= bytes[at + 1] << 8;
    if (rest > 2) x |= bytes[at + 2] << 16;
    if ((words[word] & (0xffffff >>> (24 - 8 * rest))) !== x) return 0;
  }
  return length;
}

/** The id of the pair whose field is bytes[start, end); 0 if there is none. `hash` is hashBytes of them. */
export function findPair(
  words: Uint32Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  hash: number,
): number {
  const table = Atomics.load(words, Root.pairTable);
  const mask = words[table + Table.mask];
  const directory = Atomics.load(words, Root.pairDirectory);
  for (let i = hash & mask; ; i = (i + 1) & mask) {
    const slot = table + Table.header + 2 * i;
    const id = Atomics.load(words, slot + 1);
    if (id === 0) return 0;
    if (words[slot] !== hash) continue;
    const page = words[directory + directoryHeaderWords + (id >>> recordsPerPageBits)];
    const header = page + (id & (recordsPerPage - 1)) * Pair.words;
    if (matchString(words, words[header + Pair.string], bytes, start, end) === end - start) return id;
  }
}

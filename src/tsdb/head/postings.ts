/**
 * Posting lists from the writer's side: appending refs to blocks, and copying lists without the refs of dead series.
 * Layout: docs/formats/head-memory.md.
 */
import { Block, noPosting, Pair, Purpose } from "../../kernels/head-layout.ts";
import type { Arena } from "./arena.ts";
import { pairHeader } from "./memory.ts";
import type { Retired } from "./retired.ts";

const blockWordsMin = 8;
const blockWordsMax = 1024;

/** Adds `ref`, higher than all before it, to the postings of a pair. */
export function appendPosting(words: Uint32Array, arena: Arena, pair: number, ref: number): void {
  const header = pairHeader(words, pair);
  let block = words[header + Pair.tail];
  let size = words[block + Block.capacity];
  if (size >>> 16 === (size & 0xffff)) {
    const next = newBlock(words, arena, words[header + Pair.length] >>> 2);
    Atomics.store(words, block + Block.next, next);
    words[header + Pair.tail] = next;
    block = next;
    size = words[block + Block.capacity];
  }
  words[block + Block.header + (size >>> 16)] = ref;
  words[block + Block.capacity] = size + 0x10000;
  words[header + Pair.length]++;
}

/** Retires the blocks of a pair that is given up; the first may be part of its header. */
export function retirePostings(words: Uint32Array, retired: Retired, pair: number): void {
  const header = pairHeader(words, pair);
  for (let block = words[header + Pair.first]; block !== 0; block = words[block + Block.next]) {
    if (block !== header + Pair.block) retired.memory(block, Purpose.postings);
  }
}

/** An empty block for about `refs` refs. */
function newBlock(words: Uint32Array, arena: Arena, refs: number): number {
  let size = blockWordsMin;
  while (size < blockWordsMax && size < refs) size *= 2;
  const block = arena.alloc(size, Purpose.postings);
  const capacity = arena.sizeOf(block) - Block.header;
  words[block + Block.next] = 0;
  words[block + Block.capacity] = capacity;
  words.fill(noPosting, block + Block.header, block + Block.header + capacity);
  return block;
}

/**
 * Removes dead refs from one list, some blocks at a time, while readers go along it and appends come in between.
 * Live refs are copied into new blocks; a copied block that is not the last holds exactly its refs, because readers take
 * an unused word for the end of the list.
 */
export class PostingsCompaction {
  readonly #words: Uint32Array;
  readonly #arena: Arena;
  readonly #retired: Retired;
  readonly #isDead: (ref: number) => boolean;
  readonly #pair: number;
  /** The word that links to the next block to look at. */
  #link: number;
  readonly #gathered = new Uint32Array(blockWordsMax);

  constructor(
    words: Uint32Array,
    arena: Arena,
    retired: Retired,
    pair: number,
    isDead: (ref: number) => boolean,
  ) {
    this.#words = words;
    this.#arena = arena;
    this.#retired = retired;
    this.#pair = pair;
    this.#isDead = isDead;
    this.#link = pairHeader(words, pair) + Pair.first;
  }

  /** Works on up to about 1,000 refs; false when the end of the list is reached. */
  step(): boolean {
    const words = this.#words;
    const first = words[this.#link];
    if (first === 0) return false;
    let n = 0;
    let seen = 0;
    let block = first;
    while (block !== 0) {
      const used = words[block + Block.capacity] >>> 16;
      if (block !== first && seen + used > blockWordsMax - Block.header) break;
      for (let i = 0; i < used; i++) {
        const ref = words[block + Block.header + i];
        if (!this.#isDead(ref)) this.#gathered[n++] = ref;
      }
      seen += used;
      block = words[block + Block.next];
    }
    if (n < seen) {
      this.#replace(first, block, n);
      words[pairHeader(words, this.#pair) + Pair.length] -= seen - n;
    } else {
      this.#link = this.#lastBefore(first, block) + Block.next;
    }
    return block !== 0;
  }

  /** Whether nothing is left of the list. */
  get isEmpty(): boolean {
    return this.#words[pairHeader(this.#words, this.#pair) + Pair.length] === 0;
  }

  /** Puts `n` gathered refs in the place of the blocks from `first` up to, not including, `rest`. */
  #replace(first: number, rest: number, n: number): void {
    const words = this.#words;
    const header = pairHeader(words, this.#pair);
    let replacement = rest;
    let last = 0;
    if (n > 0 || rest === 0) {
      replacement = this.#fill(n, rest);
      last = replacement;
    }
    if (rest === 0) words[header + Pair.tail] = replacement;
    Atomics.store(words, this.#link, replacement);
    for (let block = first; block !== rest; block = words[block + Block.next]) {
      if (block !== header + Pair.block) this.#retired.memory(block, Purpose.postings);
    }
    if (last !== 0) this.#link = last + Block.next;
  }

  /** A block with the gathered refs, linked to `rest`; with room to append where there is none. */
  #fill(n: number, rest: number): number {
    const words = this.#words;
    const block = newBlock(words, this.#arena, n + Block.header + (rest === 0 ? 1 : 0));
    words.set(this.#gathered.subarray(0, n), block + Block.header);
    const capacity = rest === 0 ? words[block + Block.capacity] & 0xffff : n;
    words[block + Block.capacity] = capacity | (n << 16);
    words[block + Block.next] = rest;
    return block;
  }

  #lastBefore(first: number, rest: number): number {
    const words = this.#words;
    let block = first;
    while (words[block + Block.next] !== rest) block = words[block + Block.next];
    return block;
  }
}

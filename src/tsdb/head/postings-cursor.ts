/**
 * Goes along a posting list from a reader's side, up to the highest ref that the reader may see. Valid while the reader
 * is pinned.
 */
import { Block, Pair } from "../../kernels/head-layout.ts";
import { pairHeader } from "./memory.ts";

/** Behind the last ref. */
export const endOfPostings = 0xffffffff;

export class PostingsCursor {
  readonly #words: Uint32Array;
  readonly #lastRef: number;
  #block: number;
  #capacity: number;
  #index = 0;
  /** The current ref, {@link endOfPostings} behind the last. */
  ref = 0;

  constructor(words: Uint32Array, pair: number, lastRef: number) {
    this.#words = words;
    this.#lastRef = lastRef;
    this.#block = Atomics.load(words, pairHeader(words, pair) + Pair.first);
    this.#capacity = words[this.#block + Block.capacity] & 0xffff;
    this.#load();
  }

  /** Steps to the next ref and returns it. */
  next(): number {
    this.#index++;
    return this.#load();
  }

  /** Steps to the first ref that is at least `target` and returns it. */
  seek(target: number): number {
    if (this.ref >= target) return this.ref;
    const words = this.#words;
    for (;;) {
      const start = this.#block + Block.header;
      const last = words[start + this.#capacity - 1];
      if (last >= target) break;
      const next = Atomics.load(words, this.#block + Block.next);
      if (next === 0) {
        this.ref = endOfPostings;
        return this.ref;
      }
      this.#enter(next);
    }
    this.#gallop(target);
    return this.#load();
  }

  /**
   * Appends all refs from the current one on to `out` from index `n`; returns the new `n`. Stops, to be
   * called again, when `out` is full.
   */
  drain(out: Uint32Array, n: number): number {
    const words = this.#words;
    const lastRef = this.#lastRef;
    while (this.ref !== endOfPostings) {
      const start = this.#block + Block.header;
      for (let i = this.#index; i < this.#capacity; i++) {
        const ref = words[start + i];
        if (ref > lastRef) {
          this.ref = endOfPostings;
          return n;
        }
        if (n === out.length) {
          this.#index = i;
          this.ref = ref;
          return n;
        }
        out[n++] = ref;
      }
      this.#index = this.#capacity;
      this.#load();
    }
    return n;
  }

  /** The first index from the current one on whose ref is at least `target`; the block is known to have one. */
  #gallop(target: number): void {
    const words = this.#words;
    const start = this.#block + Block.header;
    let low = this.#index;
    let step = 1;
    while (low + step < this.#capacity && words[start + low + step] < target) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step, this.#capacity - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[start + middle] < target) low = middle + 1;
      else high = middle;
    }
    this.#index = low;
  }

  #enter(block: number): void {
    this.#block = block;
    this.#capacity = this.#words[block + Block.capacity] & 0xffff;
    this.#index = 0;
  }

  #load(): number {
    const words = this.#words;
    while (this.#index >= this.#capacity) {
      const next = Atomics.load(words, this.#block + Block.next);
      if (next === 0) {
        this.ref = endOfPostings;
        return this.ref;
      }
      this.#enter(next);
    }
    const ref = words[this.#block + Block.header + this.#index];
    this.ref = ref > this.#lastRef ? endOfPostings : ref;
    return this.ref;
  }
}

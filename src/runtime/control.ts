/**
 * The few words that all threads share besides the head: whether the head may be queried, how often the set of blocks
 * changed, for each query thread whether its query was cancelled, and what is to be known of memory.
 *
 * words: 0 readiness · 1 version of the set of blocks · 2 seconds since 1970 of the newest block's end, for queries
 * while the head is not ready (see {@link Control.headFromMs}) · 8 + n cancellation of query thread n ·
 * 72 … memory-words.ts
 */

import { MemoryWords } from "./memory-words.ts";

const readinessWord = 0;
const blocksVersionWord = 1;
const headFromWord = 2;
const cancelWords = 8;

/** The most query threads there can be. */
export const queryThreadsMax = 64;
/** Those, and the compaction thread: in the memory words it comes after them. */
const readersMax = queryThreadsMax + 1;
const memoryWords = cancelWords + queryThreadsMax;

export class Control {
  readonly buffer: SharedArrayBuffer;
  readonly memory: MemoryWords;
  readonly #words: Int32Array;

  /** A new control block, or the one in `buffer`. */
  constructor(buffer = new SharedArrayBuffer(4 * (memoryWords + MemoryWords.count(readersMax)))) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.memory = new MemoryWords(this.#words.subarray(memoryWords), readersMax);
  }

  /** Whether the WAL has been replayed, so that the head is complete. */
  get headReady(): boolean {
    return Atomics.load(this.#words, readinessWord) === 1;
  }

  set headReady(ready: boolean) {
    Atomics.store(this.#words, readinessWord, ready ? 1 : 0);
  }

  /** Counts the changes of the set of blocks. A thread that sees another number than last time reloads its set. */
  get blocksVersion(): number {
    return Atomics.load(this.#words, blocksVersionWord);
  }

  /** To be called after blocks appeared or went, before anything they replace goes. */
  blocksChanged(): void {
    Atomics.add(this.#words, blocksVersionWord, 1);
  }

  /** While the head is not ready: the time (ms) from which on samples may be in the head only. */
  get headFromMs(): number {
    return Atomics.load(this.#words, headFromWord) * 1000;
  }

  set headFromMs(ms: number) {
    Atomics.store(this.#words, headFromWord, Math.max(-(2 ** 31), Math.floor(ms / 1000)));
  }

  /** The cancellation word of a query thread: not 0 means that its query is to end. */
  cancellation(thread: number): Int32Array {
    return this.#words.subarray(cancelWords + thread, cancelWords + thread + 1);
  }
}

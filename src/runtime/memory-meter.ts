/**
 * Measures what of the process's memory is not counted anywhere: threads, code, JavaScript heaps. What the limit leaves
 * beside that and the shares of the others is the arena's. In the main thread.
 */
import type { Clock, Timer } from "../base/env.ts";
import { arenaPages, type MemoryShares, pageBytes } from "../tsdb/budget/shares.ts";
import type { MemoryWords } from "./memory-words.ts";

const intervalMs = 1000;
/** What was high once may be so again: the measured part falls by this share a second at most. */
const decay = 0.002;
/** For each thread that may still be started. */
const threadBytes = 24 * 2 ** 20;

export interface MemoryMeterEnv {
  readonly clock: Clock;
  readonly residentBytes: () => number;
  /** How many threads may still be started. */
  readonly threadsToCome: () => number;
}

/** The parts of the process's memory, bytes. */
export interface MemoryParts {
  readonly fixed: number;
  readonly arena: number;
  readonly caches: number;
  readonly queries: number;
  /** Buffers of compactions, as of their last step. */
  readonly compaction: number;
}

export class MemoryMeter {
  readonly shares: MemoryShares;
  readonly #env: MemoryMeterEnv;
  readonly #words: MemoryWords;
  #fixedBytes = 0;
  #timer: Timer | undefined;

  constructor(env: MemoryMeterEnv, shares: MemoryShares, words: MemoryWords) {
    this.#env = env;
    this.shares = shares;
    this.#words = words;
  }

  /** Measures now, and from now on regularly. */
  start(): void {
    this.#timer?.cancel();
    this.measure();
    this.#timer = this.#env.clock.after(intervalMs, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  measure(): void {
    const words = this.#words;
    const counted =
      words.pagesTaken * pageBytes + words.cacheBytes + words.queryBytes + words.compactionBytes;
    const fixed = Math.max(0, this.#env.residentBytes() - counted);
    this.#fixedBytes = Math.max(fixed, this.#fixedBytes * (1 - decay));
    words.arenaPages = arenaPages(this.shares, this.#fixedBytes + this.#env.threadsToCome() * threadBytes);
  }

  get parts(): MemoryParts {
    const words = this.#words;
    return {
      fixed: Math.round(this.#fixedBytes),
      arena: words.pagesTaken * pageBytes,
      caches: words.cacheBytes,
      queries: words.queryBytes,
      compaction: words.compactionBytes,
    };
  }
}

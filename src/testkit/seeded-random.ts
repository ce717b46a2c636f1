/** Random numbers that are the same for the same seed (the generator SplitMix32). */
import type { Random } from "../base/env.ts";

export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** A uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.u32() / 0x100000000) * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.u32() < probability * 0x100000000;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}

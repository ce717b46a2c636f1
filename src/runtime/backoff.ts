/**
 * When to try again what failed: after each failure later, up to a bound. Writing a block that finds no room in the end
 * keeps disk and processor as busy as one that does.
 */
import type { Clock } from "../base/env.ts";

const pausesMax = 16;

export class Backoff {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #pauseMs: number;
  #failures = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** The first pause, and the unit of all; none is longer than 16 of them. */
  constructor(clock: Pick<Clock, "monotonicMs">, pauseMs: number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  get isWaiting(): boolean {
    return this.#clock.monotonicMs() < this.#untilMs;
  }

  failed(): void {
    const pauses = Math.min(2 ** this.#failures, pausesMax);
    this.#failures++;
    this.#untilMs = this.#clock.monotonicMs() + pauses * this.#pauseMs;
  }

  /** It succeeded, or something changed that may let it. */
  reset(): void {
    this.#failures = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}

/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from "../base/env.ts";

interface PendingTimer {
  readonly atMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#wallMs = nowMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer: PendingTimer = { atMs: this.#monotonicMs + Math.max(0, delayMs), action };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, running each timer at its time, those of the same time in the order of their making. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      let next: PendingTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#moveTo(next.atMs);
      next.action();
    }
    this.#moveTo(endMs);
  }

  /** Sets the wall clock, as an administrator would: timers do not notice. */
  jumpTo(nowMs: number): void {
    this.#wallMs = nowMs;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/**
 * When a target is scraped, and which timestamp a scrape gets.
 *
 * A target's scrapes happen at a fixed phase of its interval, pinned to wall time and chosen by a hash: targets are
 * spread evenly, the phase survives restarts, and servers with different seeds scrape at different times. Timestamps
 * are set to the exact multiple of the interval where the clock is at most 2 ms late, because equal steps compress
 * far better.
 */

/** A stable number in [0, 2^53) for a text: two FNV-1a hashes of its UTF-16 units, mixed. */
export function hashText(text: string): number {
  let a = 0x811c9dc5;
  let b = 0xc9dc5118;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return mix(a) * 0x200000 + (mix(b) >>> 11);
}

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Milliseconds from `nowMs` until the next scrape of the target with this hash: in [0, intervalMs]. */
export function scrapeOffsetMs(hash: number, intervalMs: number, nowMs: number): number {
  const untilBase = intervalMs - (nowMs % intervalMs);
  const next = untilBase + (hash % intervalMs);
  return next > intervalMs ? next - intervalMs : next;
}

/** The timestamps of one target's scrapes. */
export class ScrapeTimestamps {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #alignedMs: number;

  /** `firstMs` is the wall time at which the first scrape starts; `toleranceMs` 0 turns alignment off. */
  constructor(firstMs: number, intervalMs: number, toleranceMs: number) {
    this.#intervalMs = intervalMs;
    this.#toleranceMs = Math.min(intervalMs / 100, toleranceMs);
    this.#alignedMs = firstMs;
  }

  /** The timestamp of a scrape that starts at `nowMs`. */
  next(nowMs: number): number {
    const lateMs = nowMs - this.#alignedMs;
    const steps = Math.floor(lateMs / this.#intervalMs);
    if (steps > 0) this.#alignedMs += steps * this.#intervalMs;
    // The clock was set back: the schedule starts anew, or scrapes would get one timestamp until time has caught up.
    else if (lateMs < -this.#toleranceMs) this.#alignedMs = nowMs;
    return nowMs - this.#alignedMs <= this.#toleranceMs ? this.#alignedMs : nowMs;
  }
}

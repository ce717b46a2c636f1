/**
 * The urgency score: how near the memory's limit is, from 0 to 1, by what the head's arena holds. And what follows from
 * it, in one place:
 *
 *   < 0.7          all is well
 *   ≥ 0.8 …< 0.7   rushed mode: full chunks are persisted, caches shrink, the head is cut early, stale series go
 *   ≥ 0.9          new queries are refused
 *   1              new series are refused; known series go on
 *
 * The score reaches 1 before the arena is full: the rest is kept for the samples of series that are known.
 */

export const rushedFrom = 0.8;
export const rushedUntil = 0.7;
export const queriesRefusedFrom = 0.9;

/** Of the arena, for known series only: new chunks, chunk lists, the columns of a request. */
const keptShare = 0.06;
/** In pages of 64 KiB. */
const keptPagesMin = 96;

/** How many of `pagesMax` pages of the arena are never given to new series. */
export function pagesKept(pagesMax: number): number {
  return Math.min(pagesMax, Math.max(keptPagesMin, Math.ceil(pagesMax * keptShare)));
}

/**
 * The score of an arena that holds `held` pages' worth of memory, of which `taken` pages are not to be had for
 * anything else, and may take `pagesMax`.
 */
export function urgencyScore(held: number, taken: number, pagesMax: number): number {
  const room = pagesMax - pagesKept(pagesMax);
  // Nothing new fits where all pages are taken, however little of them is in use.
  if (room <= 0 || taken >= room) return 1;
  return Math.min(1, Math.max(0, held / room));
}

/** The state that has a memory: rushed mode is left at a lower score than it is entered at. */
export class Urgency {
  #score = 0;
  #rushed = false;

  /** Takes a new score; returns whether rushed mode was entered or left by it. */
  update(score: number): boolean {
    this.#score = score;
    const rushed = score >= rushedFrom || (this.#rushed && score >= rushedUntil);
    const changed = rushed !== this.#rushed;
    this.#rushed = rushed;
    return changed;
  }

  get score(): number {
    return this.#score;
  }

  get rushed(): boolean {
    return this.#rushed;
  }

  get refusesQueries(): boolean {
    return this.#score >= queriesRefusedFrom;
  }

  get refusesNewSeries(): boolean {
    return this.#score >= 1;
  }
}

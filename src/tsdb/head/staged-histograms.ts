/**
 * The native histograms of a batch, and where they stand among its floats. The kernel takes floats as columns, the log
 * writes them as records of their own kinds, so a batch is cut into *groups* in which every series has samples of one kind only: first the
 * floats of a group, then its integer histograms, then its float histograms. Nearly always there is one. As Prometheus's
 * appender since 3.7.
 */
import type { Histogram } from "../../model/histogram.ts";

export interface StagedHistogram {
  readonly ref: number;
  readonly t: number;
  readonly histogram: Histogram;
  /** Since when it counts; 0 for not known. */
  readonly start: number;
}

/** A group while it is filled. */
interface OpenGroup {
  floatsEnd: number;
  readonly integers: StagedHistogram[];
  readonly floats: StagedHistogram[];
}

export interface SampleGroup {
  /** Its floats are those of the staged columns up to here that no group before has. */
  readonly floatsEnd: number;
  readonly integers: readonly StagedHistogram[];
  readonly floats: readonly StagedHistogram[];
}

export interface LastHistogram {
  readonly isFloat: boolean;
  /** How many floats were staged before it. */
  readonly floatsBefore: number;
}

/** What goes into chunks or records of its own. */
const Kind = { integer: 1, customInteger: 2, float: 3, customFloat: 4 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

function kindOf(histogram: Histogram): Kind {
  if (histogram.isFloat) return histogram.isCustom ? Kind.customFloat : Kind.float;
  return histogram.isCustom ? Kind.customInteger : Kind.integer;
}

export class StagedHistograms {
  /** All but the last are complete; of the last one floatsEnd is not set yet. */
  #groups: OpenGroup[] = [];
  /** Of the series with histograms in the last group. */
  readonly #kinds = new Map<number, Kind>();
  readonly #last = new Map<number, LastHistogram>();
  n = 0;

  /** Whether the series has any. */
  has(ref: number): boolean {
    return this.#last.has(ref);
  }

  /** Whether the series has any in the last group. */
  isInGroup(ref: number): boolean {
    return this.#kinds.has(ref);
  }

  /** The newest of a series. */
  last(ref: number): LastHistogram | undefined {
    return this.#last.get(ref);
  }

  /** Stages a histogram after `floats` floats. */
  push(ref: number, t: number, histogram: Histogram, start: number, floats: number): void {
    const kind = kindOf(histogram);
    const before = this.#kinds.get(ref);
    if (this.#groups.length === 0) this.#begin();
    else if (before !== undefined && before !== kind) this.endGroup(floats);
    this.#kinds.set(ref, kind);
    this.#last.set(ref, { isFloat: histogram.isFloat, floatsBefore: floats });
    const group = this.#groups[this.#groups.length - 1];
    (histogram.isFloat ? group.floats : group.integers).push({ ref, t, histogram, start });
    this.n++;
  }

  /** What follows belongs to another group: a float comes for a series with a histogram. */
  endGroup(floats: number): void {
    this.#groups[this.#groups.length - 1].floatsEnd = floats;
    this.#begin();
  }

  /** The groups of a batch with `floats` floats; one at least. */
  groups(floats: number): readonly SampleGroup[] {
    if (this.#groups.length === 0) this.#begin();
    this.#groups[this.#groups.length - 1].floatsEnd = floats;
    return this.#groups;
  }

  clear(): void {
    this.#groups = [];
    this.#kinds.clear();
    this.#last.clear();
    this.n = 0;
  }

  #begin(): void {
    this.#groups.push({ floatsEnd: 0, integers: [], floats: [] });
    this.#kinds.clear();
  }
}

/**
 * The newest exemplars of all series: a ring of a fixed number, oldest in order of arrival overwritten first. Rules and
 * order as Prometheus's circular exemplar storage without an out-of-order window. Plain objects of the writer.
 */
import type { Labels } from "../../model/labels.ts";
import { compareLabels } from "../../model/labels.ts";
import type { Matcher } from "../../model/matcher.ts";
import { type Exemplar, Outcome } from "../../storage/appender.ts";

/** OpenMetrics: the names and values of an exemplar's labels have this many characters at most, all together. */
const labelCharactersMax = 128;

export interface SeriesExemplars {
  readonly labels: Labels;
  /** Ascending by time. */
  readonly exemplars: readonly Exemplar[];
}

interface Entry {
  readonly series: SeriesEntry;
  readonly exemplar: Exemplar;
}

interface SeriesEntry {
  readonly labels: Labels;
  /** Oldest first. */
  readonly exemplars: Exemplar[];
}

export class ExemplarRing {
  #ring: (Entry | undefined)[];
  #next = 0;
  readonly #series = new Map<string, SeriesEntry>();
  /** For the metrics. */
  appended = 0;
  outOfOrder = 0;

  constructor(countMax: number) {
    this.#ring = new Array<Entry | undefined>(countMax).fill(undefined);
  }

  /** How many fit. */
  get countMax(): number {
    return this.#ring.length;
  }

  /** How many there are. */
  get count(): number {
    return this.#ring[this.#next] === undefined ? this.#next : this.#ring.length;
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  /** The time of the exemplar that goes next, ms; 0 when there is none. */
  get oldestTime(): number {
    return (this.#ring[this.#next] ?? this.#ring[0])?.exemplar.t ?? 0;
  }

  /** What would become of it. `outOfBounds` where its labels are too long or malformed: it is dropped. */
  judge(series: Labels, exemplar: Exemplar): Outcome {
    if (this.#ring.length === 0 || !hasGoodLabels(exemplar)) return Outcome.outOfBounds;
    const newest = this.#series.get(series.key)?.exemplars.at(-1);
    if (newest === undefined) return Outcome.ok;
    if (isSame(newest, exemplar)) return Outcome.duplicate;
    return isBefore(exemplar, newest) ? Outcome.outOfOrder : Outcome.ok;
  }

  add(series: Labels, exemplar: Exemplar): Outcome {
    const outcome = this.judge(series, exemplar);
    if (outcome === Outcome.outOfOrder) this.outOfOrder++;
    if (outcome !== Outcome.ok) return outcome;
    const overwritten = this.#ring[this.#next];
    if (overwritten !== undefined) this.#remove(overwritten);
    let entry = this.#series.get(series.key);
    if (entry === undefined) {
      entry = { labels: series, exemplars: [] };
      this.#series.set(series.key, entry);
    }
    entry.exemplars.push(exemplar);
    this.#ring[this.#next] = { series: entry, exemplar };
    this.#next = (this.#next + 1) % this.#ring.length;
    this.appended++;
    return outcome;
  }

  /** Those with start <= t <= end of series that match all matchers of one of the sets; sorted by labels. */
  select(start: number, end: number, matcherSets: readonly (readonly Matcher[])[]): SeriesExemplars[] {
    const found: SeriesExemplars[] = [];
    for (const { labels, exemplars } of this.#series.values()) {
      if (!matcherSets.some((set) => set.every((matcher) => matcher.matches(labels.get(matcher.name)))))
        continue;
      const inRange = exemplars.filter(({ t }) => t >= start && t <= end);
      if (inRange.length > 0) found.push({ labels, exemplars: inRange });
    }
    return found.sort((a, b) => compareLabels(a.labels, b.labels));
  }

  /** In the order of arrival. */
  *entries(): Generator<{ readonly labels: Labels; readonly exemplar: Exemplar }> {
    for (let i = 0; i < this.#ring.length; i++) {
      const entry = this.#ring[(this.#next + i) % this.#ring.length];
      if (entry !== undefined) yield { labels: entry.series.labels, exemplar: entry.exemplar };
    }
  }

  /** Changes how many fit; those that arrived last stay. */
  resize(countMax: number): void {
    if (countMax === this.#ring.length) return;
    const kept: Entry[] = [];
    for (let i = 0; i < this.#ring.length; i++) {
      const entry = this.#ring[(this.#next + i) % this.#ring.length];
      if (entry !== undefined) kept.push(entry);
    }
    for (const entry of kept.splice(0, Math.max(0, kept.length - countMax))) this.#remove(entry);
    const ring = new Array<Entry | undefined>(countMax).fill(undefined);
    kept.forEach((entry, i) => {
      ring[i] = entry;
    });
    this.#ring = ring;
    this.#next = countMax === 0 ? 0 : kept.length % countMax;
  }

  /** In the order of arrival, so the entry is the oldest of its series. */
  #remove(entry: Entry): void {
    const { series, exemplar } = entry;
    series.exemplars.splice(series.exemplars.indexOf(exemplar), 1);
    if (series.exemplars.length === 0) this.#series.delete(series.labels.key);
  }
}

function hasGoodLabels(exemplar: Exemplar): boolean {
  let characters = 0;
  for (const text of exemplar.labels.pairs) {
    // Code points, not UTF-16 units.
    for (const _ of text) characters++;
    if (characters > labelCharactersMax) return false;
  }
  return true;
}

function isSame(a: Exemplar, b: Exemplar): boolean {
  if (!a.labels.equals(b.labels)) return false;
  if ((a.hasTimestamp || b.hasTimestamp) && a.t !== b.t) return false;
  return a.value === b.value;
}

/**
 * Of exemplars at the same time the one with the lower value comes first; Prometheus then compares hashes of the labels,
 * which decides as arbitrarily as the labels themselves do.
 */
function isBefore(a: Exemplar, b: Exemplar): boolean {
  if (a.t !== b.t) return a.t < b.t;
  return a.value < b.value || (a.value === b.value && compareLabels(a.labels, b.labels) < 0);
}

/**
 * What several answers to one question, which differ, have in common: the series and points that all of them have or
 * any of them has, and between which values a point lies.
 */
import { type Answer, keyOf, pointsOf } from "./answers.ts";

interface Bounds {
  /** How many answers have it. */
  seen: number;
  least: number;
  greatest: number;
  hasNaN: boolean;
}

/** Sums in another order differ by a few units in the last place, more where something cancels out. */
const relativeError = 1e-9;

export class Envelope {
  #successes = 0;
  readonly #errors = new Set<string>();
  readonly #points = new Map<string, Bounds>();

  add(answer: Answer): void {
    if (answer.error === undefined) this.#successes++;
    else this.#errors.add(withoutExample(answer.error));
    for (const [key, value] of pointsByKey(answer)) {
      const bounds = this.#points.get(key) ?? {
        seen: 0,
        least: Infinity,
        greatest: -Infinity,
        hasNaN: false,
      };
      this.#points.set(key, bounds);
      bounds.seen++;
      bounds.hasNaN ||= Number.isNaN(value);
      if (value < bounds.least) bounds.least = value;
      if (value > bounds.greatest) bounds.greatest = value;
    }
  }

  /** What an answer has that none of them has, or lacks that all of them have; undefined where it fits. */
  misfit(answer: Answer): string | undefined {
    const { error } = answer;
    if (error !== undefined) {
      return this.#errors.has(withoutExample(error)) ? undefined : `an error that they do not have: ${error}`;
    }
    if (this.#successes === 0) return "ours is no error";
    const points = new Map(pointsByKey(answer));
    for (const [key, value] of points) {
      const bounds = this.#points.get(key);
      if (bounds === undefined) return `ours has a point too many: ${key}`;
      if (!fits(value, bounds)) return `${key}: theirs ${bounds.least} to ${bounds.greatest}, ours ${value}`;
    }
    const missing = [...this.#points].find(([key, { seen }]) => seen === this.#successes && !points.has(key));
    return missing === undefined ? undefined : `ours lacks a point: ${missing[0]}`;
  }
}

function fits(value: number, { least, greatest, hasNaN }: Bounds): boolean {
  if (Number.isNaN(value)) return hasNaN;
  const margin = Math.max(
    greatest - least || 0,
    relativeError * Math.max(Math.abs(least), Math.abs(greatest)) || 0,
  );
  return (value >= least - margin && value <= greatest + margin) || value === least || value === greatest;
}

function* pointsByKey({ series, single }: Answer): Generator<[string, number]> {
  if (single !== undefined) yield ["", numberOf(single[1])];
  for (const one of series) {
    const key = keyOf(one.metric);
    for (const [t, value] of pointsOf(one)) yield [`${key} ${t}`, numberOf(value)];
  }
}

/** Without the two series of many that happened to come first. */
const withoutExample = (error: string) =>
  error.replace(/(?<=found duplicate series for the match group ).*/, "");

const numberOf = (text: string) => Number(text.replace("Inf", "Infinity"));

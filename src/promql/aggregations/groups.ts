/** Which group of `by (…)` or `without (…)` a series belongs to. Groups are numbered in order of appearance. */
import { type Labels, metricName } from "../../model/labels.ts";

export interface Grouping {
  readonly names: readonly string[];
  readonly without: boolean;
}

export class Groups {
  /** The labels of every group. */
  readonly labels: Labels[] = [];
  readonly #names: ReadonlySet<string>;
  readonly #sorted: readonly string[];
  readonly #without: boolean;
  readonly #numbers = new Map<string, number>();

  constructor({ names, without }: Grouping) {
    this.#names = new Set(without ? [...names, metricName] : names);
    this.#sorted = [...this.#names];
    this.#without = without;
  }

  get count(): number {
    return this.labels.length;
  }

  /** The number of the series' group, a new one if need be. */
  of(labels: Labels): number {
    const key = this.#keyOf(labels);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.labels.length;
    this.#numbers.set(key, number);
    this.labels.push(this.#without ? labels.drop(this.#names) : labels.keep(this.#names));
    return number;
  }

  #keyOf(labels: Labels): string {
    if (!this.#without) {
      const names = this.#sorted;
      if (names.length === 0) return "";
      let key = labels.get(names[0]);
      for (let i = 1; i < names.length; i++) key += `\xff${labels.get(names[i])}`;
      return key;
    }
    const { pairs } = labels;
    let key = "";
    for (let i = 0; i < pairs.length; i += 2) {
      if (!this.#names.has(pairs[i])) key += `${pairs[i]}\xff${pairs[i + 1]}\xff`;
    }
    return key;
  }
}

/** Sorts rows into groups: the labels of every group, and the numbers of its rows. */
export function membersOf(
  rows: readonly Labels[],
  grouping: Grouping,
): { labels: readonly Labels[]; members: readonly number[][] } {
  const groups = new Groups(grouping);
  const members: number[][] = [];
  for (let row = 0; row < rows.length; row++) {
    const group = groups.of(rows[row]);
    if (group === members.length) members.push([]);
    members[group].push(row);
  }
  return { labels: groups.labels, members };
}

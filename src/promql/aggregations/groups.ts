/** Which group of `by (…)` or `without (…)` a series belongs to. Groups are numbered in order of appearance. */
import type { Labels } from "../../model/labels.ts";
import { LabelSubset } from "../label-subset.ts";

export interface Grouping {
  readonly names: readonly string[];
  readonly without: boolean;
}

export class Groups {
  /** The labels of every group. */
  readonly labels: Labels[] = [];
  readonly #subset: LabelSubset;
  readonly #numbers = new Map<string, number>();

  constructor({ names, without }: Grouping) {
    this.#subset = new LabelSubset(names, without);
  }

  get count(): number {
    return this.labels.length;
  }

  /** The number of the series' group, a new one if need be. */
  of(labels: Labels): number {
    const key = this.#subset.key(labels);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.labels.length;
    this.#numbers.set(key, number);
    this.labels.push(this.#subset.of(labels));
    return number;
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

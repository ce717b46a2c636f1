/** Some of a series's labels: those that are named, or all others. What `by`, `without`, `on` and `ignoring` speak of. */
import { keySeparator, type Labels, metricName } from "../model/labels.ts";

export class LabelSubset {
  readonly #names: ReadonlySet<string>;
  readonly #list: readonly string[];
  readonly #others: boolean;

  /** With `others` all labels but the named ones and the metric's name. */
  constructor(names: readonly string[], others: boolean) {
    this.#names = new Set(others ? [...names, metricName] : names);
    this.#list = [...this.#names];
    this.#others = others;
  }

  of(labels: Labels): Labels {
    return this.#others ? labels.drop(this.#names) : labels.keep(this.#names);
  }

  /** A string that is equal exactly where {@link of} is. */
  key(labels: Labels): string {
    return this.#others ? this.#keyOfOthers(labels) : this.#keyOfNamed(labels);
  }

  #keyOfNamed(labels: Labels): string {
    const names = this.#list;
    if (names.length === 0) return "";
    let key = labels.get(names[0]);
    for (let i = 1; i < names.length; i++) key += keySeparator + labels.get(names[i]);
    return key;
  }

  #keyOfOthers({ pairs }: Labels): string {
    let key = "";
    for (let i = 0; i < pairs.length; i += 2) {
      if (!this.#names.has(pairs[i])) key += pairs[i] + keySeparator + pairs[i + 1] + keySeparator;
    }
    return key;
  }
}

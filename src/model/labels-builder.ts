import { Labels } from "./labels.ts";

/**
 * A label set that is being changed. Setting a label to "" removes it, as everywhere in Prometheus.
 *
 * The order of {@link LabelsBuilder.entries} is defined because relabelling depends on it (of two labels mapped to one
 * name the later wins): first the untouched labels of the base, sorted, then what was set, in the order of setting.
 */
export class LabelsBuilder {
  readonly #base: Labels;
  readonly #set = new Map<string, string>();
  readonly #deleted = new Set<string>();

  constructor(base: Labels = Labels.empty) {
    this.#base = base;
  }

  /** The value of a label; "" where there is none. */
  get(name: string): string {
    const value = this.#set.get(name);
    if (value !== undefined) return value;
    return this.#deleted.has(name) ? "" : this.#base.get(name);
  }

  set(name: string, value: string): void {
    if (value === "") return this.delete(name);
    this.#set.set(name, value);
  }

  delete(name: string): void {
    this.#set.delete(name);
    this.#deleted.add(name);
  }

  /** A copy of what the label set holds now, so that it may be changed while the caller iterates. */
  entries(): [string, string][] {
    const kept: [string, string][] = [];
    for (const [name, value] of this.#base.entries()) {
      if (!this.#set.has(name) && !this.#deleted.has(name)) kept.push([name, value]);
    }
    kept.push(...this.#set);
    return kept;
  }

  /** The finished label set; the base itself where nothing changed. */
  labels(): Labels {
    if (this.#set.size === 0 && this.#deleted.size === 0) return this.#base;
    return Labels.of(this.entries());
  }
}

import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/strings.ts";

export const metricName = "__name__";

/** Stands between the parts of keys made of labels: half a surrogate pair, which no text decoded from UTF-8 holds. */
export const keySeparator = "\udfff";

/**
 * A label set: names sorted by their UTF-8 bytes, each once, no empty values (an empty value means "no such label").
 * Immutable.
 */
export class Labels {
  /** name, value, name, value, … */
  readonly pairs: readonly string[];
  #key: string | undefined;

  static readonly empty = new Labels([]);

  /** `pairs` must already be sorted and clean, and is owned by the label set from here on; see {@link Labels.of}. */
  constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** From any object or entries: sorts, drops empty values; the last of several equal names wins. */
  static of(from: Readonly<Record<string, string>> | Iterable<readonly [string, string]>): Labels {
    const entries =
      Symbol.iterator in from ? (from as Iterable<readonly [string, string]>) : Object.entries(from);
    const map = new Map<string, string>();
    for (const [name, value] of entries) map.set(name, value);
    const pairs: string[] = [];
    for (const name of [...map.keys()].sort(compareUtf8)) {
      const value = map.get(name) as string;
      if (value !== "") pairs.push(name, value);
    }
    return new Labels(pairs);
  }

  /** How many labels there are. */
  get size(): number {
    return this.pairs.length / 2;
  }

  /** The value of a label; "" where there is none. */
  get(name: string): string {
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1];
    return "";
  }

  has(name: string): boolean {
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return true;
    return false;
  }

  /** A string that is equal exactly for equal label sets: for Map keys. Not sorted like {@link compareLabels}. */
  get key(): string {
    this.#key ??= this.pairs.join(keySeparator);
    return this.#key;
  }

  equals(other: Labels): boolean {
    return this === other || this.key === other.key;
  }

  /** Only these labels. */
  keep(names: ReadonlySet<string>): Labels {
    return filtered(this, (name) => names.has(name));
  }

  /** All but these labels. */
  drop(names: ReadonlySet<string>): Labels {
    return filtered(this, (name) => !names.has(name));
  }

  /** With one label set, or removed where `value` is "". */
  with(name: string, value: string): Labels {
    return Labels.of([...this.entries(), [name, value]]);
  }

  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i], this.pairs[i + 1]];
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this.entries());
  }

  /** As Prometheus prints it in errors and logs: `{__name__="name", label="value"}`; names that need it are quoted. */
  toString(): string {
    const parts: string[] = [];
    for (const [name, value] of this.entries()) {
      parts.push(`${isLegacyLabelName(name) ? name : quote(name)}=${quote(value)}`);
    }
    return `{${parts.join(", ")}}`;
  }
}

// Not a private method: TypeScript 7.0 breaks static fields that make their own class where there is one.
function filtered(labels: Labels, wanted: (name: string) => boolean): Labels {
  const { pairs } = labels;
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (wanted(pairs[i])) kept.push(pairs[i], pairs[i + 1]);
  return kept.length === pairs.length ? labels : new Labels(kept);
}

/** Prometheus's order of series: label by label, name before value, by bytes; a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const x = a.pairs;
  const y = b.pairs;
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    if (x[i] === y[i]) continue;
    const order = compareUtf8(x[i], y[i]);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

/** `[a-zA-Z_:][a-zA-Z0-9_:]*` */
export function isLegacyMetricName(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
}

/** `[a-zA-Z_][a-zA-Z0-9_]*` */
export function isLegacyLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}

/** How the series of two vectors find each other: `on`, `ignoring`, and what labels the result has. */
import { type Labels, metricName } from "../../model/labels.ts";
import { LabelsBuilder } from "../../model/labels-builder.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { VectorMatching } from "../parser/ast.ts";

export class Matching {
  readonly #matching: VectorMatching;
  readonly #names: ReadonlySet<string>;
  /** With `on` the names to match, without `ignoring`: those that do not count, the metric's name among them. */
  readonly #sorted: readonly string[];

  constructor(matching: VectorMatching) {
    this.#matching = matching;
    this.#names = new Set(matching.on ? matching.labels : [...matching.labels, metricName]);
    this.#sorted = [...this.#names];
  }

  /** Equal exactly for series that match. */
  signature(labels: Labels): string {
    if (this.#matching.on) {
      const names = this.#sorted;
      if (names.length === 0) return "";
      let signature = labels.get(names[0]);
      for (let i = 1; i < names.length; i++) signature += `\xff${labels.get(names[i])}`;
      return signature;
    }
    const { pairs } = labels;
    let signature = "";
    for (let i = 0; i < pairs.length; i += 2) {
      if (!this.#names.has(pairs[i])) signature += `${pairs[i]}\xff${pairs[i + 1]}\xff`;
    }
    return signature;
  }

  /** The labels that the signature is made of. */
  matched(labels: Labels): Labels {
    return this.#matching.on ? labels.keep(this.#names) : labels.drop(this.#names);
  }

  /** Of the result, from the series of the "many" side (in one-to-one the left one) and of the "one" side. */
  result(many: Labels, one: Labels, keepsName: boolean): Labels {
    const { cardinality, on, labels, include } = this.#matching;
    let result = keepsName ? many : dropMetadata(many);
    if (cardinality === "one-to-one") result = on ? result.keep(this.#names) : result.drop(new Set(labels));
    if (include.length === 0) return result;
    const builder = new LabelsBuilder(result);
    for (const name of include) builder.set(name, one.get(name));
    return builder.labels();
  }
}

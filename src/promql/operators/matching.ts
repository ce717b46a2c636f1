/** How the series of two vectors find each other: `on`, `ignoring`, and what labels the result has. */
import type { Labels } from "../../model/labels.ts";
import { LabelsBuilder } from "../../model/labels-builder.ts";
import { LabelSubset } from "../label-subset.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { VectorMatching } from "../parser/ast.ts";

export class Matching {
  readonly #matching: VectorMatching;
  readonly #subset: LabelSubset;
  readonly #ignored: ReadonlySet<string>;

  constructor(matching: VectorMatching) {
    this.#matching = matching;
    this.#subset = new LabelSubset(matching.labels, !matching.on);
    this.#ignored = new Set(matching.labels);
  }

  /** Equal exactly for series that match. */
  signature(labels: Labels): string {
    return this.#subset.key(labels);
  }

  /** The labels that the signature is made of. */
  matched(labels: Labels): Labels {
    return this.#subset.of(labels);
  }

  /** Of the result, from the series of the "many" side (in one-to-one the left one) and of the "one" side. */
  result(many: Labels, one: Labels, keepsName: boolean): Labels {
    const { cardinality, on, include } = this.#matching;
    let result = keepsName ? many : dropMetadata(many);
    if (cardinality === "one-to-one") result = on ? this.#subset.of(result) : result.drop(this.#ignored);
    if (include.length === 0) return result;
    const builder = new LabelsBuilder(result);
    for (const name of include) builder.set(name, one.get(name));
    return builder.labels();
  }
}

/**
 * Random PromQL expressions over a vocabulary: valid, mostly with an answer, made of everything in the stable language.
 * `parts` says what is in an expression, so that it can be counted.
 */
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { aggregation } from "./aggregations.ts";
import {
  arithmetic,
  comparisons,
  scalarScalar,
  setOperation,
  setOperators,
  vectorScalar,
  vectorVector,
} from "./binary-operators.ts";
import { functionNames, rangeCall, scalarCall, vectorCall } from "./function-calls.ts";
import { type Grammar, operand } from "./grammar.ts";
import { number, quoted } from "./literals.ts";
import { instantSelector, matrixSelector, plainSelector, subquery } from "./selectors.ts";
import type { Metric, MetricKind, Vocabulary } from "./vocabulary.ts";

export interface RandomExpression {
  readonly text: string;
  readonly parts: ReadonlySet<string>;
  /** A range query takes only vectors and scalars. */
  readonly type: "vector" | "scalar" | "matrix" | "string";
}

/**
 * All that an expression may be made of, as {@link RandomExpression.parts} names it: the language without what is
 * experimental.
 */
export const allParts: readonly string[] = [
  ...functionNames,
  ..."avg bottomk count count_values group max min quantile stddev stdvar sum topk by without".split(" "),
  ...arithmetic,
  ...comparisons,
  ...setOperators,
  ..."bool on ignoring group_left group_right unary- unary+ chain".split(" "),
  ..."scalar with scalar,vector with scalar,scalar with vector,vector with vector".split(","),
  ..."offset,-offset,@ time,@ start(),@ end(),subquery with step,subquery without step".split(","),
  ..."{=} {!=} =~ !~ {__name__} {'name'} ' `".split(" "),
  ..."Inf,NaN,0x,octal,exponent,1_000,duration as number,quoted label,capitals,comment".split(","),
];

export class RandomExpressions implements Grammar {
  readonly vocabulary: Vocabulary;
  readonly #random: SeededRandom;
  #parts = new Set<string>();

  constructor(seed: number, vocabulary: Vocabulary) {
    this.#random = new SeededRandom(seed);
    this.vocabulary = vocabulary;
  }

  next(): RandomExpression {
    this.#parts = new Set();
    const type = this.pick([
      ...Array<"vector">(30).fill("vector"),
      "scalar",
      "matrix",
      "matrix",
      "string",
    ] as const);
    const text = this.#ofType(type);
    const comment = this.chance(0.02) ? `# ${this.use("comment")}\n` : "";
    return { text: comment + text, parts: this.#parts, type };
  }

  #ofType(type: RandomExpression["type"]): string {
    switch (type) {
      case "scalar":
        return this.scalar(3);
      case "matrix":
        return this.matrix(2);
      case "string":
        return quoted(this, this.pick(["", "text", "<ü&\n\\>", `"'`]));
      default:
        return this.vector(this.pick([2, 3, 3, 4]));
    }
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }

  weighted(rules: readonly (readonly [number, () => string])[]): string {
    let at = this.below(rules.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, rule] of rules) {
      if (at < weight) return rule();
      at -= weight;
    }
    return rules[0][1]();
  }

  use(part: string): string {
    this.#parts.add(part);
    return part;
  }

  keyword(part: string): string {
    this.use(part);
    if (!this.chance(0.02)) return part;
    this.use("capitals");
    return part.toUpperCase();
  }

  metric(...kinds: MetricKind[]): Metric {
    const { metrics } = this.vocabulary;
    return this.pick(kinds.length === 0 ? metrics : metrics.filter(({ kind }) => kinds.includes(kind)));
  }

  scalar(depth: number): string {
    if (depth <= 0) return number(this);
    return this.weighted([
      [6, () => number(this)],
      [2, () => scalarCall(this, depth)],
      [2, () => scalarScalar(this, depth)],
      [1, () => `${this.#sign()}(${this.scalar(depth - 1)})`],
    ]);
  }

  vector(depth: number): string {
    if (depth <= 0) return instantSelector(this);
    return this.weighted([
      [3, () => instantSelector(this)],
      [5, () => rangeCall(this, depth)],
      [9, () => vectorCall(this, depth)],
      [5, () => aggregation(this, depth)],
      [6, () => vectorVector(this, depth)],
      [3, () => vectorScalar(this, depth)],
      [3, () => setOperation(this, depth)],
      [1, () => `${this.#sign()}${operand(this, depth - 1)}`],
    ]);
  }

  matrix(depth: number): string {
    if (depth <= 0 || this.chance(0.65)) return matrixSelector(this);
    // A subquery may follow a selector that has no modifiers.
    return subquery(this, this.chance(0.2) ? plainSelector(this, this.metric()) : operand(this, depth - 1));
  }

  #sign(): string {
    const sign = this.pick(["-", "+"]);
    this.use(`unary${sign}`);
    return sign;
  }
}

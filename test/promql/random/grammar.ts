/** What the rules of random expressions have in common: the dice, the vocabulary, and each other. */
import type { Metric, MetricKind, Vocabulary } from "./vocabulary.ts";

export interface Grammar {
  readonly vocabulary: Vocabulary;
  /** A uniform integer in [0, bound). */
  below(bound: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Takes one of the rules, in proportion to their weights. */
  weighted(rules: readonly (readonly [number, () => string])[]): string;
  /** Notes that the expression has this part; returns it. */
  use(part: string): string;
  /** The same for a keyword, which is now and then written in capitals. */
  keyword(part: string): string;
  metric(...kinds: MetricKind[]): Metric;
  /** Expressions of a type, at most `depth` levels deep. */
  scalar(depth: number): string;
  vector(depth: number): string;
  matrix(depth: number): string;
}

/** An expression that can stand beside an operator. */
export function operand(g: Grammar, depth: number): string {
  return `(${g.vector(depth)})`;
}

/** How often each part of the language was in an expression that had an answer, in instant and in range queries. */
import type { RandomExpression } from "./random-expression.ts";

export type QueryKind = "instant" | "range";

export class Coverage {
  readonly #wanted: number;
  readonly #counts: ReadonlyMap<string, Record<QueryKind, number>>;

  constructor(parts: readonly string[], wanted: number) {
    this.#wanted = wanted;
    this.#counts = new Map(parts.map((part) => [part, { instant: 0, range: 0 }]));
  }

  add({ parts }: RandomExpression, kind: QueryKind): void {
    for (const part of parts) {
      const counts = this.#counts.get(part);
      if (counts !== undefined) counts[kind]++;
    }
  }

  /** Of some expressions the one that has most of what was rarely seen. */
  rarest(expressions: readonly RandomExpression[]): RandomExpression {
    const need = ({ parts }: RandomExpression) =>
      [...parts].reduce((sum, part) => sum + this.#needOf(part), 0) / (5 + parts.size);
    return expressions.reduce((best, one) => (need(one) > need(best) ? one : best));
  }

  #needOf(part: string): number {
    const counts = this.#counts.get(part);
    if (counts === undefined) return 0;
    return Math.max(0, this.#wanted - Math.min(counts.instant, counts.range)) ** 2;
  }

  /** What was seen less often than wanted. */
  missing(): string[] {
    return [...this.#counts]
      .filter(([, { instant, range }]) => Math.min(instant, range) < this.#wanted)
      .map(([part, { instant, range }]) => `${part}: ${instant}, ${range}`);
  }

  table(): string {
    return [...this.#counts].map(([part, { instant, range }]) => `${part} ${instant}/${range}`).join(", ");
  }
}

/** Finds vectors that occur more than once in a query, so that they are evaluated once (operators/shared.ts). */
import type { VectorNode } from "../operators/node.ts";
import { SharedNode } from "../operators/shared.ts";
import { type Expression, typeOf, walk } from "../parser/ast.ts";
import { printExpression } from "../parser/printer.ts";
import type { Planned } from "./planned.ts";
import type { Scope } from "./scope.ts";

/** Every part of the query is printed; where that would be more characters than this, nothing is shared. */
const charactersMax = 2_000_000;

export class Sharing {
  readonly #enabled: boolean;
  /** By text the last expression that has it: annotations report the position of the last occurrence. */
  readonly #last = new Map<string, Expression>();
  readonly #planned = new Map<string, Planned<SharedNode>>();

  constructor(query: Expression) {
    let parts = 0;
    walk(query, () => parts++);
    this.#enabled = parts * printExpression(query).length <= charactersMax;
    if (!this.#enabled) return;
    walk(query, (expr) => {
      if (typeOf(expr) === "vector") this.#last.set(printExpression(expr), expr);
    });
  }

  /** The node for an expression in a scope, from `plan` if it is new. */
  share(
    expr: Expression,
    scope: Scope,
    plan: (expr: Expression) => Planned<VectorNode>,
  ): Planned<VectorNode> {
    if (!this.#enabled) return plan(expr);
    const text = printExpression(expr);
    const { startMs, endMs, offsetMs, rangeMs, stepMs } = scope;
    const key = `${startMs},${endMs},${offsetMs},${rangeMs},${stepMs}:${text}`;
    let planned = this.#planned.get(key);
    if (planned === undefined) {
      const once = plan(this.#last.get(text) ?? expr);
      planned = { ...once, node: new SharedNode(once.node) };
      this.#planned.set(key, planned);
    }
    planned.node.uses++;
    return planned;
  }
}

/** The arguments of a function call, planned; and whether the call as a whole depends on the evaluation time. */
import { BugError } from "../../base/assert.ts";
import type { ScalarNode, VectorNode } from "../operators/node.ts";
import type { PlacedScalar } from "../operators/range-call.ts";
import type { RangeSource } from "../operators/range-source.ts";
import { type CallExpression, type Expression, typeOf } from "../parser/ast.ts";
import { type Planned, scalarOnce, vectorOnce } from "./planned.ts";
import { type Planner, unwrap } from "./planner.ts";
import type { Scope } from "./scope.ts";

interface Argument {
  readonly expr: Expression;
  readonly vector?: Planned<VectorNode>;
  readonly scalar?: Planned<ScalarNode>;
  readonly range?: Planned<RangeSource>;
}

export class Arguments {
  readonly #args: readonly Argument[];
  /** No argument depends on the time, and the function does not either. */
  readonly invariant: boolean;

  constructor(planner: Planner, call: CallExpression, scope: Scope, timeDependent: boolean) {
    this.#args = call.args.map((arg) => planArgument(planner, unwrap(arg), scope));
    this.invariant = !timeDependent && this.#args.every(isInvariant);
  }

  get count(): number {
    return this.#args.length;
  }

  /** Without parentheses around it. */
  expr(index: number): Expression {
    return this.#args[index].expr;
  }

  vector(index: number): VectorNode {
    const { vector } = this.#args[index];
    if (vector === undefined) throw new BugError(`BUG: argument ${index} is not a vector`);
    return this.invariant ? vector.node : vectorOnce(vector);
  }

  scalar(index: number): ScalarNode {
    const { scalar } = this.#args[index];
    if (scalar === undefined) throw new BugError(`BUG: argument ${index} is not a scalar`);
    return this.invariant ? scalar.node : scalarOnce(scalar);
  }

  placed(index: number): PlacedScalar {
    return { node: this.scalar(index), position: this.expr(index) };
  }

  range(index: number): RangeSource {
    const { range } = this.#args[index];
    if (range === undefined) throw new BugError(`BUG: argument ${index} is not a range vector`);
    return range.node;
  }

  text(index: number): string {
    const { expr } = this.#args[index];
    if (expr.kind !== "string") throw new BugError(`BUG: argument ${index} is not a string`);
    return expr.value;
  }
}

function planArgument(planner: Planner, expr: Expression, scope: Scope): Argument {
  switch (typeOf(expr)) {
    case "vector":
      return { expr, vector: planner.vector(expr, scope) };
    case "scalar":
      return { expr, scalar: planner.scalar(expr, scope) };
    case "matrix":
      return { expr, range: planner.range(expr, scope) };
    default:
      return { expr };
  }
}

function isInvariant({ vector, scalar, range }: Argument): boolean {
  return (vector ?? scalar ?? range)?.invariant ?? true;
}

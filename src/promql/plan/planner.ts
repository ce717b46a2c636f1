/**
 * Turns a syntax tree into operators: resolves computed durations and `@ start()`, finds what does not depend on the
 * evaluation time, says for every selector which samples it can need, refuses what this engine does not do yet.
 */
import { BugError } from "../../base/assert.ts";
import { QueryError } from "../../base/errors.ts";
import { refuseHistograms } from "../operators/floats-only.ts";
import { InstantSelectorNode } from "../operators/instant-selector.ts";
import type { ScalarNode, VectorNode } from "../operators/node.ts";
import {
  MatrixSource,
  type RangeSource,
  SubquerySource,
  type SubqueryTimes,
} from "../operators/range-source.ts";
import { NegatedScalarNode, NumberNode, ScalarBinaryNode } from "../operators/scalars.ts";
import { SetOperatorNode } from "../operators/set-operator.ts";
import { VectorBinaryNode } from "../operators/vector-binary.ts";
import { NegatedVectorNode } from "../operators/vector-call.ts";
import { VectorScalarNode } from "../operators/vector-scalar.ts";
import {
  type ArithmeticOp,
  type BinaryExpression,
  type ComparisonOp,
  type Expression,
  type MatrixSelector,
  type SubqueryExpression,
  typeOf,
  type VectorSelector,
} from "../parser/ast.ts";
import type { Selector } from "../selection.ts";
import { planAggregate } from "./aggregates.ts";
import { planScalarCall, planVectorCall } from "./calls.ts";
import { anyDuration, positiveDuration, type QuerySpan } from "./durations.ts";
import type { Plan, Root } from "./plan.ts";
import { combine, invariant, type Planned, scalarOnce, varying, vectorOnce } from "./planned.ts";
import {
  type QueryTimes,
  resolveAt,
  rootScope,
  type Scope,
  selectorIn,
  within,
  withinSubquery,
} from "./scope.ts";
import { Sharing } from "./sharing.ts";

export interface PlannerOptions extends QueryTimes {
  readonly noStepSubqueryIntervalMs: (rangeMs: number) => number;
}

export function planQuery(expr: Expression, options: PlannerOptions): Plan {
  return new Planner(expr, options).plan();
}

export class Planner {
  readonly #options: PlannerOptions;
  readonly #span: QuerySpan;
  readonly #query: Expression;
  readonly #selectors: Selector[] = [];
  readonly #sharing: Sharing;

  constructor(query: Expression, options: PlannerOptions) {
    this.#query = query;
    this.#options = options;
    this.#sharing = new Sharing(query);
    this.#span = { stepMs: options.stepMs, rangeMs: options.endMs - options.startMs };
  }

  plan(): Plan {
    const root = this.#root(unwrap(this.#query), rootScope(this.#options));
    const selectors = this.#selectors;
    if (selectors.length === 0) return { root, selectors, mint: 0, maxt: 0 };
    const mint = Math.min(...selectors.map((selector) => selector.mint));
    const maxt = Math.max(...selectors.map((selector) => selector.maxt));
    return { root, selectors, mint, maxt };
  }

  #root(expr: Expression, scope: Scope): Root {
    switch (typeOf(expr)) {
      case "vector":
        return { type: "vector", node: vectorOnce(this.vector(expr, scope)) };
      case "scalar":
        return { type: "scalar", node: scalarOnce(this.scalar(expr, scope)) };
      case "matrix":
        return { type: "matrix", source: this.range(expr, scope).node };
      default:
        if (expr.kind !== "string") throw new BugError(`BUG: a query of kind ${expr.kind}`);
        return { type: "string", text: expr.value };
    }
  }

  vector(expr: Expression, scope: Scope): Planned<VectorNode> {
    if (expr.kind === "paren") return this.vector(expr.expr, scope);
    return this.#sharing.share(expr, scope, (last) => this.#vector(last, scope));
  }

  #vector(expr: Expression, scope: Scope): Planned<VectorNode> {
    switch (expr.kind) {
      case "vectorSelector":
        return this.instantSelector(expr, scope, false);
      case "aggregate":
        return planAggregate(this, expr, scope);
      case "call":
        return planVectorCall(this, expr, scope);
      case "unary": {
        const operand = this.vector(expr.expr, scope);
        if (expr.op === "+") return operand;
        const floats = refuseHistograms(operand.node, "the operator -");
        return { ...operand, node: new NegatedVectorNode(floats) };
      }
      case "binary":
        return this.#vectorBinary(expr, within(scope, ""));
      default:
        throw new BugError(`BUG: ${expr.kind} is not a vector`);
    }
  }

  scalar(expr: Expression, scope: Scope): Planned<ScalarNode> {
    switch (expr.kind) {
      case "paren":
        return this.scalar(expr.expr, scope);
      case "number":
        return { node: new NumberNode(expr.value), invariant: true, worthWrapping: false };
      case "call":
        return planScalarCall(this, expr, scope);
      case "unary": {
        const operand = this.scalar(expr.expr, scope);
        return expr.op === "+" ? operand : { ...operand, node: new NegatedScalarNode(operand.node) };
      }
      case "binary": {
        const inner = within(scope, "");
        const left = this.scalar(expr.left, inner);
        const right = this.scalar(expr.right, inner);
        const op = expr.op as ArithmeticOp | ComparisonOp;
        return combine(left, right, scalarOnce, scalarOnce, (l, r) => new ScalarBinaryNode(op, l, r));
      }
      default:
        throw new BugError(`BUG: ${expr.kind} is not a scalar`);
    }
  }

  range(expr: Expression, scope: Scope): Planned<RangeSource> {
    switch (expr.kind) {
      case "paren":
        return this.range(expr.expr, scope);
      case "matrixSelector":
        return this.#matrixSelector(expr, scope);
      case "subquery":
        return this.#subquery(expr, scope);
      default:
        throw new BugError(`BUG: ${expr.kind} is not a range vector`);
    }
  }

  /** With `times` the samples' own times in place of their values. */
  instantSelector(expr: VectorSelector, scope: Scope, times: boolean): Planned<InstantSelectorNode> {
    // timestamp(x @ t offset o) looks back from t, not from the end of the selection.
    const lastOnly = !times || expr.at === undefined;
    const selector = this.#selector(expr, scope, this.#options.lookbackMs, lastOnly);
    const node = new InstantSelectorNode(selector, times);
    return selector.at === undefined ? varying(node) : invariant(node);
  }

  #vectorBinary(expr: BinaryExpression, scope: Scope): Planned<VectorNode> {
    const { op, returnBool, matching } = expr;
    if (op === "</" || op === ">/") throw notYet(`the operator ${op}, which works on native histograms,`);
    const floats = (operand: VectorNode) => refuseHistograms(operand, `the operator ${op}`);
    if (matching !== undefined) {
      if (matching.fillLeft !== undefined || matching.fillRight !== undefined)
        throw notYet("the fill modifier");
      const make = (left: VectorNode, right: VectorNode): VectorNode =>
        op === "and" || op === "or" || op === "unless"
          ? new SetOperatorNode(op, left, right, matching)
          : new VectorBinaryNode({ op, returnBool, matching }, floats(left), floats(right));
      const left = this.vector(expr.left, scope);
      return combine(left, this.vector(expr.right, scope), vectorOnce, vectorOnce, make);
    }
    const scalarFirst = typeOf(expr.left) === "scalar";
    const make = (vector: VectorNode, scalar: ScalarNode): VectorNode =>
      new VectorScalarNode(
        op as ArithmeticOp | ComparisonOp,
        { vector: floats(vector), scalar, scalarFirst },
        returnBool,
      );
    const vector = this.vector(scalarFirst ? expr.right : expr.left, scope);
    const scalar = this.scalar(scalarFirst ? expr.left : expr.right, scope);
    return combine(vector, scalar, vectorOnce, scalarOnce, make);
  }

  #matrixSelector(expr: MatrixSelector, scope: Scope): Planned<RangeSource> {
    const { rangeExpr } = expr;
    const rangeMs = rangeExpr === undefined ? expr.rangeMs : positiveDuration(rangeExpr, this.#span);
    const selector = this.#selector(expr.selector, scope, rangeMs, false);
    const node = new MatrixSource(selector, rangeMs, expr);
    return { node, invariant: selector.at !== undefined, worthWrapping: false };
  }

  #selector(expr: VectorSelector, scope: Scope, windowMs: number, lastOnly: boolean): Selector {
    if (expr.anchored || expr.smoothed) {
      throw notYet(`the ${expr.anchored ? "anchored" : "smoothed"} modifier`);
    }
    const { offsetExpr } = expr;
    const offsetMs = offsetExpr === undefined ? expr.offsetMs : anyDuration(offsetExpr, this.#span);
    const at = resolveAt(expr.at, this.#options);
    const selector = selectorIn(scope, windowMs, expr.matchers, offsetMs, at, lastOnly);
    this.#selectors.push(selector);
    return selector;
  }

  #subquery(expr: SubqueryExpression, scope: Scope): Planned<RangeSource> {
    const { rangeExpr, stepExpr, offsetExpr } = expr;
    const rangeMs = rangeExpr === undefined ? expr.rangeMs : positiveDuration(rangeExpr, this.#span);
    const offsetMs = offsetExpr === undefined ? expr.offsetMs : anyDuration(offsetExpr, this.#span);
    const givenStepMs = stepExpr === undefined ? expr.stepMs : positiveDuration(stepExpr, this.#span);
    const stepMs = givenStepMs === 0 ? this.#options.noStepSubqueryIntervalMs(rangeMs) : givenStepMs;
    const at = resolveAt(expr.at, this.#options);
    const times: SubqueryTimes = { rangeMs, stepMs, offsetMs, at };
    const inner = this.vector(expr.expr, withinSubquery(scope, times));
    const node = new SubquerySource(times, vectorOnce(inner));
    return { node, invariant: at !== undefined, worthWrapping: false };
  }
}

/** Without the parentheses around it. */
export function unwrap(expr: Expression): Expression {
  return expr.kind === "paren" ? unwrap(expr.expr) : expr;
}

export function notYet(what: string): QueryError {
  return new QueryError("execution", `${what} is not supported yet`);
}

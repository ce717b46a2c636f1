/**
 * The same instant query with every selector pinned to its evaluation time by `@`: it must give the same answer at any
 * time. None where a function looks at the time itself.
 */
import type { Expression, VectorSelector } from "../../src/promql/parser/ast.ts";
import { childrenOf } from "../../src/promql/parser/ast.ts";
import { type ParserFeatures, parseExpression } from "../../src/promql/parser/parser.ts";
import { printExpression } from "../../src/promql/parser/printer.ts";

const dependOnTime = new Set(
  "days_in_month day_of_month day_of_week day_of_year end hour minute month year predict_linear range start step time timestamp".split(
    " ",
  ),
);

export interface Variant {
  readonly query: string;
  readonly t: number;
}

export function atVariants(query: string, t: number, features: ParserFeatures): Variant[] {
  const expr = parseExpression(query, features);
  if (looksAtTime(expr)) return [];
  const pinned = printExpression(pin(expr, t));
  const times = t === 0 ? [-1000, 0, 1000] : [-10 * t, 0, Math.trunc(t / 5), t, 10 * t];
  return times.map((time) => ({ query: pinned, t: time }));
}

function looksAtTime(expr: Expression): boolean {
  if (expr.kind === "call" && dependOnTime.has(expr.func.name)) return true;
  return !hasTime(expr) && childrenOf(expr).some(looksAtTime);
}

/** A subquery with a time: what is in it keeps its own. */
function hasTime(expr: Expression): boolean {
  return expr.kind === "subquery" && typeof expr.at === "number";
}

/** A copy of `expr`; below a pinned subquery nothing changes. */
function pin(expr: Expression, t: number): Expression {
  const pinSelector = (selector: VectorSelector): VectorSelector => ({
    ...selector,
    at: typeof selector.at === "number" ? selector.at : t,
  });
  switch (expr.kind) {
    case "vectorSelector":
      return pinSelector(expr);
    case "matrixSelector":
      return { ...expr, selector: pinSelector(expr.selector) };
    case "subquery":
      return { ...expr, at: typeof expr.at === "number" ? expr.at : t };
    case "aggregate":
      return {
        ...expr,
        expr: pin(expr.expr, t),
        param: expr.param === undefined ? undefined : pin(expr.param, t),
      };
    case "binary":
      return { ...expr, left: pin(expr.left, t), right: pin(expr.right, t) };
    case "unary":
    case "paren":
      return { ...expr, expr: pin(expr.expr, t) };
    case "call":
      return { ...expr, args: expr.args.map((arg) => pin(arg, t)) };
    default:
      return expr;
  }
}

/** What may follow an expression: `[range]`, `[range:step]`, `offset`, `@`, `anchored`, `smoothed`. */
import { formatFloat } from "../../model/format-float.ts";
import type { AtModifier, Expression, MatrixSelector, SubqueryExpression, VectorSelector } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import {
  parseOffsetDuration,
  parsePositiveDuration,
  roundAwayFromZero,
  splitDuration,
} from "./duration-expression.ts";
import { parseNumberLiteral, parseSignedNumberLiteral } from "./literals.ts";
import type { ParserFeatures } from "./parser.ts";

const afterOffset = { within: "offset", expected: "number, duration, step(), or range()" };
const afterAt = { within: "@", expected: "timestamp" };
const inBrackets = {
  within: "subquery or range selector",
  expected: "number, duration, step(), or range()",
};
const afterRange = { within: "subquery or range", expected: '":" or "]"' };
const afterColon = {
  within: "subquery selector",
  expected: 'number, duration, step(), range(), or "]"',
};
const afterStep = { within: "subquery selector", expected: '"]"' };

/** Applies all modifiers ahead to `expr`. */
export function parseModifiers(cursor: Cursor, expr: Expression, features: ParserFeatures): Expression {
  for (;;) {
    const { type } = cursor.peek();
    switch (type) {
      case "[":
        expr = parseBrackets(cursor, expr);
        break;
      case "offset":
        expr = parseOffset(cursor, expr);
        break;
      case "@":
        expr = parseAt(cursor, expr);
        break;
      case "anchored":
      case "smoothed":
        cursor.next();
        expr = extendRange(cursor, expr, type, features);
        break;
      default:
        return expr;
    }
  }
}

function parseBrackets(cursor: Cursor, expr: Expression): MatrixSelector | SubqueryExpression {
  const opening = cursor.next();
  const range = splitDuration(cursor.within(inBrackets, () => parsePositiveDuration(cursor)));
  const closing = cursor.accept("]");
  if (closing !== undefined) {
    const selector = rangeOperand(cursor, expr, opening.start);
    return {
      kind: "matrixSelector",
      selector,
      rangeMs: range.ms,
      rangeExpr: range.expr,
      start: expr.start,
      end: closing.end,
    };
  }
  if (cursor.accept(":") === undefined) return cursor.unexpected(afterRange);
  const step =
    cursor.peek().type === "]"
      ? { ms: 0, expr: undefined }
      : splitDuration(cursor.within(afterColon, () => parsePositiveDuration(cursor)));
  const end = cursor.accept("]")?.end ?? cursor.unexpected(afterStep);
  return {
    kind: "subquery",
    expr,
    rangeMs: range.ms,
    rangeExpr: range.expr,
    stepMs: step.ms,
    stepExpr: step.expr,
    offsetMs: 0,
    offsetExpr: undefined,
    at: undefined,
    start: expr.start,
    end,
  };
}

function rangeOperand(cursor: Cursor, expr: Expression, position: number): VectorSelector {
  if (expr.kind !== "vectorSelector") {
    return cursor.fail(position, "ranges only allowed for vector selectors");
  }
  if (hasOffset(expr)) cursor.fail(position, "no offset modifiers allowed before range");
  if (expr.at !== undefined) cursor.fail(position, "no @ modifiers allowed before range");
  return expr;
}

function parseOffset(cursor: Cursor, expr: Expression): Expression {
  cursor.next();
  const { ms, expr: offsetExpr } = splitDuration(
    cursor.within(afterOffset, () => parseOffsetDuration(cursor)),
  );
  const target = expr.kind === "matrixSelector" ? expr.selector : expr;
  if (target.kind !== "vectorSelector" && target.kind !== "subquery") {
    return cursor.fail(
      expr.start,
      "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
  }
  if (hasOffset(target)) cursor.fail(expr.start, "offset may not be set multiple times");
  return withFields(expr, { offsetMs: ms, offsetExpr }, cursor.consumed);
}

function hasOffset(expr: VectorSelector | SubqueryExpression): boolean {
  return expr.offsetMs !== 0 || expr.offsetExpr !== undefined;
}

function parseAt(cursor: Cursor, expr: Expression): Expression {
  cursor.next();
  const at = cursor.within(afterAt, () => parseAtTime(cursor, expr));
  const target = expr.kind === "matrixSelector" ? expr.selector : expr;
  if (target.kind !== "vectorSelector" && target.kind !== "subquery") {
    return cursor.fail(
      expr.start,
      "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
  }
  if (target.at !== undefined) cursor.fail(expr.start, "@ <timestamp> may not be set multiple times");
  return withFields(expr, { at }, cursor.consumed);
}

function parseAtTime(cursor: Cursor, expr: Expression): AtModifier {
  const { type } = cursor.peek();
  if (type === "start" || type === "end") {
    cursor.next();
    cursor.expect("(");
    cursor.expect(")");
    return type;
  }
  const isSigned = type === "+" || type === "-";
  const seconds = (isSigned ? parseSignedNumberLiteral(cursor) : parseNumberLiteral(cursor)).value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    const shown = Number.isFinite(seconds) ? `${BigInt(seconds)}.000000` : formatFloat(seconds);
    cursor.fail(expr.start, `timestamp out of bounds for @ modifier: ${shown}`);
  }
  return roundAwayFromZero(seconds * 1000) + 0;
}

function extendRange(
  cursor: Cursor,
  expr: Expression,
  modifier: "anchored" | "smoothed",
  features: ParserFeatures,
): Expression {
  if (!features.extendedRangeSelectors) {
    cursor.fail(expr.start, `${modifier} modifier is experimental and not enabled`);
  }
  if (expr.kind === "subquery") {
    cursor.fail(expr.start, `${modifier} modifier is not supported for subqueries`);
  }
  const selector = expr.kind === "matrixSelector" ? expr.selector : expr;
  if (selector.kind !== "vectorSelector") {
    return cursor.fail(expr.start, `${modifier} modifier not implemented`);
  }
  if (modifier === "anchored" ? selector.smoothed : selector.anchored) {
    cursor.fail(expr.start, "anchored and smoothed modifiers cannot be used together");
  }
  return withFields(expr, modifier === "anchored" ? { anchored: true } : { smoothed: true }, expr.end);
}

/** Offset and `@` of a range belong to its selector, its end to itself. */
function withFields(expr: Expression, fields: Partial<VectorSelector>, end: number): Expression {
  if (expr.kind === "matrixSelector") return { ...expr, selector: { ...expr.selector, ...fields }, end };
  return { ...expr, ...fields, end } as Expression;
}

/** Durations in ranges, steps and offsets: literals, or arithmetic over them, `step()`, `range()`, `min_of` and `max_of`. */
import type { DurationBinary, DurationExpression, DurationExtremum, NumberLiteral } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { isNumberAhead, parseNumberLiteral, withSign } from "./literals.ts";
import type { Token } from "./token.ts";

const precedences: Readonly<Record<string, number>> = { "+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3 };
/** A sign binds as `*` does: what follows may hold only what binds tighter. */
const underSign = 3;
/** 2^63 nanoseconds. */
const durationSecondsMax = 2 ** 63 / 1e9;

/** The range or step of a selector: a literal must be greater than 0. */
export function parsePositiveDuration(cursor: Cursor): DurationExpression {
  const expr = parseDurationExpression(cursor, 1);
  if (expr.kind === "number" && expr.value <= 0) {
    cursor.fail(expr.start, "duration must be greater than 0");
  }
  return expr;
}

/**
 * What follows `offset`. It ends as soon as it can: `x offset 5m + 1` adds to the samples. Only what begins with a
 * parenthesis, or with two signs, goes on with operators.
 */
export function parseOffsetDuration(cursor: Cursor): DurationExpression {
  const expr = parseOffset(cursor);
  // Prometheus takes `offset nan` for minus 292 years.
  if (expr.kind === "number" && Number.isNaN(expr.value)) cursor.fail(expr.start, "duration out of range");
  return expr;
}

function parseOffset(cursor: Cursor): DurationExpression {
  const { type } = cursor.peek();
  if (type === "(") return parseDurationExpression(cursor, 1);
  if (type !== "+" && type !== "-") return parseDurationOperand(cursor);
  const sign = cursor.next();
  if (isNumberAhead(cursor)) return inRange(cursor, withSign(sign, parseNumberLiteral(cursor)));
  const next = cursor.peek().type;
  if (next !== "+" && next !== "-") return applySign(cursor, sign, parseDurationOperand(cursor));
  const operand = parseDurationExpression(cursor, underSign);
  return parseOperators(cursor, applySign(cursor, sign, operand), 1);
}

/** A literal duration in whole milliseconds, or 0 and the expression that the engine has to compute. */
export function splitDuration(expr: DurationExpression): {
  ms: number;
  expr: DurationExpression | undefined;
} {
  if (expr.kind !== "number") return { ms: 0, expr };
  return { ms: Math.trunc(roundAwayFromZero(expr.value * 1e9) / 1e6) + 0, expr: undefined };
}

/** As Go's math.Round. */
export function roundAwayFromZero(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function parseDurationExpression(cursor: Cursor, min: number): DurationExpression {
  return cursor.nested(() => parseOperators(cursor, parseDurationOperand(cursor), min));
}

function parseOperators(cursor: Cursor, left: DurationExpression, min: number): DurationExpression {
  for (;;) {
    const precedence = precedences[cursor.peek().type] ?? 0;
    if (precedence < min) return left;
    const operator = cursor.next();
    const op = operator.type as DurationBinary["op"];
    const right = parseDurationExpression(cursor, op === "^" ? precedence : precedence + 1);
    if ((op === "/" || op === "%") && right.kind === "number" && right.value === 0) {
      cursor.fail(operator.start, op === "/" ? "division by zero" : "modulo by zero");
    }
    left = {
      kind: "durationBinary",
      op,
      left,
      right,
      wrapped: false,
      start: left.start,
      end: right.end,
    };
  }
}

function parseDurationOperand(cursor: Cursor): DurationExpression {
  if (isNumberAhead(cursor)) return inRange(cursor, parseNumberLiteral(cursor));
  const { type } = cursor.peek();
  switch (type) {
    case "+":
    case "-": {
      const sign = cursor.next();
      return applySign(cursor, sign, parseDurationExpression(cursor, underSign));
    }
    case "(": {
      const opening = cursor.next();
      const inner = parseDurationExpression(cursor, 1);
      cursor.expect(")");
      return wrap(inner, opening.start);
    }
    case "step":
    case "range": {
      const { start } = cursor.next();
      cursor.expect("(");
      return { kind: "durationOfQuery", op: type, wrapped: false, start, end: cursor.expect(")").end };
    }
    case "min_of":
    case "max_of":
      return parseExtremum(cursor, type);
  }
  return cursor.unexpected();
}

function parseExtremum(cursor: Cursor, op: DurationExtremum["op"]): DurationExtremum {
  cursor.next();
  cursor.expect("(");
  const left = parseDurationExpression(cursor, 1);
  cursor.expect(",");
  const right = parseDurationExpression(cursor, 1);
  cursor.expect(")");
  return { kind: "durationExtremum", op, left, right, wrapped: false, start: left.start, end: right.end };
}

/** Parentheses: only for printing, but a literal in them no longer counts as one. */
function wrap(expr: DurationExpression, start: number): DurationExpression {
  if (expr.kind !== "number") return { ...expr, wrapped: true };
  return { kind: "durationUnary", op: "+", expr, wrapped: true, start, end: expr.end };
}

function applySign(cursor: Cursor, sign: Token, expr: DurationExpression): DurationExpression {
  if (expr.kind === "number") return inRange(cursor, withSign(sign, expr));
  if (sign.type === "+") return expr;
  return { kind: "durationUnary", op: "-", expr, wrapped: false, start: sign.start, end: expr.end };
}

function inRange(cursor: Cursor, literal: NumberLiteral): NumberLiteral {
  if (Math.abs(literal.value) > durationSecondsMax) cursor.fail(literal.start, "duration out of range");
  return literal;
}

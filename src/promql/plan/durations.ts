/** Durations that a query computes: `x[5m + step()]`, `x offset (range() / 2)`. */
import { QueryError } from "../../base/errors.ts";
import { durationSeconds } from "../functions/rate.ts";
import { pow } from "../math/pow.ts";
import type { DurationExpression } from "../parser/ast.ts";

/** What `step()` and `range()` stand for, in milliseconds. */
export interface QuerySpan {
  readonly stepMs: number;
  readonly rangeMs: number;
}

/** Of a range or a step: more than 0. */
export function positiveDuration(expr: DurationExpression, span: QuerySpan): number {
  const seconds = evaluate(expr, span);
  checkRange(expr, seconds);
  if (seconds <= 0) fail(expr, "duration must be greater than 0");
  return Math.trunc(seconds * 1000);
}

/** Of an offset. */
export function anyDuration(expr: DurationExpression, span: QuerySpan): number {
  const seconds = evaluate(expr, span);
  checkRange(expr, seconds);
  return Math.trunc(seconds * 1000);
}

/** What fits in 64 bits as nanoseconds. */
const secondsMax = 2 ** 63 / 1e9;

function checkRange(expr: DurationExpression, seconds: number): void {
  if (!Number.isFinite(seconds)) fail(expr, "duration is NaN or infinite");
  if (Math.abs(seconds) > secondsMax) fail(expr, "duration is out of range");
}

function evaluate(expr: DurationExpression, span: QuerySpan): number {
  switch (expr.kind) {
    case "number":
      return expr.value;
    case "durationOfQuery":
      return durationSeconds(expr.op === "step" ? span.stepMs : span.rangeMs);
    case "durationUnary":
      return expr.op === "-" ? -evaluate(expr.expr, span) : evaluate(expr.expr, span);
    case "durationExtremum": {
      const left = evaluate(expr.left, span);
      const right = evaluate(expr.right, span);
      return expr.op === "min_of" ? Math.min(left, right) : Math.max(left, right);
    }
    case "durationBinary":
      return combine(expr, evaluate(expr.left, span), evaluate(expr.right, span));
  }
}

function combine(expr: DurationExpression & { kind: "durationBinary" }, left: number, right: number): number {
  switch (expr.op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      if (right === 0) fail(expr, "division by zero");
      return left / right;
    case "%":
      if (right === 0) fail(expr, "modulo by zero");
      return left % right;
    case "^":
      return pow(left, right);
  }
}

function fail(expr: DurationExpression, problem: string): never {
  throw new QueryError("bad_data", `${expr.start}:${expr.end}: ${problem}`);
}

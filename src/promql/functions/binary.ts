/**
 * The arithmetic and comparison operators over stretches of arrays: `n` elements of left from `l` on, of right from
 * `r` on, into out from `o` on. Arrays may be the same. Written out per operator where that matters for speed.
 */
import { unreachable } from "../../base/assert.ts";
import { atan2 } from "../math/arc.ts";
import { pow } from "../math/pow.ts";
import type { ArithmeticOp, BinaryOp, ComparisonOp } from "../parser/ast.ts";

export function isComparison(op: BinaryOp): op is ComparisonOp {
  return op === "==" || op === "!=" || op === "<" || op === "<=" || op === ">" || op === ">=";
}

export function arithmetic(
  op: ArithmeticOp,
  left: Float64Array,
  l: number,
  right: Float64Array,
  r: number,
  out: Float64Array,
  o: number,
  n: number,
): void {
  switch (op) {
    case "+":
      for (let i = 0; i < n; i++) out[o + i] = left[l + i] + right[r + i];
      return;
    case "-":
      for (let i = 0; i < n; i++) out[o + i] = left[l + i] - right[r + i];
      return;
    case "*":
      for (let i = 0; i < n; i++) out[o + i] = left[l + i] * right[r + i];
      return;
    case "/":
      for (let i = 0; i < n; i++) out[o + i] = left[l + i] / right[r + i];
      return;
    case "%":
      for (let i = 0; i < n; i++) out[o + i] = left[l + i] % right[r + i];
      return;
    case "^":
      for (let i = 0; i < n; i++) out[o + i] = pow(left[l + i], right[r + i]);
      return;
    case "atan2":
      for (let i = 0; i < n; i++) out[o + i] = atan2(left[l + i], right[r + i]);
      return;
    default:
      unreachable(op);
  }
}

/** Clears `keep[o + i]` where the comparison does not hold. */
export function compare(
  op: ComparisonOp,
  left: Float64Array,
  l: number,
  right: Float64Array,
  r: number,
  keep: Uint8Array,
  o: number,
  n: number,
): void {
  switch (op) {
    case "==":
      for (let i = 0; i < n; i++) if (!(left[l + i] === right[r + i])) keep[o + i] = 0;
      return;
    case "!=":
      for (let i = 0; i < n; i++) if (!(left[l + i] !== right[r + i])) keep[o + i] = 0;
      return;
    case "<":
      for (let i = 0; i < n; i++) if (!(left[l + i] < right[r + i])) keep[o + i] = 0;
      return;
    case "<=":
      for (let i = 0; i < n; i++) if (!(left[l + i] <= right[r + i])) keep[o + i] = 0;
      return;
    case ">":
      for (let i = 0; i < n; i++) if (!(left[l + i] > right[r + i])) keep[o + i] = 0;
      return;
    case ">=":
      for (let i = 0; i < n; i++) if (!(left[l + i] >= right[r + i])) keep[o + i] = 0;
      return;
    default:
      unreachable(op);
  }
}

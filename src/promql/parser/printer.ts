/** Prints an expression in Prometheus's canonical form: what error messages, logs and the API show. It parses back. */
import { unreachable } from "../../base/assert.ts";
import { quote } from "../../base/quote.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { formatDuration } from "../../model/duration.ts";
import { formatFloat, formatGeneral } from "../../model/format-float.ts";
import { isLegacyLabelName, metricName } from "../../model/labels.ts";
import type {
  AggregateExpression,
  AtModifier,
  DurationExpression,
  Expression,
  NumberLiteral,
  SubqueryExpression,
  VectorMatching,
  VectorSelector,
} from "./ast.ts";

export function printExpression(expr: Expression): string {
  switch (expr.kind) {
    case "number":
      return printNumber(expr);
    case "string":
      return quote(expr.value);
    case "vectorSelector":
      return printSelector(expr) + printAt(expr.at) + printExtension(expr) + printOffset(expr);
    case "matrixSelector": {
      const { selector } = expr;
      const range = printDuration(expr.rangeMs, expr.rangeExpr);
      const modifiers = printExtension(selector) + printAt(selector.at) + printOffset(selector);
      return `${printSelector(selector)}[${range}]${modifiers}`;
    }
    case "subquery": {
      const step = expr.stepMs === 0 && expr.stepExpr === undefined;
      const range = `${printDuration(expr.rangeMs, expr.rangeExpr)}:${step ? "" : printDuration(expr.stepMs, expr.stepExpr)}`;
      return `${printExpression(expr.expr)}[${range}]${printAt(expr.at)}${printOffset(expr)}`;
    }
    case "aggregate": {
      const param = expr.param === undefined ? "" : `${printExpression(expr.param)}, `;
      return `${printAggregation(expr)}(${param}${printExpression(expr.expr)})`;
    }
    case "binary": {
      const bool = expr.returnBool ? " bool" : "";
      const operator = `${expr.op}${bool}${printMatching(expr.matching)}`;
      return `${printExpression(expr.left)} ${operator} ${printExpression(expr.right)}`;
    }
    case "unary":
      return expr.op + printExpression(expr.expr);
    case "paren":
      return `(${printExpression(expr.expr)})`;
    case "call":
      return `${expr.func.name}(${expr.args.map(printExpression).join(", ")})`;
    default:
      return unreachable(expr);
  }
}

export function printDurationExpression(expr: DurationExpression): string {
  if (expr.kind === "number") return printNumber(expr);
  const text = printComputed(expr);
  return expr.wrapped ? `(${text})` : text;
}

function printComputed(expr: Exclude<DurationExpression, NumberLiteral>): string {
  switch (expr.kind) {
    case "durationOfQuery":
      return `${expr.op}()`;
    case "durationUnary":
      return (expr.op === "-" ? "-" : "") + printDurationExpression(expr.expr);
    case "durationExtremum":
      return `${expr.op}(${printDurationExpression(expr.left)}, ${printDurationExpression(expr.right)})`;
    case "durationBinary":
      return `${printDurationExpression(expr.left)} ${expr.op} ${printDurationExpression(expr.right)}`;
    default:
      return unreachable(expr);
  }
}

function printNumber({ value, isDuration }: NumberLiteral): string {
  if (!isDuration) return formatFloat(value);
  return formatDuration(Math.trunc((value * 1e9) / 1e6));
}

function printDuration(ms: number, expr: DurationExpression | undefined): string {
  return expr === undefined ? formatDuration(ms) : printDurationExpression(expr);
}

/** Name and braces. */
function printSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter(
    (matcher) =>
      !(name !== "" && matcher.name === metricName && matcher.type === "=" && matcher.value === name),
  );
  if (shown.length === 0) return name;
  const parts = shown.map((matcher) => matcher.toString()).sort(compareUtf8);
  return `${name}{${parts.join(",")}}`;
}

function printAt(at: AtModifier | undefined): string {
  if (at === undefined) return "";
  return typeof at === "number" ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
}

function printExtension({ anchored, smoothed }: VectorSelector): string {
  if (anchored) return " anchored";
  return smoothed ? " smoothed" : "";
}

function printOffset({ offsetMs, offsetExpr }: VectorSelector | SubqueryExpression): string {
  if (offsetExpr !== undefined) return ` offset ${printDurationExpression(offsetExpr)}`;
  return offsetMs === 0 ? "" : ` offset ${formatDuration(offsetMs)}`;
}

function printAggregation({ op, grouping, without }: AggregateExpression): string {
  if (without) return `${op} without (${printLabels(grouping)}) `;
  return grouping.length === 0 ? op : `${op} by (${printLabels(grouping)}) `;
}

function printMatching(matching: VectorMatching | undefined): string {
  if (matching === undefined) return "";
  const { cardinality, on, labels, include, fillLeft, fillRight } = matching;
  const isGrouped = cardinality === "many-to-one" || cardinality === "one-to-many";
  let text = "";
  if (labels.length > 0 || on || isGrouped) text += ` ${on ? "on" : "ignoring"} (${printLabels(labels)})`;
  if (isGrouped) {
    text += ` group_${cardinality === "many-to-one" ? "left" : "right"} (${printLabels(include)})`;
  }
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatGeneral(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatGeneral(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatGeneral(fillRight)})`;
  return text;
}

function printLabels(labels: readonly string[]): string {
  return labels.map((label) => (isLegacyLabelName(label) ? label : quote(label))).join(", ");
}

/**
 * The syntax tree of PromQL: plain objects, told apart by `kind`. The parser hands out checked trees: types fit,
 * selectors are not empty, functions exist. Nobody changes a tree after that.
 *
 * Positions are indices into the query in UTF-16 code units, `start` inclusive, `end` exclusive.
 * Durations are whole milliseconds (Prometheus cuts off what is finer), negative only in offsets. Where the query
 * computes a duration (`[5m + step()]`) the `…Expr` field holds it and the plain field is 0: it needs the query's
 * range and step, which only the engine knows.
 */
import { unreachable } from "../../base/assert.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { FunctionSignature } from "./functions.ts";

export type ValueType = "scalar" | "vector" | "matrix" | "string" | "none";

export type AggregateOp =
  | "avg"
  | "bottomk"
  | "count"
  | "count_values"
  | "group"
  | "limit_ratio"
  | "limitk"
  | "max"
  | "min"
  | "quantile"
  | "stddev"
  | "stdvar"
  | "sum"
  | "topk";

export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOp = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type SetOp = "and" | "or" | "unless";
/** On native histograms: `</` drops the observations above, `>/` those below. */
export type TrimOp = "</" | ">/";
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

export interface Position {
  readonly start: number;
  readonly end: number;
}

export interface NumberLiteral extends Position {
  readonly kind: "number";
  /** A duration as a number (`5m`) counts seconds. */
  readonly value: number;
  /** Written as a duration. */
  readonly isDuration: boolean;
}

export interface StringLiteral extends Position {
  readonly kind: "string";
  readonly value: string;
}

/** What `@` pins a selector to: a time in milliseconds, or one end of the query's range. */
export type AtModifier = number | "start" | "end";

export interface VectorSelector extends Position {
  readonly kind: "vectorSelector";
  /** The name before the braces; "" if none. It is also the last of the matchers. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly offsetExpr: DurationExpression | undefined;
  readonly at: AtModifier | undefined;
  readonly anchored: boolean;
  readonly smoothed: boolean;
}

/** `selector[range]`. Offset and `@` of the whole are in the vector selector. */
export interface MatrixSelector extends Position {
  readonly kind: "matrixSelector";
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  readonly rangeExpr: DurationExpression | undefined;
}

/** `expr[range:step]` */
export interface SubqueryExpression extends Position {
  readonly kind: "subquery";
  readonly expr: Expression;
  readonly rangeMs: number;
  readonly rangeExpr: DurationExpression | undefined;
  /** 0: the default step (unless there is a `stepExpr`). */
  readonly stepMs: number;
  readonly stepExpr: DurationExpression | undefined;
  readonly offsetMs: number;
  readonly offsetExpr: DurationExpression | undefined;
  readonly at: AtModifier | undefined;
}

export interface AggregateExpression extends Position {
  readonly kind: "aggregate";
  readonly op: AggregateOp;
  readonly expr: Expression;
  /** Of topk, bottomk, limitk, limit_ratio and quantile a scalar, of count_values a string; others have none. */
  readonly param: Expression | undefined;
  /** In the order written. */
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export type Cardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

/** How the series of two vectors find each other. */
export interface VectorMatching {
  /** "many-to-one" is `group_left`, "one-to-many" is `group_right`; set operators are "many-to-many". */
  readonly cardinality: Cardinality;
  /** `on (labels)` if true, otherwise `ignoring (labels)`. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of the "one" side that the result gets: `group_left (include)`. */
  readonly include: readonly string[];
  /** Values in place of a missing partner on that side; undefined: no result without a partner. */
  readonly fillLeft: number | undefined;
  readonly fillRight: number | undefined;
}

export interface BinaryExpression extends Position {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly left: Expression;
  readonly right: Expression;
  /** Set exactly where both operands are vectors. */
  readonly matching: VectorMatching | undefined;
  /** `bool` after a comparison: 0 and 1 instead of filtering. */
  readonly returnBool: boolean;
}

export interface UnaryExpression extends Position {
  readonly kind: "unary";
  readonly op: "+" | "-";
  readonly expr: Expression;
}

export interface ParenExpression extends Position {
  readonly kind: "paren";
  readonly expr: Expression;
}

export interface CallExpression extends Position {
  readonly kind: "call";
  readonly func: FunctionSignature;
  readonly args: readonly Expression[];
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | SubqueryExpression
  | AggregateExpression
  | BinaryExpression
  | UnaryExpression
  | ParenExpression
  | CallExpression;

/**
 * A computed duration, in seconds. Literals in it are numbers of seconds too. Positions are those that Prometheus
 * shows in its errors: from the first operand to the last, without parentheses around.
 */
export type DurationExpression =
  | DurationBinary
  | DurationUnary
  | DurationExtremum
  | DurationOfQuery
  | NumberLiteral;

export interface DurationBinary extends Position {
  readonly kind: "durationBinary";
  readonly op: "+" | "-" | "*" | "/" | "%" | "^";
  readonly left: DurationExpression;
  readonly right: DurationExpression;
  readonly wrapped: boolean;
}

/** A sign, or ("+") parentheses around a literal. */
export interface DurationUnary extends Position {
  readonly kind: "durationUnary";
  readonly op: "+" | "-";
  readonly expr: DurationExpression;
  /** Written in parentheses. */
  readonly wrapped: boolean;
}

export interface DurationExtremum extends Position {
  readonly kind: "durationExtremum";
  readonly op: "min_of" | "max_of";
  readonly left: DurationExpression;
  readonly right: DurationExpression;
  readonly wrapped: boolean;
}

/** `step()` or `range()`: the query's. */
export interface DurationOfQuery extends Position {
  readonly kind: "durationOfQuery";
  readonly op: "step" | "range";
  readonly wrapped: boolean;
}

/** What an expression evaluates to. */
export function typeOf(expr: Expression): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vectorSelector":
    case "aggregate":
      return "vector";
    case "matrixSelector":
    case "subquery":
      return "matrix";
    case "binary":
      return typeOf(expr.left) === "scalar" && typeOf(expr.right) === "scalar" ? "scalar" : "vector";
    case "unary":
    case "paren":
      return typeOf(expr.expr);
    case "call":
      return expr.func.returnType;
    default:
      return unreachable(expr);
  }
}

/** The direct sub-expressions, in the order in which Prometheus visits them: an aggregation's operand before its parameter. */
export function childrenOf(expr: Expression): readonly Expression[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vectorSelector":
      return [];
    case "matrixSelector":
      return [expr.selector];
    case "aggregate":
      return expr.param === undefined ? [expr.expr] : [expr.expr, expr.param];
    case "binary":
      return [expr.left, expr.right];
    case "subquery":
    case "unary":
    case "paren":
      return [expr.expr];
    case "call":
      return expr.args;
    default:
      return unreachable(expr);
  }
}

/** Calls `visit` for `expr` and everything in it, parents first. */
export function walk(expr: Expression, visit: (node: Expression) => void): void {
  visit(expr);
  for (const child of childrenOf(expr)) walk(child, visit);
}

/** The pass over a parsed tree that checks types and settles how binary operators match. The first problem is thrown. */
import { unreachable } from "../../base/assert.ts";
import { quote } from "../../base/quote.ts";
import { metricName } from "../../model/labels.ts";
import type {
  AggregateExpression,
  BinaryExpression,
  CallExpression,
  DurationExpression,
  Expression,
  ValueType,
  VectorMatching,
  VectorSelector,
} from "./ast.ts";
import { type Cursor, depthMax } from "./cursor.ts";
import { comparisonOps, setOps } from "./token.ts";

/** Before this pass a binary expression carries the matching as written, whatever its operands are. */
type Unsettled = { -readonly [K in keyof BinaryExpression]: BinaryExpression[K] };

export function check(cursor: Cursor, expr: Expression): ValueType {
  return new Checker(cursor).check(expr, false);
}

class Checker {
  readonly #cursor: Cursor;
  #depth = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** `mayMatchAll`: an empty selector is fine here. */
  check(expr: Expression, mayMatchAll: boolean): ValueType {
    if (++this.#depth > depthMax) this.#cursor.tooDeep(expr.start);
    const type = this.#checkNode(expr, mayMatchAll);
    this.#depth--;
    return type;
  }

  #checkNode(expr: Expression, mayMatchAll: boolean): ValueType {
    switch (expr.kind) {
      case "number":
        return "scalar";
      case "string":
        return "string";
      case "vectorSelector":
        return this.#vectorSelector(expr, mayMatchAll);
      case "matrixSelector":
        this.#duration(expr.rangeExpr);
        this.check(expr.selector, false);
        return "matrix";
      case "paren":
        return this.check(expr.expr, false);
      case "aggregate":
        return this.#aggregate(expr);
      case "binary":
        return this.#binary(expr);
      case "call":
        return this.#call(expr);
      case "unary": {
        const type = this.check(expr.expr, false);
        if (type === "scalar" || type === "vector") return type;
        const got = quote(documented(type));
        const wanted = "expressions of type scalar or instant vector";
        return this.#fail(expr, `unary expression only allowed on ${wanted}, got ${got}`);
      }
      case "subquery": {
        for (const duration of [expr.rangeExpr, expr.stepExpr, expr.offsetExpr]) this.#duration(duration);
        const type = this.check(expr.expr, false);
        if (type === "vector") return "matrix";
        return this.#fail(expr, `subquery is only allowed on instant vector, got ${type} instead`);
      }
      default:
        return unreachable(expr);
    }
  }

  #vectorSelector(expr: VectorSelector, mayMatchAll: boolean): ValueType {
    this.#duration(expr.offsetExpr);
    const { name, matchers } = expr;
    if (name !== "") {
      for (const matcher of matchers.slice(0, -1)) {
        if (matcher.name !== metricName) continue;
        this.#fail(expr, `metric name must not be set twice: ${quote(name)} or ${quote(matcher.value)}`);
      }
    } else if (!mayMatchAll && matchers.every((matcher) => matcher.matchesEmpty)) {
      this.#fail(expr, "vector selector must contain at least one non-empty matcher");
    }
    return "vector";
  }

  /** Only its depth can be wrong. */
  #duration(expr: DurationExpression | undefined): void {
    if (expr === undefined) return;
    if (++this.#depth > depthMax) this.#cursor.tooDeep(expr.start);
    if (expr.kind === "durationUnary") this.#duration(expr.expr);
    if (expr.kind === "durationBinary" || expr.kind === "durationExtremum") {
      this.#duration(expr.left);
      this.#duration(expr.right);
    }
    this.#depth--;
  }

  #aggregate({ op, expr, param }: AggregateExpression): ValueType {
    this.#expect(expr, "vector", "aggregation expression");
    if (param !== undefined) {
      this.#expect(param, op === "count_values" ? "string" : "scalar", "aggregation parameter");
    }
    return "vector";
  }

  #expect(expr: Expression, wanted: ValueType, where: string): void {
    const got = this.check(expr, false);
    if (got === wanted) return;
    this.#fail(expr, `expected type ${documented(wanted)} in ${where}, got ${documented(got)}`);
  }

  #call({ func, args, start }: CallExpression): ValueType {
    const { name, argTypes, variadic } = func;
    const fail = (problem: string) =>
      this.#cursor.fail(
        start,
        `expected ${problem} argument(s) in call to ${quote(name)}, got ${args.length}`,
      );
    const wanted = argTypes.length;
    if (variadic === 0 && args.length !== wanted) fail(`${wanted}`);
    if (variadic !== 0 && args.length < wanted - 1) fail(`at least ${wanted - 1}`);
    const most = wanted - 1 + variadic;
    if (variadic > 0 && args.length > most) fail(`at most ${most}`);
    if (name === "info" && args.length > 1) this.#infoSelector(func.name, args[1], start);
    for (const [i, arg] of args.entries()) {
      const wantedType = argTypes[Math.min(i, wanted - 1)];
      const got = this.check(arg, name === "info" && i === 1);
      if (got === wantedType) continue;
      const types = `expected type ${documented(wantedType)} in call to function ${quote(name)}`;
      this.#fail(arg, `${types}, got ${documented(got)}`);
    }
    return func.returnType;
  }

  /** info()'s second argument is not evaluated: only its matchers count. */
  #infoSelector(name: string, arg: Expression, position: number): void {
    const type = arg.kind === "vectorSelector" ? "vector" : this.check(arg, false);
    if (type !== "vector") {
      const problem = `expected type ${documented("vector")} in call to function ${quote(name)}, got ${documented(type)}`;
      this.#cursor.fail(position, problem);
    }
    if (arg.kind !== "vectorSelector") this.#fail(arg, "expected label selectors only");
    else if (arg.name !== "") this.#fail(arg, "expected label selectors only, got vector selector instead");
  }

  #binary(expr: BinaryExpression): ValueType {
    const { op, left, right, returnBool } = expr;
    const leftType = this.check(left, false);
    const rightType = this.check(right, false);
    const matching = expr.matching as VectorMatching;
    const isComparison = comparisonOps.has(op);
    const isSet = setOps.has(op);
    const scalars = leftType === "scalar" && rightType === "scalar";
    if (returnBool && !isComparison) {
      this.#failAtOperator(expr, "bool modifier can only be used on comparison operators");
    }
    if (isComparison && !returnBool && scalars) {
      this.#failAtOperator(expr, "comparisons between scalars must use BOOL modifier");
    }
    const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (both !== undefined) {
      this.#failAtOperator(expr, `label ${quote(both)} must not occur in ON and GROUP clause at once`);
    }
    for (const [operand, type] of [[left, leftType] as const, [right, rightType] as const]) {
      if (type === "scalar" || type === "vector") continue;
      this.#fail(operand, "binary expression must contain only scalar and instant vector types");
    }
    (expr as Unsettled).matching =
      leftType === "vector" && rightType === "vector"
        ? this.#vectorMatching(expr, matching, isSet)
        : this.#noMatching(expr, matching, isSet);
    return scalars ? "scalar" : "vector";
  }

  #vectorMatching(expr: BinaryExpression, matching: VectorMatching, isSet: boolean): VectorMatching {
    if (!isSet) return matching;
    if (matching.cardinality !== "one-to-one") {
      this.#fail(expr, `no grouping allowed for ${quote(expr.op)} operation`);
    }
    if (hasFill(matching)) this.#fail(expr, "filling in missing series not allowed for set operators");
    return { ...matching, cardinality: "many-to-many" };
  }

  #noMatching(expr: BinaryExpression, matching: VectorMatching, isSet: boolean): undefined {
    if (matching.labels.length > 0) {
      this.#fail(expr, "vector matching only allowed between instant vectors");
    }
    if (hasFill(matching)) {
      this.#fail(expr, "filling in missing series only allowed between instant vectors");
    }
    if (isSet) {
      this.#fail(expr, `set operator ${quote(expr.op)} not allowed in binary scalar expression`);
    }
  }

  #fail(expr: Expression, problem: string): never {
    return this.#cursor.fail(expr.start, problem);
  }

  /** At the operator: behind the left operand and the blanks after it. */
  #failAtOperator({ left }: BinaryExpression, problem: string): never {
    const blanks = /^[ \t\n\r]*/.exec(this.#cursor.query.slice(left.end))?.[0].length ?? 0;
    return this.#cursor.fail(left.end + blanks, problem);
  }
}

function hasFill(matching: VectorMatching): boolean {
  return matching.fillLeft !== undefined || matching.fillRight !== undefined;
}

/** A type as the documentation calls it. */
function documented(type: ValueType): string {
  if (type === "vector") return "instant vector";
  return type === "matrix" ? "range vector" : type;
}

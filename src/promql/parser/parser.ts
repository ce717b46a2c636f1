/**
 * The PromQL parser: precedence climbing over {@link Cursor}, then a pass over the tree that checks types
 * (check.ts). It stands alone: it needs no server, no clock, no Node, and the web page uses it too.
 *
 * What Prometheus accepts is accepted and what it refuses is refused with the same words, up to the first error.
 */
import { quote } from "../../base/quote.ts";
import type { Matcher } from "../../model/matcher.ts";
import { parseAggregate } from "./aggregate.ts";
import type { BinaryExpression, BinaryOp, CallExpression, Expression } from "./ast.ts";
import { parseBinaryModifiers } from "./binary-modifiers.ts";
import { check } from "./check.ts";
import { Cursor } from "./cursor.ts";
import { functions } from "./functions.ts";
import { isNumberAhead, parseNumberLiteral, parseStringLiteral, withSign } from "./literals.ts";
import { parseModifiers } from "./modifiers.ts";
import { parseVectorSelector } from "./selector.ts";
import { aggregateOps, isMetricName, preprocessors, startsExpression, type Token } from "./token.ts";

/** Parts of the language that are off unless asked for; Prometheus's feature flags of similar names. */
export interface ParserFeatures {
  /** Functions and aggregations marked experimental. */
  readonly experimentalFunctions?: boolean;
  /** `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left` and `fill_right` in binary expressions. */
  readonly fillModifiers?: boolean;
}

/** Throws a {@link PromqlParseError}. */
export function parseExpression(query: string, features: ParserFeatures = {}): Expression {
  const cursor = new Cursor(query);
  if (cursor.peek().type === "EOF") return cursor.fail(0, "no expression found in input");
  const expr = new Parser(cursor, features).expression(lowest);
  cursor.expect("EOF");
  check(cursor, expr);
  return expr;
}

/** The matchers of a vector selector without any modifier, as in the API's `match[]`. They may match everything. */
export function parseMetricSelector(text: string): readonly Matcher[] {
  const cursor = new Cursor(text);
  const name = isMetricName(cursor.peek().type) ? cursor.next() : undefined;
  const { matchers } = parseVectorSelector(cursor, name);
  cursor.expect("EOF");
  return matchers;
}

const lowest = 1;
/** A sign binds as `*` does. */
const underSign = 6;
const rightAssociative = "^";

/** All others associate to the left. */
const precedences: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};

class Parser {
  readonly #cursor: Cursor;
  readonly #features: ParserFeatures;

  constructor(cursor: Cursor, features: ParserFeatures) {
    this.#cursor = cursor;
    this.#features = features;
  }

  /** An expression whose operators all have at least this precedence. */
  expression(min: number): Expression {
    return this.#cursor.nested(() => {
      let left = this.#operand();
      for (;;) {
        const op = this.#cursor.peek().type;
        const precedence = precedences[op] ?? 0;
        if (precedence < min) return left;
        left = this.#binary(left, op as BinaryOp, precedence);
      }
    });
  }

  #binary(left: Expression, op: BinaryOp, precedence: number): BinaryExpression {
    const cursor = this.#cursor;
    cursor.next();
    const { returnBool, matching } = parseBinaryModifiers(cursor);
    const right = this.expression(op === rightAssociative ? precedence : precedence + 1);
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (fills && !this.#features.fillModifiers) {
      cursor.fail(left.start, "binop fill modifiers are experimental and not enabled");
    }
    return { kind: "binary", op, left, right, matching, returnBool, start: left.start, end: right.end };
  }

  #operand(): Expression {
    const { type } = this.#cursor.peek();
    if (type === "+" || type === "-") return this.#unary();
    return parseModifiers(this.#cursor, this.#primary(), this.#features);
  }

  #unary(): Expression {
    const sign = this.#cursor.next();
    const expr = this.expression(underSign);
    if (expr.kind === "number") return withSign(sign, expr);
    return { kind: "unary", op: sign.type as "+" | "-", expr, start: sign.start, end: expr.end };
  }

  #primary(): Expression {
    const cursor = this.#cursor;
    if (isNumberAhead(cursor)) return parseNumberLiteral(cursor);
    const { type } = cursor.peek();
    switch (type) {
      case "STRING":
        return parseStringLiteral(cursor);
      case "{":
        return parseVectorSelector(cursor, undefined);
      case "(":
        return this.#paren();
    }
    if (!isMetricName(type)) return cursor.unexpected();
    const word = cursor.next();
    const next = cursor.peek().type;
    if (aggregateOps.has(type) && (next === "(" || next === "by" || next === "without")) {
      return parseAggregate(cursor, word, () => this.#args(), this.#features);
    }
    if (next === "(" && (type === "IDENTIFIER" || preprocessors.has(type))) return this.#call(word);
    return parseVectorSelector(cursor, word);
  }

  #paren(): Expression {
    const { start } = this.#cursor.next();
    const expr = this.expression(lowest);
    return { kind: "paren", expr, start, end: this.#cursor.expect(")").end };
  }

  #call(word: Token): CallExpression {
    const args = this.#args();
    const name = word.text;
    const func = functions.get(name);
    if (func === undefined) {
      return this.#cursor.fail(word.start, `unknown function with name ${quote(name)}`);
    }
    if (func.experimental && !this.#features.experimentalFunctions) {
      this.#cursor.fail(word.start, `function ${quote(name)} is not enabled`);
    }
    return { kind: "call", func, args, start: word.start, end: this.#cursor.consumed };
  }

  /** `(a, b, …)` */
  #args(): Expression[] {
    const cursor = this.#cursor;
    cursor.expect("(");
    const args: Expression[] = [];
    if (cursor.accept(")") !== undefined) return args;
    for (;;) {
      args.push(this.expression(lowest));
      const comma = cursor.accept(",");
      if (comma === undefined) break;
      if (!startsExpression(cursor.peek().type)) {
        cursor.fail(comma.start, "trailing commas not allowed in function call args");
      }
    }
    cursor.expect(")");
    return args;
  }
}

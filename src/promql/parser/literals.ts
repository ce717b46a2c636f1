import { ParseError } from "../../base/errors.ts";
import { parseDuration } from "../../model/duration.ts";
import type { NumberLiteral, StringLiteral } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseNumber } from "./number-value.ts";
import { unquote } from "./string-literal.ts";
import type { Token } from "./token.ts";

/** Whether the token ahead is a number or a duration. */
export function isNumberAhead(cursor: Cursor): boolean {
  const { type } = cursor.peek();
  return type === "NUMBER" || type === "DURATION";
}

/** A number, or a duration as a number of seconds. */
export function parseNumberLiteral(cursor: Cursor): NumberLiteral {
  if (!isNumberAhead(cursor)) return cursor.unexpected();
  const token = cursor.next();
  const isDuration = token.type === "DURATION";
  const value = isDuration ? durationSeconds(cursor, token) : numberValue(cursor, token);
  return { kind: "number", value, isDuration, start: token.start, end: token.end };
}

/** With a sign (the token ahead). */
export function parseSignedNumberLiteral(cursor: Cursor): NumberLiteral {
  const sign = cursor.next();
  return withSign(sign, parseNumberLiteral(cursor));
}

/** The literal behind a "+" or "-". */
export function withSign(sign: Token, literal: NumberLiteral): NumberLiteral {
  return { ...literal, value: sign.type === "-" ? -literal.value : literal.value, start: sign.start };
}

export function parseStringLiteral(cursor: Cursor): StringLiteral {
  const { text, start, end } = cursor.expect("STRING");
  return { kind: "string", value: unquote(text), start, end };
}

function numberValue(cursor: Cursor, token: Token): number {
  const { value, problem } = parseNumber(token.text);
  if (problem !== "") cursor.fail(token.start, problem);
  return value;
}

function durationSeconds(cursor: Cursor, token: Token): number {
  try {
    const ms = parseDuration(token.text);
    return Math.floor(ms / 1000) + ((ms % 1000) * 1e6) / 1e9;
  } catch (error) {
    if (error instanceof ParseError) cursor.fail(token.start, error.message);
    throw error;
  }
}

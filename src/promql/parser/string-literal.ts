/**
 * String literals: in double or single quotes with Go's escapes, or in backquotes as they stand. Prometheus's strings
 * are bytes: `\xff` makes one that is not UTF-8. Ours are text: such bytes become U+FFFD.
 */
import { decodeUtf8, encodeUtf8 } from "../../base/bytes.ts";

export interface ScannedString {
  /** Behind the closing quote. */
  readonly end: number;
  /** "" if all is well. */
  readonly problem: string;
}

/** Escapes of one letter. */
const letters: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** How many digits of which base follow the letter of a numeric escape; octal has its first digit as the letter. */
const numeric: Readonly<Record<string, { count: number; base: number; max: number }>> = {
  x: { count: 2, base: 16, max: 0xff },
  u: { count: 4, base: 16, max: 0x10ffff },
  U: { count: 8, base: 16, max: 0x10ffff },
};
const octal = { count: 3, base: 8, max: 0xff };

/** Finds the end of the literal that opens at `start` and checks it. */
export function scanString(input: string, start: number): ScannedString {
  const quoteMark = input[start];
  const isRaw = quoteMark === "`";
  const failed = (problem: string): ScannedString => ({ end: start, problem });
  let at = start + 1;
  while (at < input.length) {
    const code = input.codePointAt(at) as number;
    const char = String.fromCodePoint(code);
    at += char.length;
    if (char === quoteMark) return { end: at, problem: "" };
    if (code === 0xfffd || (code >= 0xd800 && code < 0xe000)) return failed("invalid UTF-8 rune");
    if (isRaw) continue;
    if (char === "\n") break;
    if (char !== "\\") continue;
    const escaped = scanEscape(input, at, quoteMark);
    if (escaped.problem !== "") return failed(escaped.problem);
    at = escaped.end;
  }
  return failed(isRaw ? "unterminated raw string" : "unterminated quoted string");
}

/** `at` is behind the backslash. */
function scanEscape(input: string, at: number, quoteMark: string): ScannedString {
  const char = charAt(input, at);
  if (char === "") return { end: at, problem: "escape sequence not terminated" };
  if (char === quoteMark || char in letters) return { end: at + 1, problem: "" };
  const isOctal = char >= "0" && char <= "7";
  const shape = isOctal ? octal : numeric[char];
  if (shape === undefined) return { end: at, problem: `unknown escape sequence ${describeRune(char)}` };
  let value = 0;
  const first = isOctal ? at : at + 1;
  for (let i = 0; i < shape.count; i++) {
    const digit = charAt(input, first + i);
    if (digit === "") return { end: at, problem: "escape sequence not terminated" };
    if (!/^[0-9a-fA-F]$/.test(digit) || Number.parseInt(digit, 16) >= shape.base) {
      return { end: at, problem: `illegal character ${describeRune(digit)} in escape sequence` };
    }
    value = value * shape.base + Number.parseInt(digit, 16);
  }
  if (value > shape.max || (value >= 0xd800 && value < 0xe000)) {
    return { end: at, problem: "escape sequence is an invalid Unicode code point" };
  }
  return { end: first + shape.count, problem: "" };
}

/** As Go's `%#U`: `U+0067 'g'`. */
function describeRune(char: string): string {
  const code = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char) ? `U+${code} '${char}'` : `U+${code}`;
}

function charAt(input: string, at: number): string {
  const code = input.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

const escapes = /\\(?:([abfnrtv\\'"])|x(..)|([0-7]{3})|u(....)|U(.{8}))/g;

/** The text of a literal that {@link scanString} accepted. */
export function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal[0] === "`" || !body.includes("\\")) return body;
  if (!/\\[x0-7]/.test(body)) return body.replace(escapes, unescapeOne);
  return decodeUtf8(unquoteToBytes(body));
}

function unescapeOne(_: string, letter?: string, x?: string, o?: string, u?: string, U?: string): string {
  if (letter !== undefined) return letters[letter] ?? letter;
  if (o !== undefined) return String.fromCodePoint(Number.parseInt(o, 8));
  return String.fromCodePoint(Number.parseInt((x ?? u ?? U) as string, 16));
}

/** `\x` and octal escapes stand for single bytes. */
function unquoteToBytes(body: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const found of body.matchAll(escapes)) {
    parts.push(encodeUtf8(body.slice(at, found.index)));
    const [all, letter, x, o, u, U] = found;
    const byte = x !== undefined ? Number.parseInt(x, 16) : o !== undefined ? Number.parseInt(o, 8) : -1;
    parts.push(byte >= 0 ? Uint8Array.of(byte) : encodeUtf8(unescapeOne(all, letter, x, o, u, U)));
    at = found.index + all.length;
  }
  parts.push(encodeUtf8(body.slice(at)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

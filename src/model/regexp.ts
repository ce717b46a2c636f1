/**
 * Regular expressions as Prometheus has them: RE2 syntax, anchored at both ends, "." matching newlines too.
 * RE2 runs in linear time; the common shapes never reach it.
 */
import { RE2JS } from "re2js";
import { ParseError } from "../base/errors.ts";

export interface StringTest {
  matches(text: string): boolean;
  /** All strings that match, where they are few. */
  readonly literals?: readonly string[];
  /** What every match starts with. */
  readonly prefix: string;
}

const special = /[\\.+*?()|[\]{}^$]/;

/** Throws a ParseError where RE2 does not accept `pattern`. */
export function compileAnchored(pattern: string): StringTest {
  const alternatives = pattern.split("|");
  if (!alternatives.some((part) => special.test(part))) {
    const set = new Set(alternatives);
    const literals = [...set];
    return { matches: (text) => set.has(text), literals, prefix: literals.length === 1 ? literals[0] : "" };
  }
  if (pattern === ".*") return { matches: () => true, prefix: "" };
  if (pattern === ".+") return { matches: (text) => text !== "", prefix: "" };
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    throw new ParseError(`error parsing regexp: ${(error as Error).message}`, 0, { cause: error });
  }
  const start = /^[^\\.+*?()|[\]{}^$]*/.exec(pattern)?.[0] ?? "";
  const rest = pattern.slice(start.length);
  if (rest === ".*") return { matches: (text) => text.startsWith(start), prefix: start };
  if (rest === ".+") {
    return { matches: (text) => text.length > start.length && text.startsWith(start), prefix: start };
  }
  return { matches: (text) => compiled.matches(text), prefix: "" };
}

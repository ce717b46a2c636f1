/**
 * Regular expressions as Prometheus has them: RE2 syntax, anchored at both ends, "." matching newlines too.
 * RE2 runs in linear time; the common shapes never reach it.
 */
import { RE2JS } from "re2js";
import { ParseError } from "../base/errors.ts";
import type { MatchGroups } from "./regexp-template.ts";

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
  const compiled = compile(pattern, RE2JS.DOTALL);
  const start = /^[^\\.+*?()|[\]{}^$]*/.exec(pattern)?.[0] ?? "";
  const rest = pattern.slice(start.length);
  if (rest === ".*") return { matches: (text) => text.startsWith(start), prefix: start };
  if (rest === ".+") {
    return { matches: (text) => text.length > start.length && text.startsWith(start), prefix: start };
  }
  return { matches: (text) => compiled.matches(text), prefix: "" };
}

/** A regular expression of a relabelling rule: anchored too, and its groups can be asked for. */
export class CapturingRegexp {
  readonly #compiled: RE2JS;
  readonly #names: Readonly<Record<string, number>>;

  /** Throws a ParseError where RE2 does not accept `pattern`. */
  constructor(pattern: string) {
    this.#compiled = compile(`^(?s:${pattern})$`, 0);
    this.#names = this.#compiled.namedGroups();
  }

  matches(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** The groups of the match; undefined where `text` does not match. */
  exec(text: string): MatchGroups | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.find()) return undefined;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
    return { groups, names: this.#names };
  }
}

/** RE2's own message already starts with "error parsing regexp: ". */
function compile(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    // DOTALL is a prefix to the library, and it shows.
    throw new ParseError((error as Error).message.replace("`(?s)", "`"), 0, { cause: error });
  }
}

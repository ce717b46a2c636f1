/**
 * Regular expressions as Prometheus has them: RE2 syntax, anchored at both ends, "." matching newlines too.
 * RE2 runs in linear time; the common shapes (regexp-shape.ts) never reach it.
 */
import { RE2JS } from "re2js";
import { ParseError } from "../base/errors.ts";
import { isLiteral, type Sequence, shapesOf } from "./regexp-shape.ts";
import type { MatchGroups } from "./regexp-template.ts";

export interface StringTest {
  matches(text: string): boolean;
  /** All strings that match, where they are few. */
  readonly literals?: readonly string[];
  /** What every match starts with. */
  readonly prefix: string;
}

/** Throws a ParseError where RE2 does not accept `pattern`. */
export function compileAnchored(pattern: string): StringTest {
  const shapes = shapesOf(pattern);
  if (shapes === undefined) return { matches: runRe2(pattern), prefix: "" };
  const { sequences, ignoreCase } = shapes;
  const prefix = ignoreCase ? "" : shapes.prefix;
  if (sequences === undefined) {
    const run = runRe2(pattern);
    return { matches: (text) => text.startsWith(prefix) && run(text), prefix };
  }
  if (ignoreCase) {
    const matches = matchAny(sequences.map(foldSequence));
    return { matches: (text) => matches(foldCase(text)), prefix };
  }
  if (!sequences.every(isLiteral)) return { matches: matchAny(sequences), prefix };
  const literals = new Set(sequences.map((sequence) => sequence.join("")));
  return { matches: (text) => literals.has(text), literals: [...literals], prefix };
}

function runRe2(pattern: string): (text: string) => boolean {
  const compiled = compile(pattern, RE2JS.DOTALL);
  return (text) => compiled.testExact(text);
}

function matchAny(sequences: readonly Sequence[]): (text: string) => boolean {
  const literals = new Set(sequences.filter(isLiteral).map((sequence) => sequence.join("")));
  const rest = sequences.filter((sequence) => !isLiteral(sequence));
  if (rest.length === 1 && literals.size === 0) return matchSequence(rest[0]);
  const tests = rest.map(matchSequence);
  return (text) => literals.has(text) || tests.some((test) => test(text));
}

/** A sequence with at least one gap. */
function matchSequence(sequence: Sequence): (text: string) => boolean {
  const first = sequence[0];
  const last = sequence[sequence.length - 1];
  const start = typeof first === "string" ? first : "";
  const end = typeof last === "string" ? last : "";
  const middle = sequence.slice(start === "" ? 0 : 1, end === "" ? undefined : -1);
  return (text) =>
    text.startsWith(start) &&
    text.endsWith(end) &&
    hasInOrder(text, middle, start.length, text.length - end.length);
}

/** Whether gaps and literals in turn, a gap at both ends, fill the text between the two positions. */
function hasInOrder(text: string, parts: Sequence, from: number, to: number): boolean {
  for (let i = 0; i + 1 < parts.length; i += 2) {
    // The earliest place leaves the most room for what follows.
    const literal = parts[i + 1] as string;
    const at = text.indexOf(literal, from + gapMin(parts[i]));
    if (at < 0) return false;
    from = at + literal.length;
  }
  return from + gapMin(parts[parts.length - 1]) <= to;
}

function gapMin(part: Sequence[number]): number {
  return typeof part !== "string" && part.nonEmpty ? 1 : 0;
}

function foldSequence(sequence: Sequence): Sequence {
  return sequence.map((part) => (typeof part === "string" ? foldCase(part) : part));
}

/** Case folding as far as ASCII letters take part: the Kelvin sign is a "k" and the long s an "s". */
function foldCase(text: string): string {
  return text.replace(/[A-Z\u212a\u017f]/g, (char) => {
    if (char === "\u212a") return "k";
    return char === "\u017f" ? "s" : char.toLowerCase();
  });
}

/** A regular expression of a relabelling rule: anchored too, and its groups can be asked for. */
export class CapturingRegexp {
  readonly #compiled: RE2JS;
  readonly #names: Readonly<Record<string, number>>;
  readonly #matches: (text: string) => boolean;

  /** Throws a ParseError where RE2 does not accept `pattern`. */
  constructor(pattern: string) {
    const compiled = compile(`^(?s:${pattern})$`, 0);
    this.#compiled = compiled;
    this.#names = compiled.namedGroups();
    // The anchors stand around the text of the pattern, so "a)|(b" is valid here and nowhere else.
    const known = shapesOf(pattern)?.sequences !== undefined;
    this.#matches = known ? compileAnchored(pattern).matches : (text) => compiled.test(text);
  }

  matches(text: string): boolean {
    return this.#matches(text);
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

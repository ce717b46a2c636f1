/**
 * The shapes of regular expressions that can be tested without running them: sets of literals, and literals with
 * anything in between (`a.*`, `.*b.*c.+`). Only a part of RE2's syntax is read here; whatever else stands in a pattern
 * makes the answer "unknown", and RE2 decides.
 *
 * Every pattern is anchored at both ends and "." matches newlines too, so `.*` is "anything at all".
 */

/** Anything at all, or (`nonEmpty`) at least one character. */
export interface Gap {
  readonly nonEmpty: boolean;
}

/** Literals and gaps in turn; neighbours of one kind are merged. */
export type Sequence = readonly (string | Gap)[];

export interface Shapes {
  /** The pattern matches what one of these matches. Undefined: more than these say, or too many. */
  readonly sequences: readonly Sequence[] | undefined;
  /** What every match starts with, known even where the sequences are not. */
  readonly prefix: string;
  readonly ignoreCase: boolean;
}

/** As many literals as Prometheus expands a pattern to. */
const literalsMax = 256;
const sequencesMax = 16;
const depthMax = 50;

/** A part of a pattern: the sequences it stands for, or undefined for what only RE2 knows. */
type Part = readonly Sequence[] | undefined;

/** Thrown, and caught here, when a pattern has what is not read here. */
const notReadHere = Symbol("not read here");

/** Undefined where the pattern has syntax that is not read here, which includes every pattern that is not valid. */
export function shapesOf(pattern: string): Shapes | undefined {
  const ignoreCase = pattern.startsWith("(?i)");
  const parser = new Parser(ignoreCase ? pattern.slice(4) : pattern);
  try {
    const alternatives = parser.parse();
    if (ignoreCase && !isAscii(pattern)) return undefined;
    const sequences = bounded(
      union(
        alternatives.map(({ whole }) => whole),
        pattern.length,
      ),
    );
    return { sequences, prefix: commonPrefix(alternatives.map(({ start }) => start)), ignoreCase };
  } catch (error) {
    if (error === notReadHere) return undefined;
    throw error;
  }
}

/** An alternative of the whole pattern, and the literal that it starts with. */
interface Alternative {
  readonly whole: Part;
  readonly start: string;
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    if (/\p{Surrogate}/u.test(pattern)) this.#fail();
    this.#chars = [...pattern];
  }

  #fail(): never {
    throw notReadHere;
  }

  get #next(): string | undefined {
    return this.#chars[this.#at];
  }

  parse(): Alternative[] {
    const alternatives: Alternative[] = [];
    do {
      // At the ends of the whole pattern these two say what is so anyway.
      if (this.#next === "^") this.#at++;
      const parts = this.#concatenation(0);
      if (this.#next === "$") this.#at++;
      alternatives.push({ whole: product(parts), start: leadingLiteral(parts) });
    } while (this.#skip("|"));
    if (this.#at < this.#chars.length) this.#fail();
    return alternatives;
  }

  #skip(char: string): boolean {
    if (this.#next !== char) return false;
    this.#at++;
    return true;
  }

  #concatenation(depth: number): Part[] {
    const parts: Part[] = [];
    while (this.#next !== undefined && !"|)$".includes(this.#next)) parts.push(this.#repeated(depth));
    return parts;
  }

  #repeated(depth: number): Part {
    const isAny = this.#next === ".";
    const atom = this.#atom(depth);
    const operator = this.#next;
    if (operator === "{") this.#fail();
    if (operator === undefined || !"*+?".includes(operator)) return atom;
    this.#at++;
    this.#skip("?");
    if (this.#next !== undefined && "*+?{".includes(this.#next)) this.#fail();
    if (operator === "?") return isAny ? undefined : union([[[]], atom], 0);
    return isAny ? [[{ nonEmpty: operator === "+" }]] : undefined;
  }

  #atom(depth: number): Part {
    const char = this.#chars[this.#at++];
    if (char === "(") return this.#group(depth + 1);
    if (char === "[") return this.#class();
    if (char === ".") return undefined;
    if (char === "\\") return this.#escape();
    if ("*+?{^".includes(char)) this.#fail();
    return [[char]];
  }

  #group(depth: number): Part {
    if (depth > depthMax) this.#fail();
    if (this.#skip("?") && !this.#skip(":")) this.#fail();
    const alternatives: Part[] = [];
    do {
      alternatives.push(product(this.#concatenation(depth)));
    } while (this.#skip("|"));
    if (!this.#skip(")")) this.#fail();
    return union(alternatives, this.#chars.length);
  }

  /** `\d` and its like are understood as far as that one character is meant. */
  #escape(): Part {
    const char = this.#chars[this.#at++] ?? this.#fail();
    if ("dDwWsS".includes(char)) return undefined;
    const control = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\x07" }[char];
    if (control !== undefined) return [[control]];
    if (!/^[!-/:-@[-`{-~]$/.test(char)) this.#fail();
    return [[char]];
  }

  #class(): Part {
    const negated = this.#skip("^");
    const chars: string[] = [];
    let known = !negated;
    for (let first = true; first || this.#next !== "]"; first = false) {
      const low = this.#classChar();
      if (this.#next !== "-" || this.#chars[this.#at + 1] === "]") {
        chars.push(low);
        continue;
      }
      this.#at++;
      known &&= addRange(chars, low, this.#classChar()) ?? this.#fail();
    }
    this.#at++;
    if (!known || chars.length > literalsMax) return undefined;
    return [...new Set(chars)].map((char) => [char]);
  }

  #classChar(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined || char === "[" || char === "-" || char === "]") this.#fail();
    if (char !== "\\") return char;
    const escaped = this.#escape();
    if (escaped === undefined) this.#fail();
    return escaped[0][0] as string;
  }
}

/** False where there are too many to list; undefined where the range is not one. */
function addRange(chars: string[], low: string, high: string): boolean | undefined {
  const from = low.codePointAt(0) as number;
  const to = high.codePointAt(0) as number;
  if (from > to) return undefined;
  if (to - from >= literalsMax || (from <= 0xdfff && to >= 0xd800)) return false;
  for (let code = from; code <= to; code++) chars.push(String.fromCodePoint(code));
  return true;
}

/** At most as many as the pattern has characters: dashboards write out thousands of alternatives. */
function union(parts: readonly Part[], patternLength: number): Part {
  const max = Math.max(literalsMax, patternLength);
  const all: Sequence[] = [];
  for (const part of parts) {
    if (part === undefined || all.length + part.length > max) return undefined;
    for (const sequence of part) all.push(sequence);
  }
  return all;
}

/** Every way to take one sequence of each part. */
function product(parts: readonly Part[]): Part {
  let all: readonly Sequence[] | undefined;
  for (const part of parts) {
    if (part === undefined) return undefined;
    if (all === undefined) {
      all = part;
      continue;
    }
    if (all.length * part.length > literalsMax) return undefined;
    const longer: (Sequence | undefined)[] = all.flatMap((start) =>
      part.map((end) => concatenate(start, end)),
    );
    if (longer.some((sequence) => sequence === undefined)) return undefined;
    all = longer as Sequence[];
  }
  return all ?? [[]];
}

/** Undefined for two gaps of which both must have a character: that is one more than a gap can say. */
function concatenate(start: Sequence, end: Sequence): Sequence | undefined {
  if (start.length === 0 || end.length === 0) return [...start, ...end];
  const last = start[start.length - 1];
  const first = end[0];
  const between = (merged: string | Gap) => [...start.slice(0, -1), merged, ...end.slice(1)];
  if (typeof last === "string" && typeof first === "string") return between(last + first);
  if (typeof last === "string" || typeof first === "string") return [...start, ...end];
  if (last.nonEmpty && first.nonEmpty) return undefined;
  return between({ nonEmpty: last.nonEmpty || first.nonEmpty });
}

/** Few enough to be tried one after the other, unless all are literals, which a set holds. */
function bounded(sequences: Part): Part {
  if (sequences === undefined || sequences.length <= sequencesMax) return sequences;
  return sequences.every(isLiteral) ? sequences : undefined;
}

export function isLiteral(sequence: Sequence): boolean {
  return sequence.every((part) => typeof part === "string");
}

function leadingLiteral(parts: readonly Part[]): string {
  let known = parts[0];
  for (const part of parts.slice(1)) {
    const longer = product([known, part]);
    if (longer === undefined) break;
    known = longer;
  }
  return commonPrefix((known ?? []).map((sequence) => (typeof sequence[0] === "string" ? sequence[0] : "")));
}

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // Not half a surrogate pair.
  return /[\ud800-\udbff]$/.test(prefix) ? prefix.slice(0, -1) : prefix;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

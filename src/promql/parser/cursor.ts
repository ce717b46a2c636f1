/**
 * The parser's place in the token stream. Tokens are cut one at a time, when they are looked at: an error of the lexer
 * must not hide one of the parser that lies before it.
 */
import { Lexer } from "./lexer.ts";
import { PromqlParseError } from "./parse-error.ts";
import { describeToken, type Token } from "./token.ts";

/** What an error message says about the place where a token was not expected. */
export interface Surroundings {
  /** "aggregation"; "" for none. */
  readonly within: string;
  /** "timestamp"; "" for unknown. */
  readonly expected: string;
}

const nothing: Surroundings = { within: "", expected: "" };

/** Parentheses, calls, signs and powers in each other. Deeper queries are refused: they could exhaust the stack. */
export const nestingMax = 250;
/** Levels of the tree, where operators in a row count too: later passes go through them by recursion. */
export const depthMax = 1000;

export class Cursor {
  readonly query: string;
  /** Where the last token taken ends. */
  consumed = 0;
  readonly #lexer: Lexer;
  #token: Token | undefined;
  #surroundings = nothing;
  #depth = 0;

  constructor(query: string) {
    this.query = query;
    this.#lexer = new Lexer(query);
  }

  /** The token ahead. */
  peek(): Token {
    this.#token ??= this.#lexer.next();
    return this.#token;
  }

  /** Takes the token ahead. */
  next(): Token {
    const token = this.peek();
    this.#token = undefined;
    this.consumed = token.end;
    return token;
  }

  /** Takes the token ahead if it is of this type. */
  accept(type: string): Token | undefined {
    return this.peek().type === type ? this.next() : undefined;
  }

  /** Takes the token ahead, which must be of this type. */
  expect(type: string): Token {
    return this.accept(type) ?? this.unexpected();
  }

  /** Runs `parse`; an unexpected token in it, and in nothing further in, is reported with these surroundings. */
  within<T>(surroundings: Surroundings, parse: () => T): T {
    const outer = this.#surroundings;
    this.#surroundings = surroundings;
    const result = parse();
    this.#surroundings = outer;
    return result;
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > nestingMax) {
      this.fail(this.peek().start, `expression is nested more than ${nestingMax} levels deep`);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  tooDeep(position: number): never {
    const advice = "operators in a row count as levels: use a regular expression or recording rules";
    return this.fail(position, `expression has more than ${depthMax} levels; ${advice}`);
  }

  /** The token ahead does not fit. */
  unexpected({ within, expected } = this.#surroundings): never {
    const token = this.peek();
    let problem = `unexpected ${describeToken(token)}`;
    if (within !== "") problem += ` in ${within}`;
    if (expected !== "") problem += `, expected ${expected}`;
    return this.fail(token.start, problem);
  }

  fail(position: number, problem: string): never {
    throw new PromqlParseError(this.query, position, problem);
  }
}

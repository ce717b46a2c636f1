/**
 * Cuts a query into tokens. What a character means depends on where it stands: inside braces every word is a label,
 * inside brackets a word must be one of the duration functions and a colon separates range and step.
 */
import { quote, quoteChar } from "../../base/quote.ts";
import { scanDuration, scanNumber } from "./number-scan.ts";
import { PromqlParseError } from "./parse-error.ts";
import { scanString } from "./string-literal.ts";
import { type Token, typeOfWord } from "./token.ts";

const operatorPattern = /==|!=|<=|<\/|>=|>\/|[-+*/%^=<>@,]/y;
const wordPattern = /[a-zA-Z0-9_:]+/y;
const labelPattern = /[a-zA-Z0-9_]+/y;
const durationWordPattern = /[a-zA-Z_]+/y;
const durationWords = new Set(["step", "range", "min_of", "max_of"]);
const blank = /[ \t\n\r]*/y;

export class Lexer {
  readonly #input: string;
  #at = 0;
  #parenDepth = 0;
  #braceOpen = false;
  #bracketOpen = false;
  #gotColon = false;
  /** A number was seen in some bracket: never reset, as in Prometheus, which shows in one error message. */
  #gotDuration = false;
  /** Right after `[`, up to the first number in it: a stricter set of characters. */
  #durationStart = false;

  constructor(input: string) {
    this.#input = input;
  }

  /** The next token; "EOF" at the end. Throws a {@link PromqlParseError} where there is none. */
  next(): Token {
    this.#skipBlanks();
    if (this.#durationStart) return this.#durationToken();
    if (this.#braceOpen) return this.#braceToken();
    return this.#plainToken();
  }

  #skipBlanks(): void {
    const input = this.#input;
    for (;;) {
      blank.lastIndex = this.#at;
      blank.test(input);
      this.#at = blank.lastIndex;
      if (this.#durationStart || input[this.#at] !== "#") return;
      while (this.#at < input.length && input[this.#at] !== "\n" && input[this.#at] !== "\r") this.#at++;
    }
  }

  #plainToken(): Token {
    const start = this.#at;
    const char = charAt(this.#input, start);
    if (char === "") return this.#end(start);
    if (isDigit(char) || (char === "." && isDigit(charAt(this.#input, start + 1)))) {
      return this.#number(start);
    }
    if (char === '"' || char === "'" || char === "`") return this.#string(start);
    if (isAlpha(char) || char === ":")
      return this.#bracketOpen ? this.#bracketWord(start) : this.#word(start);
    switch (char) {
      case "(":
      case ")":
        return this.#paren(start);
      case "{":
        this.#braceOpen = true;
        return this.#token("{", start, start + 1);
      case "[":
        if (this.#bracketOpen) throw this.#error(start, `unexpected left bracket ${quoteChar(char)}`);
        this.#bracketOpen = true;
        this.#durationStart = true;
        this.#gotColon = false;
        return this.#token("[", start, start + 1);
      case "]":
        if (!this.#bracketOpen) throw this.#error(start, `unexpected right bracket ${quoteChar(char)}`);
        this.#bracketOpen = false;
        return this.#token("]", start, start + 1);
    }
    return this.#operator(start, char);
  }

  #end(start: number): Token {
    if (this.#parenDepth !== 0) throw this.#error(start, "unclosed left parenthesis");
    if (this.#bracketOpen) throw this.#error(start, "unclosed left bracket");
    return this.#token("EOF", start, start);
  }

  #operator(start: number, char: string): Token {
    const second = charAt(this.#input, start + 1);
    if (char === "=" && second === "~") {
      throw this.#error(start, `unexpected character after '=': ${quoteChar(second)}`);
    }
    if (char === "!" && second !== "=") {
      throw this.#error(start, `unexpected character after '!': ${quoteChar(second)}`);
    }
    const text = match(operatorPattern, this.#input, start);
    if (text === "") throw this.#error(start, `unexpected character: ${quoteChar(char)}`);
    return this.#token(text, start, start + text.length);
  }

  #paren(start: number): Token {
    const char = this.#input[start];
    this.#parenDepth += char === "(" ? 1 : -1;
    if (this.#parenDepth < 0) {
      throw this.#error(start + 1, `unexpected right parenthesis ${quoteChar(char)}`);
    }
    return this.#token(char, start, start + 1);
  }

  #number(start: number): Token {
    const number = scanNumber(this.#input, start);
    if (number.ok) return this.#token("NUMBER", start, number.end);
    const duration = scanDuration(this.#input, number.end);
    if (duration.ok) return this.#token("DURATION", start, duration.end);
    throw this.#error(
      start,
      `bad number or duration syntax: ${quote(this.#input.slice(start, duration.end))}`,
    );
  }

  #string(start: number): Token {
    const scanned = scanString(this.#input, start);
    if (scanned.problem !== "") throw this.#error(start, scanned.problem);
    return this.#token("STRING", start, scanned.end);
  }

  #word(start: number): Token {
    const word = match(wordPattern, this.#input, start);
    const end = start + word.length;
    const type = typeOfWord(word);
    // `fill` is a modifier only as in `fill (0)`, so that metrics of that name go on working.
    const isName = type.startsWith("fill") && !this.#parenFollows(end);
    return this.#token(isName ? "IDENTIFIER" : type, start, end);
  }

  #parenFollows(at: number): boolean {
    return this.#input[at + match(blank, this.#input, at).length] === "(";
  }

  /** A word or colon in brackets, after a number. */
  #bracketWord(start: number): Token {
    const char = this.#input[start];
    if (char === ":") {
      if (this.#gotColon) throw this.#error(start, `unexpected colon ${quoteChar(char)}`);
      this.#gotColon = true;
      return this.#token(":", start, start + 1);
    }
    const word = match(durationWordPattern, this.#input, start);
    if (durationWords.has(word.toLowerCase())) {
      return this.#token(word.toLowerCase(), start, start + word.length);
    }
    throw this.#error(start, `unexpected character: ${quoteChar(char)}, expected ':'`);
  }

  #durationToken(): Token {
    const start = this.#at;
    const char = charAt(this.#input, start);
    if (char === "") throw this.#error(start, "unexpected end of input in duration expression");
    if (isDigit(char) || (char === "." && isDigit(charAt(this.#input, start + 1)))) {
      this.#durationStart = false;
      this.#gotDuration = true;
      return this.#number(start);
    }
    switch (char) {
      case "]":
        this.#bracketOpen = false;
        this.#durationStart = false;
        this.#gotColon = false;
        return this.#token("]", start, start + 1);
      case ":":
        return this.#durationColon(start);
      case "(":
      case ")":
        return this.#paren(start);
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "^":
      case ",":
        return this.#token(char, start, start + 1);
    }
    const word = match(durationWordPattern, this.#input, start).toLowerCase();
    if (durationWords.has(word)) return this.#token(word, start, start + word.length);
    throw this.#error(start, `unexpected character in duration expression: ${quoteChar(char)}`);
  }

  #durationColon(start: number): Token {
    if (!this.#gotDuration) {
      throw this.#error(start + 1, "unexpected colon before duration in duration expression");
    }
    if (this.#gotColon) throw this.#error(start + 1, "unexpected repeated colon in duration expression");
    this.#gotColon = true;
    return this.#token(":", start, start + 1);
  }

  #braceToken(): Token {
    const input = this.#input;
    const start = this.#at;
    const char = charAt(input, start);
    if (char === "") throw this.#error(start, "unexpected end of input inside braces");
    if (isAlpha(char)) {
      return this.#token("IDENTIFIER", start, start + match(labelPattern, input, start).length);
    }
    const second = charAt(input, start + 1);
    switch (char) {
      case '"':
      case "'":
      case "`":
        return this.#string(start);
      case ",":
        return this.#token(",", start, start + 1);
      case "}":
        this.#braceOpen = false;
        return this.#token("}", start, start + 1);
      case "=":
        return second === "~" ? this.#token("=~", start, start + 2) : this.#token("=", start, start + 1);
      case "!":
        if (second === "~" || second === "=") return this.#token(`!${second}`, start, start + 2);
        throw this.#error(start, `unexpected character after '!' inside braces: ${quoteChar(second)}`);
      case "{":
        throw this.#error(start, `unexpected left brace ${quoteChar(char)}`);
    }
    throw this.#error(start, `unexpected character inside braces: ${quoteChar(char)}`);
  }

  #token(type: string, start: number, end: number): Token {
    this.#at = end;
    return { type, text: this.#input.slice(start, end), start, end };
  }

  #error(position: number, problem: string): PromqlParseError {
    return new PromqlParseError(this.#input, position, problem);
  }
}

/** The character (code point) at a place, "" at the end. */
function charAt(input: string, at: number): string {
  const code = input.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

function match(pattern: RegExp, input: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(input)?.[0] ?? "";
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9" && char.length === 1;
}

function isAlpha(char: string): boolean {
  return /^[a-zA-Z_]$/.test(char);
}

import { Char, isDigit, Lexer, State, Token } from "./lexer.ts";

function isBlank(c: number): boolean {
  return c === Char.space || c === Char.tab;
}

/** Tokens of the text format: blanks and tabs between tokens mean nothing. The page must end with a line break. */
export class TextLexer extends Lexer {
  /** The next token that is not white space. */
  lex(): Token {
    const { bytes } = this;
    for (;;) {
      if (this.position >= bytes.length) return Token.eof;
      this.start = this.position;
      if (!isBlank(bytes[this.position])) break;
      if (this.#skipBlanks()) return Token.text;
    }
    switch (this.state) {
      case State.line:
        return this.#lineToken();
      case State.metaName:
        return this.metaNameToken();
      case State.metaText:
        return this.#restOfLine();
      case State.labels:
        return this.labelsToken();
      case State.labelValue:
        return this.#labelValueToken();
      case State.value:
        return this.#valueToken();
      case State.timestamp:
        return this.#timestampToken();
      default:
        return Token.invalid;
    }
  }

  /** True where the blanks begin a help text, and the text was scanned. Blanks alone are none. */
  #skipBlanks(): boolean {
    let c: number;
    do c = this.step();
    while (isBlank(c));
    if (this.state !== State.metaText || c === 0 || c === Char.newline) return false;
    this.#restOfLine();
    return true;
  }

  #restOfLine(): Token {
    let c = this.bytes[this.position];
    while (c !== 0 && c !== Char.newline) c = this.step();
    this.state = State.line;
    return Token.text;
  }

  #lineToken(): Token {
    switch (this.bytes[this.position]) {
      case 0:
        this.step();
        return Token.eof;
      case Char.newline:
        return this.single(Token.linebreak);
      case Char.hash:
        return this.#commentToken();
      case Char.braceOpen:
        return this.single(Token.braceOpen, State.labels);
      default:
        if (!this.scanName(true)) return Token.invalid;
        this.state = State.value;
        return Token.metricName;
    }
  }

  #commentToken(): Token {
    let c = this.step();
    if (isBlank(c)) {
      while (isBlank(c)) c = this.step();
      this.state = State.comment;
      const token = this.#keyword(c);
      if (token !== undefined) {
        this.state = State.metaName;
        return token;
      }
    }
    return this.#restOfComment();
  }

  /** HELP or TYPE with a blank behind it; anything else is the beginning of a comment. */
  #keyword(first: number): Token | undefined {
    const help = first === 0x48;
    if (!this.scanWord(help ? "HELP" : "TYPE")) return undefined;
    if (!isBlank(this.bytes[this.position])) return undefined;
    while (isBlank(this.step()));
    return help ? Token.help : Token.type;
  }

  #restOfComment(): Token {
    let c = this.position < this.bytes.length ? this.bytes[this.position] : 0;
    while (c !== Char.newline) {
      if (c === 0) return Token.eof;
      c = this.step();
    }
    this.state = State.line;
    return Token.comment;
  }

  #labelValueToken(): Token {
    if (this.bytes[this.position] !== Char.quote || !this.scanQuoted(true)) return Token.invalid;
    this.state = State.labels;
    return Token.labelValue;
  }

  #valueToken(): Token {
    let c = this.bytes[this.position];
    if (c === Char.braceOpen) return this.single(Token.braceOpen, State.labels);
    if (c === 0 || c === Char.newline) return Token.invalid;
    const { bytes } = this;
    let at = this.position;
    do c = bytes[++at];
    while (c !== 0 && c !== Char.newline && c !== Char.braceOpen && !isBlank(c));
    this.position = at;
    this.state = State.timestamp;
    return Token.value;
  }

  #timestampToken(): Token {
    if (this.bytes[this.position] === Char.newline) return this.single(Token.linebreak, State.line);
    if (!isDigit(this.bytes[this.position])) return Token.invalid;
    while (isDigit(this.step()));
    return Token.timestamp;
  }
}

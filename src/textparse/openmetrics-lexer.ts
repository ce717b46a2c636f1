import { Char, Lexer, State, Token } from "./lexer.ts";

/** Tokens of OpenMetrics: single spaces, each in its place; a value or timestamp token begins with its space. */
export class OpenMetricsLexer extends Lexer {
  lex(): Token {
    if (this.position >= this.bytes.length) return Token.eof;
    this.start = this.position;
    switch (this.state) {
      case State.line:
        return this.#lineToken();
      case State.comment:
        return this.#commentToken();
      case State.metaName:
        return this.metaNameToken();
      case State.metaText:
        return this.#metaTextToken();
      case State.labels:
        return this.labelsToken();
      case State.labelValue:
        return this.#quotedToken(Token.labelValue, State.labels);
      case State.value:
        if (this.bytes[this.position] === Char.braceOpen) return this.single(Token.braceOpen, State.labels);
        return this.#spacedToken(Token.value, State.timestamp);
      case State.timestamp:
        return this.#timestampToken();
      case State.exemplar:
        return this.#exemplarToken();
      case State.exemplarValue:
        if (this.bytes[this.position] === Char.quote)
          return this.#quotedToken(Token.labelValue, State.exemplar);
        return this.#spacedToken(Token.value, State.exemplarTimestamp);
      case State.exemplarTimestamp:
        if (this.bytes[this.position] === Char.newline) return this.single(Token.linebreak, State.line);
        return this.#spacedToken(Token.timestamp, State.exemplarTimestamp);
    }
  }

  #lineToken(): Token {
    switch (this.bytes[this.position]) {
      case Char.hash:
        if (this.step() !== Char.space) return Token.invalid;
        this.step();
        this.state = State.comment;
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
    switch (this.position < this.bytes.length ? this.bytes[this.position] : 0) {
      case 0x45: // E
        if (!this.scanWord("EOF")) return Token.invalid;
        if (this.position < this.bytes.length && this.bytes[this.position] === Char.newline) this.step();
        this.state = State.line;
        return Token.eofWord;
      case 0x48: // H
        return this.#keyword("HELP ", Token.help);
      case 0x54: // T
        return this.#keyword("TYPE ", Token.type);
      case 0x55: // U
        return this.#keyword("UNIT ", Token.unit);
      default:
        return Token.invalid;
    }
  }

  #keyword(word: string, token: Token): Token {
    if (!this.scanWord(word)) return Token.invalid;
    this.state = State.metaName;
    return token;
  }

  /** A space, then the text with its line break. */
  #metaTextToken(): Token {
    if (this.bytes[this.position] !== Char.space) return Token.invalid;
    let c = this.step();
    while (c !== Char.newline) {
      if (c === 0) return Token.invalid;
      c = this.step();
    }
    this.step();
    this.state = State.line;
    return Token.text;
  }

  #quotedToken(token: Token, next: State): Token {
    if (this.bytes[this.position] !== Char.quote || !this.scanQuoted(false)) return Token.invalid;
    this.state = next;
    return token;
  }

  /** A space and at least one character that is neither space nor line break. */
  #spacedToken(token: Token, next: State): Token {
    if (this.bytes[this.position] !== Char.space) return Token.invalid;
    if (!this.#scanWordCharacters(this.step())) return Token.invalid;
    this.state = next;
    return token;
  }

  #scanWordCharacters(c: number): boolean {
    if (c === 0 || c === Char.space || c === Char.newline) return false;
    const { bytes } = this;
    let at = this.position + 1;
    while (at < bytes.length && bytes[at] !== 0 && bytes[at] !== Char.space && bytes[at] !== Char.newline)
      at++;
    this.position = at;
    return true;
  }

  /** Behind the value: a timestamp, the " # {" of an exemplar, or the end of the line. */
  #timestampToken(): Token {
    const first = this.bytes[this.position];
    if (first === Char.newline) return this.single(Token.linebreak, State.line);
    if (first !== Char.space) return Token.invalid;
    const c = this.step();
    if (c !== Char.hash) return this.#scanWordCharacters(c) ? Token.timestamp : Token.invalid;
    const behind = this.step();
    if (behind !== Char.space) {
      this.#scanWordCharacters(behind);
      return Token.timestamp;
    }
    if (this.step() !== Char.braceOpen) return Token.invalid;
    return this.single(Token.comment, State.exemplar);
  }

  #exemplarToken(): Token {
    switch (this.bytes[this.position]) {
      case Char.quote:
        return this.#quotedToken(Token.quotedString, State.exemplar);
      case Char.comma:
        return this.single(Token.comma);
      case Char.equals:
        return this.single(Token.equal, State.exemplarValue);
      case Char.braceClose:
        return this.single(Token.braceClose, State.exemplarValue);
      default:
        return this.scanName(false) ? Token.labelName : Token.invalid;
    }
  }
}

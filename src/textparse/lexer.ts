/**
 * What the lexers of the text format and of OpenMetrics share: a cursor over the page, the states that both have, and
 * the scanning of names and quoted strings.
 *
 * Tokens are delimited exactly as Prometheus's own lexer delimits them, oddities included, because what it accepts is
 * what exporters rely on. The one worth knowing: NUL bytes inside comments, help texts and label values of an unquoted
 * kind are stepped over while scanning (they stay part of the token), and end or break the token everywhere else.
 */
export const Token = {
  invalid: 0,
  eof: 1,
  linebreak: 2,
  help: 3,
  type: 4,
  unit: 5,
  eofWord: 6,
  text: 7,
  comment: 8,
  metricName: 9,
  quotedString: 10,
  braceOpen: 11,
  braceClose: 12,
  labelName: 13,
  labelValue: 14,
  comma: 15,
  equal: 16,
  timestamp: 17,
  value: 18,
} as const;
export type Token = (typeof Token)[keyof typeof Token];

/** Indexed by Token; the words that Prometheus's messages use. */
export const tokenNames = [
  "INVALID",
  "EOF",
  "LINEBREAK",
  "HELP",
  "TYPE",
  "UNIT",
  "EOFWORD",
  "TEXT",
  "COMMENT",
  "MNAME",
  "QSTRING",
  "BOPEN",
  "BCLOSE",
  "LNAME",
  "LVALUE",
  "COMMA",
  "EQUAL",
  "TIMESTAMP",
  "VALUE",
];

/** Where in a line the lexer is: the same characters are different tokens in different places. */
export const State = {
  line: 0,
  comment: 1,
  metaName: 2,
  metaText: 3,
  labels: 4,
  labelValue: 5,
  value: 6,
  timestamp: 7,
  exemplar: 8,
  exemplarValue: 9,
  exemplarTimestamp: 10,
} as const;
export type State = (typeof State)[keyof typeof State];

export const Char = {
  tab: 0x09,
  newline: 0x0a,
  space: 0x20,
  quote: 0x22,
  hash: 0x23,
  comma: 0x2c,
  equals: 0x3d,
  backslash: 0x5c,
  braceOpen: 0x7b,
  braceClose: 0x7d,
} as const;

const nameStart = 1;
const digit = 2;
const colon = 4;
const classes = makeClasses();

function makeClasses(): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0; c < 128; c++) {
    const character = String.fromCharCode(c);
    if (/[a-zA-Z_]/.test(character)) table[c] = nameStart;
    else if (/[0-9]/.test(character)) table[c] = digit;
    else if (character === ":") table[c] = colon;
  }
  return table;
}

export function isDigit(c: number): boolean {
  return classes[c] === digit;
}

export abstract class Lexer {
  readonly bytes: Uint8Array;
  /** The next byte to look at. */
  position = 0;
  /** Where the current token begins. */
  start = 0;
  state: State = State.line;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next token, white space included where the format has it as one. */
  abstract lex(): Token;

  /** Moves on by one byte and returns the new one; 0 at the end of the page, as for a NUL. */
  protected step(): number {
    const { bytes } = this;
    if (++this.position >= bytes.length) return 0;
    if (bytes[this.position] === 0 && this.#skipsNul()) {
      while (bytes[this.position] === 0) this.position++;
      if (this.position >= bytes.length) return 0;
    }
    return bytes[this.position];
  }

  #skipsNul(): boolean {
    return this.state === State.labelValue || this.state === State.metaText || this.state === State.comment;
  }

  /** A one-byte token. */
  protected single(token: Token, next: State = this.state): Token {
    this.step();
    this.state = next;
    return token;
  }

  /** `[a-zA-Z_:][a-zA-Z0-9_:]*` (without the colons for labels); false where there is none. */
  protected scanName(withColon: boolean): boolean {
    const first = withColon ? nameStart | colon : nameStart;
    const { bytes } = this;
    let at = this.position;
    if ((classes[bytes[at]] & first) === 0) return false;
    const rest = first | digit;
    while ((classes[bytes[++at]] & rest) !== 0);
    this.position = at;
    return true;
  }

  /** A double-quoted string with backslash escapes. Stops at the offending byte where it is not closed. */
  protected scanQuoted(newlines: boolean): boolean {
    const { bytes } = this;
    const skipsNul = this.#skipsNul();
    let escaped = false;
    let at = this.position + 1;
    for (; at < bytes.length; at++) {
      const c = bytes[at];
      if (c === 0) {
        if (!skipsNul) break;
      } else if (escaped) {
        if (c === Char.newline) break;
        escaped = false;
      } else if (c === Char.quote) {
        this.position = at;
        this.step();
        return true;
      } else if (c === Char.newline && !newlines) {
        break;
      } else {
        escaped = c === Char.backslash;
      }
    }
    this.position = at;
    return false;
  }

  protected labelsToken(): Token {
    switch (this.bytes[this.position]) {
      case Char.quote:
        return this.scanQuoted(true) ? Token.quotedString : Token.invalid;
      case Char.comma:
        return this.single(Token.comma);
      case Char.equals:
        return this.single(Token.equal, State.labelValue);
      case Char.braceClose:
        return this.single(Token.braceClose, State.value);
      default:
        return this.scanName(false) ? Token.labelName : Token.invalid;
    }
  }

  protected metaNameToken(): Token {
    const found = this.bytes[this.position] === Char.quote ? this.scanQuoted(true) : this.scanName(true);
    if (!found) return Token.invalid;
    this.state = State.metaText;
    return Token.metricName;
  }

  /** Whether the bytes at the cursor spell `word`; moves behind it, or to the first byte that differs. */
  protected scanWord(word: string): boolean {
    let c = this.bytes[this.position];
    for (let i = 0; i < word.length; i++) {
      if (c !== word.charCodeAt(i)) return false;
      c = this.step();
    }
    return true;
  }
}

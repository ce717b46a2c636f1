/**
 * The text exposition format, versions 0.0.4 and 1.0.0 (which adds quoted names, `{"a metric",label="x"} 1`).
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { Entry, type MetricType, type ParsedExemplar } from "./events.ts";
import { Char, Token, tokenNames } from "./lexer.ts";
import { TextLexer } from "./text-lexer.ts";
import { TextualParser } from "./textual-parser.ts";

const types: Readonly<Record<string, MetricType>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  summary: "summary",
  untyped: "unknown",
};

const int64Max = "9223372036854775807";

export class TextParser extends TextualParser {
  /** `bytes` is used, not copied, unless the last line break is missing. */
  constructor(bytes: Uint8Array) {
    super(new TextLexer(withLinebreak(bytes)));
  }

  next(): Entry {
    const { lexer } = this;
    for (;;) {
      this.lineStart = lexer.position;
      this.offsets.length = 0;
      const token = lexer.lex();
      switch (token) {
        case Token.eof:
          return Entry.eof;
        case Token.linebreak:
          continue;
        case Token.help:
        case Token.type:
          return this.#readMetadata(token);
        case Token.comment:
          this.entryText = this.decode(lexer.start, lexer.position);
          this.#endLine("linebreak expected after comment");
          return Entry.comment;
        case Token.braceOpen:
          this.openName(false);
          return this.#readSeries(token);
        case Token.metricName:
          this.openName(true);
          return this.#readSeries(lexer.lex());
        default:
          throw this.unexpected("expected a valid start token", token);
      }
    }
  }

  /** The format has none. */
  /** The format has none. */
  startTime(): number {
    return 0;
  }

  exemplar(): ParsedExemplar | undefined {
    return undefined;
  }

  #readMetadata(keyword: Token): Entry {
    const { lexer } = this;
    this.readFamilyName(keyword);
    const token = lexer.lex();
    if (token !== Token.text)
      throw this.fail(`expected text in ${tokenNames[keyword]}, got ${tokenNames[token]}`);
    const start = Math.min(lexer.start + 1, lexer.position);
    const end = lexer.position;
    const text = this.decode(start, end);
    if (keyword === Token.type) {
      const type = Object.hasOwn(types, text) ? types[text] : undefined;
      if (type === undefined) throw this.fail(`invalid metric type ${this.quote(start, end)}`);
      this.metricType = type;
    } else {
      this.checkHelp(start, end);
      this.entryText = unescapeHelp(text);
    }
    this.#endLine("linebreak expected after metadata");
    return keyword === Token.type ? Entry.type : Entry.help;
  }

  #endLine(expected: string): void {
    const token = this.lexer.lex();
    if (token !== Token.linebreak) throw this.unexpected(expected, token);
  }

  #readSeries(token: Token): Entry {
    if (token === Token.braceOpen) {
      this.#readLabels();
      this.seriesEnd = this.lexer.position;
      token = this.lexer.lex();
    }
    this.requireName();
    if (token !== Token.value) throw this.unexpected("expected value after metric", token);
    this.readNumber(this.lexer.start, this.value);
    this.#readTimestamp(this.lexer.lex());
    return Entry.series;
  }

  #readLabels(): void {
    const { lexer } = this;
    let token = lexer.lex();
    while (token !== Token.braceClose) {
      if (token !== Token.labelName && token !== Token.quotedString)
        throw this.unexpected("expected label name", token);
      const { start, position } = lexer;
      const quoted = token === Token.quotedString;
      token = lexer.lex();
      if (quoted && (token === Token.comma || token === Token.braceClose)) {
        this.setQuotedName(start, position);
        if (token === Token.comma) token = lexer.lex();
        continue;
      }
      this.readLabel(this.offsets, start, position, token);
      // Prometheus does not insist on the comma between labels here.
      token = lexer.lex();
      if (token === Token.comma) token = lexer.lex();
    }
  }

  #readTimestamp(token: Token): void {
    this.hasTimestamp = token === Token.timestamp;
    this.t = 0;
    if (this.hasTimestamp) {
      this.t = this.#readInteger(this.lexer.start, this.lexer.position);
      token = this.lexer.lex();
      if (token !== Token.linebreak) throw this.unexpected("expected next entry after timestamp", token);
    } else if (token !== Token.linebreak) {
      throw this.unexpected("expected timestamp or new record", token);
    }
  }

  #readInteger(start: number, end: number): number {
    const digits = this.decode(start, end);
    if (fitsInt64(digits)) return Number(digits);
    const number = this.quote(start, end);
    throw this.fail(`strconv.ParseInt: parsing ${number}: value out of range while parsing: ${this.soFar()}`);
  }
}

function fitsInt64(digits: string): boolean {
  const significant = digits.replace(/^0+/, "");
  return (
    significant.length < int64Max.length ||
    (significant.length === int64Max.length && significant <= int64Max)
  );
}

function withLinebreak(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0 && bytes[bytes.length - 1] === Char.newline) return bytes;
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = Char.newline;
  return longer;
}

function unescapeHelp(text: string): string {
  return text.replace(/\\([\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

/**
 * What the parsers of the text format and of OpenMetrics share: the entry's parts as offsets into the page, decoded
 * only when asked for, and error messages that show what stood where something else was expected.
 *
 * A page may be parsed line by line with jumps in between ({@link TextualParser.seek}): a line's meaning depends on
 * nothing but its bytes and the type that the last TYPE line gave, which decides how `le` and `quantile` are written.
 */

import { decodeUtf8 } from "../base/bytes.ts";
import { ParseError } from "../base/errors.ts";
import { compareUtf8 } from "../base/strings.ts";
import { metricName } from "../model/labels.ts";
import type { Entry, ExpositionParser, MetricType, ParsedExemplar } from "./events.ts";
import { formatOpenMetricsFloat, parseGoFloat, parseValue } from "./float.ts";
import { Char, type Lexer, State, Token, tokenNames } from "./lexer.ts";
import { isUtf8, quoteBytes } from "./quote.ts";

const noName = -1;

export abstract class TextualParser implements ExpositionParser {
  protected readonly lexer: Lexer;
  protected lineStart = 0;
  /** Family name, or: name, then name and value of every label; start and end of each. */
  protected offsets: number[] = [];
  protected seriesEnd = 0;
  protected entryText = "";
  readonly #names: ({ start: number; end: number; name: string } | undefined)[] = [];
  metricType: MetricType = "unknown";
  readonly value = new Float64Array(1);
  hasTimestamp = false;
  t = 0;

  constructor(lexer: Lexer) {
    this.lexer = lexer;
  }

  abstract next(): Entry;
  abstract startTime(): number;
  abstract exemplar(): ParsedExemplar | undefined;

  /** The page; for the text format with a line break at its end even if it came without. */
  get bytes(): Uint8Array {
    return this.lexer.bytes;
  }

  /** The bytes of the current entry, with its line break. */
  entryBytes(): Uint8Array {
    return this.bytes.subarray(this.lineStart, this.lexer.position);
  }

  /** Where the next entry begins. */
  get position(): number {
    return this.lexer.position;
  }

  /** Whether the next entry can be read by a parser that knows nothing of this line. */
  get atLineStart(): boolean {
    return this.lexer.state === State.line;
  }

  /** Continues at the beginning of a line, as if the last TYPE line had said `type`. */
  seek(position: number, type: MetricType): void {
    this.lexer.position = position;
    this.lexer.state = State.line;
    this.metricType = type;
  }

  familyName(): string {
    return this.decode(this.offsets[0], this.offsets[1]);
  }

  text(): string {
    return this.entryText;
  }

  seriesKey(): Uint8Array {
    return this.bytes.subarray(this.lineStart, this.seriesEnd);
  }

  labels(): string[] {
    const { offsets } = this;
    const pairs = [metricName, this.#decodeName(0, offsets[0], offsets[1])];
    for (let i = 2; i < offsets.length; i += 4) {
      const name = this.#decodeName(i, offsets[i], offsets[i + 1]);
      const value = unescapeLabel(this.decode(offsets[i + 2], offsets[i + 3]));
      insertPair(pairs, name, this.#isNumber(name) ? normalizeNumber(value) : value);
    }
    return pairs;
  }

  /** Whether Prometheus writes this label's value as OpenMetrics would. */
  #isNumber(label: string): boolean {
    return (
      (label === "le" && this.metricType === "histogram") ||
      (label === "quantile" && this.metricType === "summary")
    );
  }

  protected decode(start: number, end: number): string {
    return decodeUtf8(this.bytes.subarray(start, end));
  }

  /**
   * A name on the line, unescaped. Lines mostly have the names of the line before, in the same places (`place`): those
   * are compared instead of decoded. Names may be any bytes up to here; a JavaScript string cannot hold those that are
   * not UTF-8.
   */
  #decodeName(place: number, start: number, end: number): string {
    const known = this.#names[place];
    if (known !== undefined && this.#equal(known.start, known.end, start, end)) return known.name;
    const text = this.decode(start, end);
    if (text.includes("\ufffd") && !isUtf8(this.bytes, start, end))
      throw new ParseError(
        `invalid metric name or label names: ${quoteBytes(this.bytes, start, end)}`,
        start,
      );
    const name = unescapeLabel(text);
    this.#names[place] = { start, end, name };
    return name;
  }

  #equal(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    if (end - start !== otherEnd - otherStart) return false;
    const { bytes } = this;
    for (let i = end - start - 1; i >= 0; i--) if (bytes[start + i] !== bytes[otherStart + i]) return false;
    return true;
  }

  protected quote(start: number, end: number): string {
    return quoteBytes(this.bytes, start, end);
  }

  /** From the entry's beginning to the end of the current token. */
  protected soFar(): string {
    return this.quote(this.lineStart, this.lexer.position);
  }

  protected fail(message: string): ParseError {
    return new ParseError(message, this.lexer.start);
  }

  protected unexpected(expected: string, got: Token): ParseError {
    const end = Math.min(this.bytes.length, this.lexer.position + 1);
    const found = `${this.quote(this.lexer.start, end)} ("${tokenNames[got]}")`;
    return this.fail(`${expected}, got ${found} while parsing: ${this.quote(this.lineStart, end)}`);
  }

  /** After HELP, TYPE or UNIT. */
  protected readFamilyName(keyword: Token): void {
    const token = this.lexer.lex();
    if (token !== Token.metricName)
      throw this.unexpected(`expected metric name after ${tokenNames[keyword]}`, token);
    let { start } = this.lexer;
    let end = this.lexer.position;
    if (this.bytes[start] === Char.quote && this.bytes[end - 1] === Char.quote) {
      start++;
      end--;
    }
    this.offsets.push(start, end);
  }

  protected checkHelp(start: number, end: number): void {
    if (!isUtf8(this.bytes, start, end))
      throw this.fail(`help text ${this.quote(start, end)} is not a valid utf8 string`);
  }

  /** A metric's name before its braces, or its place until one is found inside them. */
  protected openName(named: boolean): void {
    if (named) this.offsets.push(this.lineStart, this.lexer.position);
    else this.offsets.push(noName, noName);
    this.seriesEnd = this.lexer.position;
  }

  /** A quoted string that stands alone between the braces is the metric's name. */
  protected setQuotedName(start: number, end: number): void {
    if (this.offsets[0] !== noName) throw this.fail(`metric name already set while parsing: ${this.soFar()}`);
    this.offsets[0] = start + 1;
    this.offsets[1] = end - 1;
  }

  protected requireName(): void {
    if (this.offsets[0] === noName) throw this.fail(`metric name not set while parsing: ${this.soFar()}`);
  }

  /** The rest of `name="value"` after the name's token, of which `token` follows. */
  protected readLabel(offsets: number[], start: number, end: number, token: Token): void {
    const { lexer } = this;
    const quoted = this.bytes[start] === Char.quote ? 1 : 0;
    offsets.push(start + quoted, end - quoted);
    if (token !== Token.equal) throw this.unexpected("expected equal", token);
    const value = lexer.lex();
    if (value !== Token.labelValue) throw this.unexpected("expected label value", value);
    if (!isUtf8(this.bytes, lexer.start, lexer.position))
      throw this.fail(`invalid UTF-8 label value: ${this.quote(lexer.start, lexer.position)}`);
    offsets.push(lexer.start + 1, lexer.position - 1);
  }

  /** The number in the current token, from `start` on, into `out[0]`. */
  protected readNumber(start: number, out: Float64Array): void {
    const text = this.decode(start, this.lexer.position);
    const problem = parseValue(text, out);
    if (problem === undefined) return;
    const place = `while parsing: ${this.soFar()}`;
    if (problem === "unsupported character in float") throw this.fail(`${problem} ${place}`);
    throw this.fail(
      `strconv.ParseFloat: parsing ${this.quote(start, this.lexer.position)}: ${problem} ${place}`,
    );
  }
}

/** Puts a label into sorted pairs, behind others of its name. Labels mostly come sorted. */
export function insertPair(pairs: string[], name: string, value: string): void {
  let at = pairs.length;
  while (at > 0 && compareUtf8(pairs[at - 2], name) > 0) at -= 2;
  if (at === pairs.length) pairs.push(name, value);
  else pairs.splice(at, 0, name, value);
}

export function unescapeLabel(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

function normalizeNumber(text: string): string {
  const value = parseGoFloat(text);
  return value === undefined ? text : formatOpenMetricsFloat(value);
}

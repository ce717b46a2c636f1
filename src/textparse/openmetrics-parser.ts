/**
 * OpenMetrics 0.0.1 and 1.0.0 as Prometheus takes it: a unit must end its family's name, the page must end with `# EOF`.
 * `_created` lines are ordinary series, or, where start times are wanted, tell them and are no series.
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import { ParseError } from "../base/errors.ts";
import { Entry, type MetricType, type ParsedExemplar } from "./events.ts";
import { Token, tokenNames } from "./lexer.ts";
import { OpenMetricsLexer } from "./openmetrics-lexer.ts";
import { insertPair, TextualParser, unescapeLabel } from "./textual-parser.ts";

const types: ReadonlySet<string> = new Set<MetricType>([
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
]);

/** Families of these have `_created` lines. */
const createdTypes: ReadonlySet<MetricType> = new Set<MetricType>(["counter", "histogram", "summary"]);
const createdSuffix = "_created";

const noEof = "data does not end with # EOF";

export class OpenMetricsParser extends TextualParser {
  readonly #exemplarOffsets: number[] = [];
  #hasExemplar = false;
  readonly #exemplarValue = new Float64Array(1);
  #exemplarHasTimestamp = false;
  #exemplarT = 0;
  readonly #seconds = new Float64Array(1);
  /** Where the page ended; -1 before. */
  #end = -1;
  /** How long the family's name is. */
  #familyLength = 0;
  readonly #wantsStartTimes: boolean;
  /** Looks for `_created` lines. */
  #ahead: OpenMetricsParser | undefined;
  /** Of which samples {@link startTime} was found last. */
  #startKey = "";
  #startTime = 0;
  /** Up to here no `_created` line comes before the family ends. */
  #noneUntil = 0;

  /** `bytes` is used, not copied. */
  constructor(bytes: Uint8Array, wantsStartTimes = false) {
    super(new OpenMetricsLexer(bytes));
    this.#wantsStartTimes = wantsStartTimes;
  }

  next(): Entry {
    for (;;) {
      const entry = this.#next();
      if (!this.#wantsStartTimes || entry !== Entry.series || !this.#isCreated) return entry;
    }
  }

  /**
   * By the `_created` line of the same metric, which comes after its samples in the same family. As in Prometheus, the next such line
   * must be it: another metric's, or another entry, ends the search.
   */
  startTime(): number {
    if (!this.#wantsStartTimes || !createdTypes.has(this.metricType) || !this.atLineStart) return 0;
    const key = this.#metricKey(this.offsets[0] + this.#familyLength);
    if (key === this.#startKey && this.#startTime > 0) return this.#startTime;
    this.#startKey = key;
    this.#startTime = this.position < this.#noneUntil ? 0 : this.#findCreated(key);
    return this.#startTime;
  }

  #findCreated(key: string): number {
    this.#ahead ??= new OpenMetricsParser(this.bytes);
    const ahead = this.#ahead;
    ahead.seek(this.position, this.metricType);
    try {
      while (ahead.next() === Entry.series) {
        if (!ahead.#isCreated) continue;
        const found = ahead.#metricKey(ahead.offsets[1] - createdSuffix.length);
        return found === key ? Math.trunc(ahead.value[0] * 1000) : 0;
      }
    } catch (error) {
      // The page will be refused when its reader gets there.
      if (!(error instanceof ParseError)) throw error;
    }
    this.#noneUntil = ahead.lineStart;
    return 0;
  }

  get #isCreated(): boolean {
    const [start, end] = this.offsets;
    const nameEnd = end - createdSuffix.length;
    return (
      nameEnd > start && createdTypes.has(this.metricType) && this.decode(nameEnd, end) === createdSuffix
    );
  }

  /** The metric that a sample is of: its name up to `nameEnd`, and its labels without those of buckets and quantiles. */
  #metricKey(nameEnd: number): string {
    const { offsets, metricType } = this;
    const parts = [this.decode(offsets[0], nameEnd)];
    for (let i = 2; i < offsets.length; i += 4) {
      const label = this.decode(offsets[i], offsets[i + 1]);
      if (label === "le" && metricType === "histogram") continue;
      if (label === "quantile" && metricType === "summary") continue;
      parts.push(label, this.decode(offsets[i + 2], offsets[i + 3]));
    }
    return parts.join("\xff");
  }

  #next(): Entry {
    const { lexer } = this;
    this.lineStart = lexer.position;
    this.offsets.length = 0;
    this.#exemplarOffsets.length = 0;
    this.#hasExemplar = false;
    if (lexer.position === this.#end) return Entry.eof;
    const token = lexer.lex();
    switch (token) {
      case Token.eofWord:
        if (lexer.lex() !== Token.eof) throw this.fail("unexpected data after # EOF");
        this.#end = lexer.position;
        return Entry.eof;
      case Token.eof:
        throw this.fail(noEof);
      case Token.help:
      case Token.type:
      case Token.unit:
        return this.#readMetadata(token);
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

  exemplar(): ParsedExemplar | undefined {
    if (!this.#hasExemplar) return undefined;
    const offsets = this.#exemplarOffsets;
    const labels: string[] = [];
    for (let i = 0; i < offsets.length; i += 4) {
      // Taken as they stand: Prometheus does not unescape an exemplar's labels.
      const name = this.decode(offsets[i], offsets[i + 1]);
      insertPair(labels, name, this.decode(offsets[i + 2], offsets[i + 3]));
    }
    return {
      labels,
      value: this.#exemplarValue[0],
      t: this.#exemplarT,
      hasTimestamp: this.#exemplarHasTimestamp,
    };
  }

  #readMetadata(keyword: Token): Entry {
    const { lexer } = this;
    this.readFamilyName(keyword);
    this.#familyLength = this.offsets[1] - this.offsets[0];
    if (lexer.lex() !== Token.text) throw this.fail(`expected text in ${tokenNames[keyword]}`);
    const start = lexer.start + 1;
    const end = lexer.position - 1;
    const text = this.decode(start, end);
    switch (keyword) {
      case Token.type:
        if (!types.has(text)) throw this.fail(`invalid metric type ${this.quote(start, end)}`);
        this.metricType = text as MetricType;
        return Entry.type;
      case Token.help:
        this.checkHelp(start, end);
        this.entryText = unescapeLabel(text);
        return Entry.help;
      default:
        this.#checkUnit(text, this.quote(start, end));
        this.entryText = text;
        return Entry.unit;
    }
  }

  #checkUnit(unit: string, quotedUnit: string): void {
    if (unit === "" || this.familyName().endsWith(`_${unit}`)) return;
    throw this.fail(
      `unit ${quotedUnit} not a suffix of metric ${this.quote(this.offsets[0], this.offsets[1])}`,
    );
  }

  #readSeries(token: Token): Entry {
    if (token === Token.braceOpen) {
      this.#readLabels(this.offsets, false);
      this.seriesEnd = this.lexer.position;
      token = this.lexer.lex();
    }
    this.requireName();
    this.#readValue(token, "metric", this.value);
    this.#readRest(this.lexer.lex());
    return Entry.series;
  }

  #readLabels(offsets: number[], inExemplar: boolean): void {
    const { lexer } = this;
    let token = lexer.lex();
    while (token !== Token.braceClose) {
      if (token !== Token.labelName && token !== Token.quotedString)
        throw this.unexpected("expected label name", token);
      const { start, position } = lexer;
      const quoted = token === Token.quotedString;
      token = lexer.lex();
      if (quoted && (token === Token.comma || token === Token.braceClose)) {
        if (inExemplar) throw this.unexpected("expected label name", token);
        this.setQuotedName(start, position);
        if (token === Token.comma) token = lexer.lex();
        continue;
      }
      this.readLabel(offsets, start, position, token);
      token = lexer.lex();
      if (token === Token.comma) token = lexer.lex();
      else if (token !== Token.braceClose) throw this.unexpected("expected comma or brace close", token);
    }
  }

  #readValue(token: Token, after: string, out: Float64Array): void {
    if (token !== Token.value) throw this.unexpected(`expected value after ${after}`, token);
    this.readNumber(this.lexer.start + 1, out);
  }

  /** What follows the value: nothing, a timestamp, an exemplar, or both. */
  #readRest(token: Token): void {
    this.hasTimestamp = false;
    this.t = 0;
    switch (token) {
      case Token.eof:
        throw this.fail(noEof);
      case Token.comment:
        return this.#readExemplar();
      case Token.timestamp: {
        this.hasTimestamp = true;
        this.t = this.#readMilliseconds("timestamp");
        const behind = this.lexer.lex();
        if (behind === Token.comment) return this.#readExemplar();
        if (behind !== Token.linebreak) throw this.unexpected("expected next entry after timestamp", behind);
        return;
      }
      // Whatever else stands there fails as the beginning of the next entry, as it does in Prometheus.
    }
  }

  #readExemplar(): void {
    this.#readLabels(this.#exemplarOffsets, true);
    this.#readValue(this.lexer.lex(), "exemplar labels", this.#exemplarValue);
    this.#hasExemplar = true;
    this.#exemplarHasTimestamp = false;
    this.#exemplarT = 0;
    const token = this.lexer.lex();
    switch (token) {
      case Token.eof:
        throw this.fail(noEof);
      case Token.linebreak:
        return;
      case Token.timestamp: {
        this.#exemplarHasTimestamp = true;
        this.#exemplarT = this.#readMilliseconds("exemplar timestamp");
        const behind = this.lexer.lex();
        if (behind !== Token.linebreak)
          throw this.unexpected("expected next entry after exemplar timestamp", behind);
        return;
      }
      default:
        throw this.unexpected("expected timestamp or comment", token);
    }
  }

  /** Seconds with a fraction; cut, not rounded, to milliseconds. */
  #readMilliseconds(what: string): number {
    this.readNumber(this.lexer.start + 1, this.#seconds);
    const seconds = this.#seconds[0];
    if (!Number.isFinite(seconds)) throw this.fail(`invalid ${what} ${formatNonFinite(seconds)}`);
    const milliseconds = Math.trunc(seconds * 1000);
    // Go turns what does not fit an int64 into the smallest one.
    return Math.abs(milliseconds) < 2 ** 63 ? milliseconds + 0 : -(2 ** 63);
  }
}

function formatNonFinite(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

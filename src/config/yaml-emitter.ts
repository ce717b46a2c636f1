/**
 * Writes YAML as the library writes it that Prometheus prints its configuration with (libyaml's block style): lists
 * not indented below their key, lines broken at the first space past column 80, quotes only where they are needed.
 * `status/config` is compared as text by tools and people, so this keeps to it to the letter.
 */
import { isPlainText } from "./yaml-scalar.ts";

/** A mapping in the order given. */
export class YamlMap {
  readonly entries: readonly (readonly [string, YamlValue])[];

  constructor(entries: readonly (readonly [string, YamlValue | undefined])[]) {
    this.entries = entries.filter((entry): entry is readonly [string, YamlValue] => entry[1] !== undefined);
  }

  /** With the keys in the library's order: letters after other characters, numbers by their value. */
  static sorted(entries: Iterable<readonly [string, YamlValue]>): YamlMap {
    return new YamlMap([...entries].sort(([a], [b]) => compareKeys(a, b)));
  }
}

/** A list of scalars within brackets, on one line where it fits. */
export class FlowList {
  readonly items: readonly string[];

  constructor(items: readonly string[]) {
    this.items = items;
  }
}

export type YamlValue = string | number | boolean | YamlMap | FlowList | readonly YamlValue[];

const columnMax = 80;
const indentStep = 2;

export function printYaml(root: YamlMap): string {
  if (root.entries.length === 0) return "{}\n";
  const out = new Output();
  writeMapping(out, root, 0);
  out.endLine();
  return out.text;
}

class Output {
  text = "";
  #column = 0;

  get column(): number {
    return this.#column;
  }

  put(text: string): void {
    this.text += text;
    const line = text.slice(text.lastIndexOf("\n") + 1);
    this.#column = (line.length === text.length ? this.#column : 0) + [...line].length;
  }

  endLine(): void {
    if (this.#column > 0) this.put("\n");
  }

  /** To `indent` on a line of its own, unless the cursor stands there already. */
  startLine(indent: number): void {
    this.endLine();
    this.put(" ".repeat(indent));
  }
}

function writeMapping(out: Output, map: YamlMap, indent: number, firstOnLine = false): void {
  map.entries.forEach(([key, value], i) => {
    if (i > 0 || !firstOnLine) out.startLine(indent);
    writeScalar(out, key, indent, "key");
    out.put(":");
    writeValue(out, value, indent);
  });
}

function writeValue(out: Output, value: YamlValue, indent: number): void {
  if (value instanceof YamlMap) {
    if (value.entries.length === 0) out.put(" {}");
    else writeMapping(out, value, indent + indentStep);
  } else if (isList(value)) {
    if (value.length === 0) out.put(" []");
    else writeList(out, value, indent);
  } else {
    out.put(" ");
    writeLeaf(out, value, indent);
  }
}

function writeList(out: Output, items: readonly YamlValue[], indent: number): void {
  for (const item of items) {
    out.startLine(indent);
    out.put("-");
    if (item instanceof YamlMap && item.entries.length > 0) {
      out.put(" ");
      writeMapping(out, item, indent + indentStep, true);
    } else if (isList(item) && item.length > 0) {
      throw new RangeError("a list within a list has no place in the configuration");
    } else writeValue(out, item, indent);
  }
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function writeLeaf(out: Output, value: string | number | boolean | FlowList, indent: number): void {
  if (value instanceof FlowList) writeFlowList(out, value, indent);
  else if (typeof value === "string") writeScalar(out, value, indent, "block");
  else out.put(typeof value === "number" ? formatNumber(value) : String(value));
}

function writeFlowList(out: Output, list: FlowList, indent: number): void {
  out.put("[");
  list.items.forEach((item, i) => {
    if (i > 0) out.put(",");
    if (out.column > columnMax) out.startLine(indent + indentStep);
    else if (i > 0) out.put(" ");
    writeScalar(out, item, indent, "flow");
  });
  out.put("]");
}

type Context = "key" | "block" | "flow";

function writeScalar(out: Output, text: string, indent: number, context: Context): void {
  const shape = analyse(text);
  if (text.includes("\n")) {
    if (context === "block" && shape.literalAllowed) writeLiteral(out, text, indent);
    else writeDoubleQuoted(out, text, indent, context);
  } else if (!isPlainText(text)) writeDoubleQuoted(out, text, indent, context);
  else if (context === "flow" ? shape.flowPlainAllowed : shape.plainAllowed) {
    writeWithBreaks(out, text, indent, context, (char) => char);
  } else if (shape.singleQuotedAllowed) {
    out.put("'");
    writeWithBreaks(out, text, indent, context, (char) => (char === "'" ? "''" : char), true);
    out.put("'");
  } else writeDoubleQuoted(out, text, indent, context);
}

interface Shape {
  readonly plainAllowed: boolean;
  readonly flowPlainAllowed: boolean;
  readonly singleQuotedAllowed: boolean;
  readonly literalAllowed: boolean;
}

/** Which ways of writing keep the text. */
function analyse(text: string): Shape {
  const special = [...text].some((char) => !isPrintable(char)) || / \n/.test(text);
  const blockIndicator =
    /^(?:---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](?:\s|$)/.test(text) ||
    /:(?:\s|$)/.test(text) ||
    /\s#/.test(text);
  const flowIndicator = blockIndicator || /^[?:]/.test(text) || /[,?[\]{}:]/.test(text);
  const edges = /^[ \n]|[ \n]$/.test(text);
  const plainAllowed = !special && !edges && !blockIndicator && !text.includes("\n");
  return {
    plainAllowed,
    flowPlainAllowed: plainAllowed && !flowIndicator,
    singleQuotedAllowed: !special && !/\n /.test(text),
    literalAllowed: !special && !text.endsWith(" "),
  };
}

/** What the library takes for printable: nothing past the basic plane, no tabs, no byte order mark. */
function isPrintable(char: string): boolean {
  const code = char.codePointAt(0) as number;
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e)) return true;
  if (code < 0xa0 || code > 0xffff || code === 0xfeff || code >= 0xfffe) return false;
  return code < 0xd800 || code > 0xdfff;
}

/** Breaks the line at a lone space past the last column; never in a key. */
function writeWithBreaks(
  out: Output,
  text: string,
  indent: number,
  context: Context,
  encode: (char: string) => string,
  quoted = false,
): void {
  let afterSpace = false;
  for (let i = 0; i < text.length; i++) {
    const char = String.fromCodePoint(text.codePointAt(i) as number);
    const inside = !quoted || (i > 0 && i < text.length - 1);
    const breaks =
      context !== "key" && !afterSpace && out.column > columnMax && text[i + 1] !== " " && inside;
    if (char === " " && breaks) out.startLine(indent + indentStep);
    else out.put(encode(char));
    afterSpace = char === " ";
    i += char.length - 1;
  }
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function writeDoubleQuoted(out: Output, text: string, indent: number, context: Context): void {
  out.put('"');
  let afterSpace = false;
  for (let i = 0; i < text.length; i++) {
    const char = String.fromCodePoint(text.codePointAt(i) as number);
    const inside = i > 0 && i < text.length - 1;
    if (char === " " && context !== "key" && !afterSpace && out.column > columnMax && inside) {
      out.startLine(indent + indentStep);
      // A space at the start of a line would be lost.
      if (text[i + 1] === " ") out.put("\\");
    } else out.put(escapeChar(char));
    afterSpace = char === " ";
    i += char.length - 1;
  }
  out.put('"');
}

function escapeChar(char: string): string {
  const short = shortEscapes[char];
  if (short !== undefined) return short;
  if (isPrintable(char)) return char;
  const hex = (char.codePointAt(0) as number).toString(16).toUpperCase();
  if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

function writeLiteral(out: Output, text: string, indent: number): void {
  const indentHint = /^[ \n]/.test(text) ? String(indentStep) : "";
  const chomp = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
  out.put(`|${indentHint}${chomp}\n`);
  const lines = text.split("\n");
  lines.forEach((line, i) => {
    if (line !== "") out.put(" ".repeat(indent + indentStep) + line);
    if (i < lines.length - 1) out.put("\n");
  });
}

/** As Go prints a float with `%g`, which is also right for whole numbers that are small. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return String(value);
}

function compareKeys(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] === y[i]) continue;
    const xLetter = /\p{L}/u.test(x[i]);
    const yLetter = /\p{L}/u.test(y[i]);
    if (xLetter && yLetter) return codeOf(x[i]) - codeOf(y[i]);
    if (xLetter || yLetter) return yLetter ? -1 : 1;
    return compareNumbers(x, y, i);
  }
  return x.length - y.length;
}

/** Compares the numbers that start at `at`, by value, then by length. */
function compareNumbers(x: readonly string[], y: readonly string[], at: number): number {
  // After "1", the "0" of "10" is a digit of a longer number and not a leading zero.
  let lead = 0;
  if (x[at] === "0" || y[at] === "0") {
    for (let i = at - 1; i >= 0 && isDigit(x[i]); i--) if (x[i] !== "0") lead = 1;
  }
  const run = (chars: readonly string[]) => {
    let end = at;
    let value = lead;
    for (; end < chars.length && isDigit(chars[end]); end++) value = value * 10 + Number(chars[end]);
    return { end, value };
  };
  const first = run(x);
  const second = run(y);
  if (first.value !== second.value) return first.value - second.value;
  if (first.end !== second.end) return first.end - second.end;
  return codeOf(x[at]) - codeOf(y[at]);
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9" && char.length === 1;
}

function codeOf(char: string): number {
  return char.codePointAt(0) as number;
}

/**
 * Strings and characters as Go's `%q` prints them: what Prometheus shows in label sets, matchers, printed queries and
 * error messages.
 */

const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** Letters, marks, numbers, punctuation, symbols and the ASCII space print as themselves. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const needsEscape = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** In double quotes. */
export function quote(text: string): string {
  return `"${text.replace(needsEscape, (char) => (char === '"' ? '\\"' : escapeChar(char)))}"`;
}

/** One character, in single quotes; "" (the end of a text) prints as U+FFFD. */
export function quoteChar(char: string): string {
  if (char === "") return "'\ufffd'";
  if (char === "'") return "'\\''";
  return `'${char === "\\" || unprintable.test(char) ? escapeChar(char) : char}'`;
}

function escapeChar(char: string): string {
  const short = shortEscapes[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) as number;
  if (code >= 0xd800 && code < 0xe000) return "\ufffd";
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

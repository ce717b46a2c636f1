/**
 * Upper and lower case character by character, as Go maps it: one code point always becomes one code point. JavaScript's
 * own methods also apply the special mappings ("ß" → "SS", "İ" → "i̇", a final "Σ" → "ς"), which would give label
 * values that Prometheus does not give.
 */

export function lowerCase(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  let result = "";
  for (const char of text) result += char === "\u0130" ? "i" : single(char, char.toLowerCase());
  return result;
}

export function upperCase(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toUpperCase();
  let result = "";
  for (const char of text) result += single(iotaUpper(char), iotaUpper(char).toUpperCase());
  return result;
}

/** `mapped` where it is one code point, otherwise `char`: no simple mapping exists then. */
function single(char: string, mapped: string): string {
  const length = (mapped.codePointAt(0) as number) > 0xffff ? 2 : 1;
  return mapped.length === length ? mapped : char;
}

/** Greek letters with iota subscript: their simple upper case is a code point of its own, the titlecase form. */
function iotaUpper(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code >= 0x1f80 && code <= 0x1faf && (code & 8) === 0) return String.fromCodePoint(code + 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9);
  return char;
}

/**
 * Where a number or a duration ends. The lexer accepts more than there are numbers (`1e`, `0x`, `5hs`); what it cut out
 * is refused when its value is asked for (number-value.ts). Where both fail, `end` is how far the scan came: the error
 * message shows that much.
 */
export interface Scan {
  readonly ok: boolean;
  readonly end: number;
}

const decimalDigits = "0123456789";
const hexDigits = "0123456789abcdefABCDEF";

/** `[.]digit`, then digits, dots, underscores and exponents, each with its rule on what may not come next. */
export function scanNumber(input: string, start: number): Scan {
  const isHex = /^0[xX]/.test(input.slice(start, start + 2));
  const digits = isHex ? hexDigits : decimalDigits;
  let at = isHex ? start + 2 : start;
  const accept = (set: string): boolean => {
    const found = at < input.length && set.includes(input[at]);
    if (found) at++;
    return found;
  };
  const failed = (): Scan => ({ ok: false, end: at });
  accept(isHex ? "_" : "0");
  accept(".");
  accept(digits);
  let dots = 0;
  let exponents = 0;
  while (at < input.length && `${digits}._eE`.includes(input[at])) {
    if (accept(".")) {
      if (dots++ > 0 || accept("_.") || isHex) return failed();
    } else if (accept("eE")) {
      if (exponents++ > 0) return failed();
      accept("+-");
      if (accept("._eE") || at >= input.length) return failed();
    } else if (accept("_")) {
      if (accept("._eE") || at >= input.length) return failed();
    } else {
      while (accept(digits));
    }
  }
  return { ok: at > start && !isAlphaNumeric(input, at), end: at };
}

const firstUnit = /[smhdwy]s?/y;
const digitsAndUnit = /(\d+)(?:[smhdw]s?)?/y;

/** What makes a duration of a number: a unit, then pairs of digits and unit. `start` is behind the first number. */
export function scanDuration(input: string, start: number): Scan {
  firstUnit.lastIndex = start;
  if (!firstUnit.test(input)) return { ok: false, end: start };
  let at = firstUnit.lastIndex;
  for (;;) {
    digitsAndUnit.lastIndex = at;
    const found = digitsAndUnit.exec(input);
    if (found === null) break;
    at += found[0].length;
    if (found[0] === found[1]) return { ok: false, end: at };
  }
  return isAlphaNumeric(input, at) ? { ok: false, end: at + 1 } : { ok: true, end: at };
}

function isAlphaNumeric(input: string, at: number): boolean {
  return at < input.length && /[a-zA-Z0-9_]/.test(input[at]);
}

/**
 * What a plain (unquoted) YAML scalar means. Prometheus reads its files with a YAML 1.1 library, whose rules these
 * are: `yes` and `on` are booleans, `0x10`, `010` and `1_000` integers.
 */

const trueWords = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const falseWords = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const nullWords = new Set(["", "~", "null", "Null", "NULL"]);
const infinities: Readonly<Record<string, number>> = {
  ".nan": Number.NaN,
  ".NaN": Number.NaN,
  ".NAN": Number.NaN,
  ".inf": Number.POSITIVE_INFINITY,
  ".Inf": Number.POSITIVE_INFINITY,
  ".INF": Number.POSITIVE_INFINITY,
  "+.inf": Number.POSITIVE_INFINITY,
  "+.Inf": Number.POSITIVE_INFINITY,
  "+.INF": Number.POSITIVE_INFINITY,
  "-.inf": Number.NEGATIVE_INFINITY,
  "-.Inf": Number.NEGATIVE_INFINITY,
  "-.INF": Number.NEGATIVE_INFINITY,
};

export function isNullWord(plain: string): boolean {
  return nullWords.has(plain);
}

/** Undefined where the scalar is not a boolean. */
export function plainBoolean(plain: string): boolean | undefined {
  if (trueWords.has(plain)) return true;
  return falseWords.has(plain) ? false : undefined;
}

/** Undefined where the scalar is not a number. Integers past 2^53 come as the nearest double. */
export function plainNumber(plain: string): number | undefined {
  if (Object.hasOwn(infinities, plain)) return infinities[plain];
  if (!/^[-+.\d]/.test(plain) || isTimestamp(plain)) return undefined;
  const text = plain.replaceAll("_", "");
  const [, sign, digits] = /^([-+]?)(.*)$/s.exec(text) as RegExpExecArray;
  const negative = sign === "-" ? -1 : 1;
  const radix = integerRadix(digits);
  if (radix !== undefined) return negative * Number(radix);
  if (/^(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(digits)) return negative * Number(digits);
  return undefined;
}

/** `0x`, `0b`, `0o` and the old octal `0…`, as a literal that Number reads. */
function integerRadix(digits: string): string | undefined {
  if (/^0[xX][\da-fA-F]+$|^0[bB][01]+$|^0[oO][0-7]+$/.test(digits)) return digits;
  return /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : undefined;
}

/** A date, or a date with a time, is neither text nor number when unquoted. */
function isTimestamp(plain: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2}))|(?: \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?))?$/.test(
    plain,
  );
}

/** Whether an unquoted scalar would be read as plain text. */
export function isPlainText(plain: string): boolean {
  if (nullWords.has(plain) || plain === "<<") return false;
  if (plainBoolean(plain) !== undefined || plainNumber(plain) !== undefined) return false;
  return !isTimestamp(plain) && !/^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(plain);
}

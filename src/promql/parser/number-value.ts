/**
 * The value of a number as Go reads it: an integer literal of any base if it is one and fits in 64 bits, otherwise a
 * floating-point number. So `010` is eight and `08` is eight.
 */

const int64Max = 2n ** 63n - 1n;
/** No integer of 64 bits has more digits, in any base. */
const int64Digits = 22;

export interface ParsedNumber {
  readonly value: number;
  /** "" if all is well. */
  readonly problem: string;
}

export function parseNumber(text: string): ParsedNumber {
  const integer = parseInteger(text);
  if (integer !== undefined) return { value: Number(integer), problem: "" };
  const word = text.toLowerCase();
  if (word === "inf") return { value: Number.POSITIVE_INFINITY, problem: "" };
  if (word === "nan") return { value: Number.NaN, problem: "" };
  const plain = withoutUnderscores(text);
  if (plain === undefined || !/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(plain)) {
    return { value: Number.NaN, problem: failure(text, "invalid syntax") };
  }
  const value = Number(plain);
  return Number.isFinite(value)
    ? { value, problem: "" }
    : { value, problem: failure(text, "value out of range") };
}

function failure(text: string, reason: string): string {
  return `error parsing number: strconv.ParseFloat: parsing "${text}": ${reason}`;
}

/** Underscores may stand between two digits only. */
function withoutUnderscores(text: string): string | undefined {
  return /(?<!\d)_|_(?!\d)/.test(text) ? undefined : text.replaceAll("_", "");
}

/** Decimal, hexadecimal after `0x`, octal after `0`. */
function parseInteger(text: string): bigint | undefined {
  const hex = /^0[xX](_?[0-9a-fA-F])+$/.test(text);
  const octal = /^0(_?[0-7])*$/.test(text);
  if (!hex && !octal && !/^[1-9](_?\d)*$/.test(text)) return undefined;
  const digits = text.replaceAll("_", "").replace(/^0[xX]?0*/, "");
  if (digits.length > int64Digits) return undefined;
  const value = BigInt(`${hex ? "0x" : octal ? "0o" : ""}0${digits}`);
  return value <= int64Max ? value : undefined;
}

/**
 * Numbers as Go's strconv reads and writes them, which is what the exposition formats mean by a number.
 *
 * Values are correctly rounded: JavaScript's Number() is exact for any number of digits (V8 keeps 772 of them and a
 * sticky bit), so only the syntax has to be narrowed. Go's differs from JavaScript's: "inf", "infinity" and "nan" in any
 * case, no blanks, no "0b…", and a number too large for a double is an error, not an infinity.
 */
import { formatGeneral } from "../model/format-float.ts";
import { normalNaNHigh, normalNaNLow } from "../model/value.ts";

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;
const hexadecimal = /^([+-]?)0x([0-9a-f_]*)(?:\.([0-9a-f_]*))?p([+-]?\d+)$/i;

export type FloatProblem = "unsupported character in float" | "invalid syntax" | "value out of range";

const ordinaryNaN = new Float64Array(new Uint32Array([normalNaNLow, normalNaNHigh]).buffer);

/**
 * Reads a sample value as the parsers do: the floats of Go before 1.13, without hexadecimal ones and underscores.
 * Writes it to `out[0]`, every NaN as Prometheus's ordinary NaN; returns what is wrong, undefined if nothing is.
 */
export function parseValue(text: string, out: Float64Array): FloatProblem | undefined {
  if (decimal.test(text)) {
    const value = Number(text);
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return "value out of range";
    out[0] = value;
    return undefined;
  }
  if (/[pP_]/.test(text)) return "unsupported character in float";
  const special = parseSpecial(text);
  if (special === undefined) return "invalid syntax";
  // biome-ignore lint/suspicious/noSelfCompare: the quickest test for NaN
  if (special !== special) out.set(ordinaryNaN);
  else out[0] = special;
  return undefined;
}

/** strconv.ParseFloat in full; undefined where it reports an error. */
export function parseGoFloat(text: string): number | undefined {
  if (decimal.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  return parseSpecial(text) ?? parseHexadecimal(text);
}

function parseSpecial(text: string): number | undefined {
  if (text.length === 3 && text.toLowerCase() === "nan") return Number.NaN;
  const match = infinity.exec(text);
  if (match === null) return undefined;
  return match[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `0x1.8p3`: only label values may be written so. The digits' count is bounded by the label's length. */
function parseHexadecimal(text: string): number | undefined {
  const match = hexadecimal.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = "", exponent] = match;
  if (!underscoresAreFine(whole, fraction)) return undefined;
  const digits = (whole + fraction).replaceAll("_", "");
  if (digits === "") return undefined;
  const scale = clamp(Number(exponent)) - 4 * fraction.replaceAll("_", "").length;
  const value = scaleToDouble(BigInt(`0x${digits}`), scale);
  if (!Number.isFinite(value)) return undefined;
  return sign === "-" ? -value : value;
}

/** Go wants an underscore between digits, or between the prefix and a digit. */
function underscoresAreFine(whole: string, fraction: string): boolean {
  return !/__|_$/.test(whole) && !/__|^_|_$/.test(fraction);
}

/** Go caps an exponent's digits the same way: what is beyond is far out of range anyhow. */
function clamp(exponent: number): number {
  return Math.max(-100_000, Math.min(100_000, exponent));
}

/** `mantissa` × 2^`exponent`, rounded once, to even. */
function scaleToDouble(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const length = mantissa.toString(2).length;
  const top = length + exponent;
  if (top > 1024) return Number.POSITIVE_INFINITY;
  // The lowest bit that a double of this size keeps; subnormal doubles keep bit -1074.
  const lowest = Math.max(top - 53, -1074);
  const cut = lowest - exponent;
  if (cut <= 0) return timesPowerOfTwo(Number(mantissa), exponent);
  if (cut > length + 1) return 0;
  const kept = mantissa >> BigInt(cut);
  const rest = mantissa - (kept << BigInt(cut));
  const half = 1n << BigInt(cut - 1);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return timesPowerOfTwo(Number(up ? kept + 1n : kept), lowest);
}

/** Exact where the result is a double: in steps, since 2^1074 is none. */
function timesPowerOfTwo(value: number, exponent: number): number {
  while (exponent > 1000) {
    value *= 2 ** 1000;
    exponent -= 1000;
  }
  while (exponent < -1000) {
    value *= 2 ** -1000;
    exponent += 1000;
  }
  return value * 2 ** exponent;
}

/**
 * How OpenMetrics writes a number, and Prometheus the `le` and `quantile` labels: as Go's %g, with ".0" behind what
 * would look like an integer.
 */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatGeneral(value === 0 ? 0 : value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

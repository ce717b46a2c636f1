/** Numbers and booleans in request parameters: what Go's `strconv` accepts, with its error texts. */
import { quote } from "../../base/quote.ts";

/** A number as `strconv.ParseFloat` reads it; undefined where it refuses, also for what overflows. */
export function parseGoFloat(text: string): number | undefined {
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (word !== null) {
    if (word[2].toLowerCase() === "nan") return word[1] === "" ? Number.NaN : undefined;
    return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex =
    /^([+-]?)0[xX](_?[0-9a-fA-F](?:_?[0-9a-fA-F])*)?(?:\.((?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?))?[pP]([+-]?\d+)$/.exec(
      text,
    );
  const value = hex === null ? decimal(text) : hexadecimal(hex);
  return value === undefined || Number.isFinite(value) ? value : undefined;
}

function decimal(text: string): number | undefined {
  if (!/^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/.test(text))
    return undefined;
  return Number(text.replaceAll("_", ""));
}

function hexadecimal([, sign, whole = "", fraction = "", exponent]: RegExpExecArray): number | undefined {
  const digits = (whole + fraction).replaceAll("_", "");
  if (digits === "") return undefined;
  const shift = Number(exponent) - fraction.replaceAll("_", "").length * 4;
  const magnitude = Number(BigInt(`0x${digits}`)) * 2 ** shift;
  return sign === "-" ? -magnitude : magnitude;
}

/** Thrown texts are those of Go's `strconv.NumError`. */
function numError(func: string, text: string, problem: string): Error {
  return new Error(`strconv.${func}: parsing ${quote(text)}: ${problem}`);
}

/** An integer as `strconv.Atoi` (64 bits) or `strconv.ParseInt` reads it. */
export function parseGoInt(text: string, func: "Atoi" | "ParseInt" = "Atoi", bits: 32 | 64 = 64): number {
  if (!/^[+-]?\d+$/.test(text)) throw numError(func, text, "invalid syntax");
  const value = BigInt(text.replace(/^\+/, ""));
  if (BigInt.asIntN(bits, value) !== value) throw numError(func, text, "value out of range");
  return Number(value);
}

/** A boolean as `strconv.ParseBool` reads it. */
export function parseGoBool(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw numError("ParseBool", text, "invalid syntax");
}

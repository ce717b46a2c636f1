/**
 * The numbers that the scanner reads itself: decimal with up to 19 significant digits, and NaN, +Inf, -Inf. Most need
 * one correctly rounded operation on exact doubles (Clinger's fast path); for the others the kernel has Eisel and
 * Lemire's method, and here JavaScript's own conversion is asked. Everything else goes back to the caller, which also
 * says what is wrong with a number that is none.
 */

/** The last number that {@link readNumber} read, in element 0. */
export const lastNumber = new Float64Array(1);

const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Integers below are exact; a longer sum of digits may be rounded down to it. */
const exactBelow = 2 ** 53;
/** Larger exponents are left to the caller. */
const exponentMax = 1000;
const smallestNormal = 2 ** -1022;

const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

/** Reads a number at `at`; returns the address behind it, or 0 where it is none or not one of these. */
export function readNumber(u8: Uint8Array, at: number): number {
  const sign = u8[at];
  const signed = sign === minus || sign === plus;
  if (signed) at++;
  if (u8[at] > 0x39) return readSpecial(u8, at, sign);
  const start = at;
  let mantissa = 0;
  let digits = 0;
  let exponent = 0;
  let c = u8[at] - zero;
  while (c >= 0 && c <= 9) {
    mantissa = mantissa * 10 + c;
    if (mantissa !== 0) digits++;
    c = u8[++at] - zero;
  }
  let found = at - start;
  if (u8[at] === point) {
    const fraction = ++at;
    c = u8[at] - zero;
    while (c >= 0 && c <= 9) {
      mantissa = mantissa * 10 + c;
      if (mantissa !== 0) digits++;
      c = u8[++at] - zero;
    }
    exponent = fraction - at;
    found += at - fraction;
  }
  if (found === 0 || digits > 19) return 0;
  if ((u8[at] | 0x20) === 0x65) {
    at++;
    const negative = u8[at] === minus;
    if (negative || u8[at] === plus) at++;
    const first = at;
    let power = 0;
    c = u8[at] - zero;
    while (c >= 0 && c <= 9 && power < exponentMax) {
      power = power * 10 + c;
      c = u8[++at] - zero;
    }
    if (at === first || power >= exponentMax) return 0;
    exponent += negative ? -power : power;
  }
  if (mantissa === 0) lastNumber[0] = 0;
  else if (mantissa >= exactBelow || exponent < -22 || exponent > 22) {
    lastNumber[0] = convert(u8, start, at);
    // Too large: an error in Go. Subnormal, or nothing left: as rare, and left to the caller by the kernel.
    if (!(lastNumber[0] >= smallestNormal && lastNumber[0] < Number.POSITIVE_INFINITY)) return 0;
  } else if (exponent < 0) lastNumber[0] = mantissa / powersOfTen[-exponent];
  else lastNumber[0] = mantissa * powersOfTen[exponent];
  if (sign === minus) lastNumber[0] = -lastNumber[0];
  return at;
}

/** The digits in [start, end), whose syntax was checked. */
function convert(u8: Uint8Array, start: number, end: number): number {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(u8[i]);
  return Number(text);
}

/** The spellings that exporters write; others (any case, "infinity") are the caller's. */
function readSpecial(u8: Uint8Array, at: number, sign: number): number {
  const signed = sign === minus || sign === plus;
  if (!signed && u8[at] === 0x4e && u8[at + 1] === 0x61 && u8[at + 2] === 0x4e) {
    lastNumber[0] = Number.NaN;
    return at + 3;
  }
  if (u8[at] === 0x49 && u8[at + 1] === 0x6e && u8[at + 2] === 0x66) {
    lastNumber[0] = sign === minus ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return at + 3;
  }
  return 0;
}

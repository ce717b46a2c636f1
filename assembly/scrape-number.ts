// The numbers of src/kernels/scrape-number.ts, and those with up to 19 digits that need more than one rounding: by
// Eisel and Lemire's method (https://arxiv.org/abs/2101.11408), with the powers of ten that src/kernels/scrape-powers.ts
// puts into the memory. The few cases that it cannot decide go back to the caller like any other unusual number.

/** The last number that was read. */
export let lastNumber: f64 = 0;

export function restoreNumber(value: f64): void {
  lastNumber = value;
}

// src/kernels/scrape-powers.ts: for each exponent from -342 on the low and the high word of 128 bits of 10^exponent.
const POWERS: usize = 4096;
const POWER_MIN: i32 = -342;
const POWER_MAX: i32 = 308;

const PLUS: u32 = 0x2b;
const MINUS: u32 = 0x2d;
const POINT: u32 = 0x2e;

const exactPowers: StaticArray<f64> = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
];

/** Reads a number at `at`; returns the address behind it, or 0 where it is none or not one of these. */
export function readNumber(at: usize): usize {
  const sign: u32 = load<u8>(at);
  if (sign == MINUS || sign == PLUS) at++;
  if (<u32>load<u8>(at) > 0x39) return readSpecial(at, sign);
  const start = at;
  let mantissa: u64 = 0;
  let digits: u32 = 0;
  let exponent: i32 = 0;
  let c: u32 = <u32>load<u8>(at) - 0x30;
  while (c < 10) {
    mantissa = mantissa * 10 + c;
    // Not the mantissa alone: twenty digits and more may wrap around to 0.
    digits += u32((mantissa | digits) != 0);
    c = <u32>load<u8>(++at) - 0x30;
  }
  let found = at - start;
  if (load<u8>(at) == POINT) {
    const fraction = ++at;
    c = <u32>load<u8>(at) - 0x30;
    while (c < 10) {
      mantissa = mantissa * 10 + c;
      digits += u32((mantissa | digits) != 0);
      c = <u32>load<u8>(++at) - 0x30;
    }
    exponent = <i32>(fraction - at);
    found += at - fraction;
  }
  if (found == 0 || digits > 19) return 0;
  if ((<u32>load<u8>(at) | 0x20) == 0x65) {
    at++;
    const expSign: u32 = load<u8>(at);
    if (expSign == MINUS || expSign == PLUS) at++;
    const first = at;
    let power: i32 = 0;
    c = <u32>load<u8>(at) - 0x30;
    while (c < 10 && power < 1000) {
      power = power * 10 + c;
      c = <u32>load<u8>(++at) - 0x30;
    }
    if (at == first || power >= 1000) return 0;
    exponent += expSign == MINUS ? -power : power;
  }
  if (!scale(mantissa, exponent)) return 0;
  if (sign == MINUS) lastNumber = -lastNumber;
  return at;
}

/** `mantissa` × 10^`exponent` into `lastNumber`; false where it cannot be told here. */
// @ts-ignore: decorator
@inline
function scale(mantissa: u64, exponent: i32): bool {
  if (mantissa == 0) {
    lastNumber = 0;
    return true;
  }
  if (mantissa < 9007199254740992 && exponent >= -22 && exponent <= 22) {
    const exact = <f64>mantissa;
    lastNumber =
      exponent < 0 ? exact / unchecked(exactPowers[-exponent]) : exact * unchecked(exactPowers[exponent]);
    return true;
  }
  return scaleWide(mantissa, exponent);
}

let productHigh: u64 = 0;

/** The low word of a 128-bit product; the high one is left in `productHigh`. */
// @ts-ignore: decorator
@inline
function multiply(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  productHigh = aHigh * bHigh + (middle >> 32) + (other >> 32);
  return a * b;
}

function scaleWide(mantissa: u64, exponent: i32): bool {
  if (exponent < POWER_MIN || exponent > POWER_MAX) return false;
  const zeros = clz(mantissa);
  mantissa <<= zeros;
  // log2(10) is about 217706 / 65536: the exponent of the product, biased as in a double.
  let binary: i64 = <i64>((217706 * exponent) >> 16) + 64 + 1023 - <i64>zeros;
  const power = POWERS + 16 * <usize>(exponent - POWER_MIN);
  let low = multiply(mantissa, load<u64>(power, 8));
  let high = productHigh;
  if ((high & 0x1ff) == 0x1ff && low + mantissa < mantissa) {
    // The cut-off bits of the power may matter: take 64 more of them.
    const lower = multiply(mantissa, load<u64>(power));
    const merged = low + productHigh;
    if (merged < low) high++;
    if ((high & 0x1ff) == 0x1ff && merged + 1 == 0 && lower + mantissa < mantissa) return false;
    low = merged;
  }
  const top = high >> 63;
  let bits = high >> (top + 9);
  binary -= <i64>(1 ^ top);
  // Exactly in the middle between two doubles, as far as can be seen.
  if (low == 0 && (high & 0x1ff) == 0 && (bits & 3) == 1) return false;
  bits += bits & 1;
  bits >>= 1;
  if (bits >> 53 > 0) {
    bits >>= 1;
    binary++;
  }
  // Subnormal or too large.
  if (binary < 1 || binary > 0x7fe) return false;
  lastNumber = reinterpret<f64>((<u64>binary << 52) | (bits & 0x000fffffffffffff));
  return true;
}

function readSpecial(at: usize, sign: u32): usize {
  const signed = sign == MINUS || sign == PLUS;
  if (!signed && load<u8>(at) == 0x4e && load<u8>(at + 1) == 0x61 && load<u8>(at + 2) == 0x4e) {
    lastNumber = NaN;
    return at + 3;
  }
  if (load<u8>(at) == 0x49 && load<u8>(at + 1) == 0x6e && load<u8>(at + 2) == 0x66) {
    lastNumber = sign == MINUS ? -Infinity : Infinity;
    return at + 3;
  }
  return 0;
}

/** x^y to the last bit as Go computes it: the fraction of y by exp and log, its integer part by repeated squaring. */
import { exp } from "./exp.ts";
import { frexp, ldexp } from "./float-bits.ts";
import { log } from "./log.ts";

export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (y === 1) return x;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === 0 || Math.abs(x) === Number.POSITIVE_INFINITY || Math.abs(y) === Number.POSITIVE_INFINITY) {
    return ofExtremes(x, y);
  }
  if (y === 0.5) return Math.sqrt(x);
  if (y === -0.5) return 1 / Math.sqrt(x);
  let whole = Math.trunc(Math.abs(y));
  let rest = Math.abs(y) - whole;
  if (rest !== 0 && x < 0) return Number.NaN;
  if (whole >= 2 ** 63) {
    if (x === -1) return 1;
    return Math.abs(x) < 1 === y > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
  let mantissa = 1;
  if (rest !== 0) {
    if (rest > 0.5) {
      rest--;
      whole++;
    }
    mantissa = exp(rest * log(x));
  }
  const power = { mantissa, exponent: 0 };
  multiplyByPower(power, x, whole);
  return y < 0 ? ldexp(1 / power.mantissa, -power.exponent) : ldexp(power.mantissa, power.exponent);
}

/** mantissa * 2^exponent times x^n, by the bits of n. */
function multiplyByPower(result: { mantissa: number; exponent: number }, x: number, n: number): void {
  let { fraction, exponent } = frexp(x);
  for (let rest = n; rest !== 0; rest = Math.floor(rest / 2)) {
    if (Math.abs(exponent) > 1 << 12) {
      // Far out of range already: what is still to come cannot bring it back.
      result.exponent += exponent;
      return;
    }
    if (rest % 2 === 1) {
      result.mantissa *= fraction;
      result.exponent += exponent;
    }
    fraction *= fraction;
    exponent *= 2;
    if (fraction < 0.5) {
      fraction += fraction;
      exponent--;
    }
  }
}

/** For a base of 0, and where one of the two is infinite: IEEE 754-2008, section 9.2.1. */
function ofExtremes(x: number, y: number): number {
  if (Math.abs(y) === Number.POSITIVE_INFINITY && x !== 0) {
    if (x === -1) return 1;
    return Math.abs(x) < 1 === y > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
  return x ** y;
}

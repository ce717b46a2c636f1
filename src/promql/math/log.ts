/**
 * Logarithms to the last bit as Prometheus computes them: the algorithm of FreeBSD's msun, which V8 shares in part.
 * x = 2^k (1 + f) with sqrt(2)/2 < 1 + f < sqrt(2); log(1 + f) is a series in s = f / (2 + f).
 */
import { exponentOf, frexp, fromBits, mantissaOf } from "./float-bits.ts";

const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
const l1 = 6.666666666666735e-1;
const l2 = 3.999999999940942e-1;
const l3 = 2.857142874366239e-1;
const l4 = 0.22222198432149784;
const l5 = 1.818357216161805e-1;
const l6 = 0.15313837699209373;
const l7 = 0.14798198605116586;

export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x > 0 ? x : Number.NaN;
  let { fraction, exponent: k } = splitPositive(x);
  if (fraction < Math.SQRT1_2) {
    fraction *= 2;
    k--;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const t1 = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
  const t2 = s4 * (l2 + s4 * (l4 + s4 * l6));
  const r = t1 + t2;
  const halfSquare = 0.5 * f * f;
  return k * ln2High - (halfSquare - (s * (halfSquare + r) + k * ln2Low) - f);
}

/** As frexp, but of a denormal number the bits are taken as they are, which is what Go's assembly does. */
function splitPositive(x: number): { fraction: number; exponent: number } {
  if (x >= 2 ** -1022) return frexp(x);
  const { high, low } = mantissaOf(x);
  return { fraction: fromBits(1022, high, low), exponent: -1022 };
}

export function log2(x: number): number {
  const { fraction, exponent } = frexp(x);
  if (fraction === 0.5) return exponent - 1;
  return log(fraction) * Math.LOG2E + exponent;
}

export function log10(x: number): number {
  return log(x) * Math.LOG10E;
}

/** log(1 + x), exact for small x. */
export function log1p(x: number): number {
  if (Number.isNaN(x) || x < -1) return Number.NaN;
  if (x === -1) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  const magnitude = Math.abs(x);
  if (magnitude < Math.SQRT2 - 1) {
    if (magnitude < 2 ** -54) return x;
    if (magnitude < 2 ** -29) return x - x * x * 0.5;
    if (x > Math.SQRT1_2 - 1) return log1pSeries(x, 0, 0, false);
  }
  const u = magnitude < 2 ** 53 ? 1 + x : x;
  let k = exponentOf(u);
  // What the rounding of 1 + x lost.
  let correction = 0;
  if (magnitude < 2 ** 53) correction = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
  const { high, low } = mantissaOf(u);
  const belowSqrt2 = high < 0x6a09e || (high === 0x6a09e && low < 0x667f3bcd);
  const normalized = fromBits(belowSqrt2 ? 1023 : 1022, high, low);
  // Bits 20 and up of the distance to 1 are 0.
  const tiny = belowSqrt2 ? high === 0 && low === 0 : high === 0xfffff && low >>> 0 > 0xfffffffc;
  if (!belowSqrt2) k++;
  return log1pSeries(normalized - 1, k, correction, tiny);
}

/** k ln 2 + log(1 + f) + correction; `tiny`: |f| < 2^-20. */
function log1pSeries(f: number, k: number, correction: number, tiny: boolean): number {
  const halfSquare = 0.5 * f * f;
  if (tiny) {
    if (f === 0) return k === 0 ? 0 : k * ln2High + (correction + k * ln2Low);
    const r = halfSquare * (1 - 0.6666666666666666 * f);
    return k === 0 ? f - r : k * ln2High - (r - (k * ln2Low + correction) - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const r = z * (l1 + z * (l2 + z * (l3 + z * (l4 + z * (l5 + z * (l6 + z * l7))))));
  if (k === 0) return f - (halfSquare - s * (halfSquare + r));
  return k * ln2High - (halfSquare - (s * (halfSquare + r) + (k * ln2Low + correction)) - f);
}

/**
 * e^x as Prometheus computes it on amd64, to the last bit: Shibata's method (2010) with fused multiply-add, in place
 * of V8's. x = k ln 2 + r; r is divided by 16, e^r - 1 comes from its Taylor series and is squared up four times.
 */
import { ldexp } from "./float-bits.ts";
import { fma } from "./fma.ts";

const log2e = Math.LOG2E;
const ln2Upper = 0.693147180559663;
const ln2Lower = 2.8235290563031577e-13;
const overflow = 7.09782712893384e2;

export function exp(x: number): number {
  if (Number.isNaN(x) || x > overflow) return x > 0 ? Number.POSITIVE_INFINITY : x;
  if (x === Number.NEGATIVE_INFINITY) return 0;
  const power = roundHalfToEven(x * log2e);
  if (power < -1075) return 0;
  if (power > 1023) return Number.POSITIVE_INFINITY; // a little too early, as there
  let r = fma(-ln2Lower, power, fma(-ln2Upper, power, x));
  r *= 0.0625;
  let series = 2.48015873015873e-5;
  series = fma(r, series, 1.984126984126984e-4);
  series = fma(r, series, 1.388888888888889e-3);
  series = fma(r, series, 8.333333333333333e-3);
  series = fma(r, series, 0.041666666666666664);
  series = fma(r, series, 0.16666666666666666);
  series = fma(r, series, 0.5);
  series = fma(r, series, 1);
  // (1 + y)^2 - 1 = y (y + 2)
  let y = r * series;
  y *= y + 2;
  y *= y + 2;
  y *= y + 2;
  return ldexp(fma(y + 2, y, 1), power);
}

function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

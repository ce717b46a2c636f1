/** The hyperbolic functions to the last bit as Go computes them: from exp and log, near 0 by a series of their own. */
import { exp } from "./exp.ts";
import { log, log1p } from "./log.ts";

/** The functions for x >= 0 get -0 too, and keep its sign. */
export function sinh(x: number): number {
  return x < 0 ? -sinhPositive(-x) : sinhPositive(x);
}

function sinhPositive(x: number): number {
  if (x > 21) return exp(x) / 2;
  if (x > 0.5) {
    const power = exp(x);
    return (power - 1 / power) / 2;
  }
  const square = x * x;
  const p =
    (((-0.2630563213397497e2 * square - 0.2894211355989564e4) * square - 0.8991272022039509e5) * square -
      0.6307673640497717e6) *
    x;
  return (
    p / (((square - 0.1736789535582337e3) * square + 0.1521517378790019e5) * square - 0.6307673640497717e6)
  );
}

export function cosh(x: number): number {
  const magnitude = Math.abs(x);
  const power = exp(magnitude);
  return magnitude > 21 ? power / 2 : (power + 1 / power) / 2;
}

/** Half the logarithm of 2^127. */
const tanhOne = 0.5 * 8.802969193111305e1;

export function tanh(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > tanhOne) return x < 0 ? -1 : 1;
  if (magnitude >= 0.625) {
    const value = 1 - 2 / (exp(2 * magnitude) + 1);
    return x < 0 ? -value : value;
  }
  if (x === 0) return x;
  const s = x * x;
  const p = (-9.643991794250523e-1 * s - 99.28772310019185) * s - 1614.6876844170845;
  const q = ((s + 112.81167849163293) * s + 2235.4883906010045) * s + 4.844063053251255e3;
  return x + (x * s * p) / q;
}

const ln2 = 6.931471805599453e-1;
const large = 2 ** 28;

export function asinh(x: number): number {
  if (!Number.isFinite(x)) return x;
  return x < 0 ? -asinhPositive(-x) : asinhPositive(x);
}

function asinhPositive(x: number): number {
  if (x > large) return log(x) + ln2;
  if (x > 2) return log(2 * x + 1 / (Math.sqrt(x * x + 1) + x));
  if (x < 1 / large) return x;
  return log1p(x + (x * x) / (1 + Math.sqrt(1 + x * x)));
}

export function acosh(x: number): number {
  if (Number.isNaN(x) || x < 1) return Number.NaN;
  if (x === 1) return 0;
  if (x >= large) return log(x) + ln2;
  if (x > 2) return log(2 * x - 1 / (x + Math.sqrt(x * x - 1)));
  const t = x - 1;
  return log1p(t + Math.sqrt(2 * t + t * t));
}

export function atanh(x: number): number {
  if (!(x >= -1 && x <= 1)) return Number.NaN;
  if (Math.abs(x) === 1) return x * Number.POSITIVE_INFINITY;
  return x < 0 ? -atanhPositive(-x) : atanhPositive(x);
}

function atanhPositive(x: number): number {
  if (x < 1 / large) return x;
  const twice = x + x;
  return 0.5 * log1p(x < 0.5 ? twice + (twice * x) / (1 - x) : twice / (1 - x));
}

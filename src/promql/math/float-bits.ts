/** Doubles taken apart and put together. */
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** value = fraction * 2^exponent with 0.5 <= |fraction| < 1; exponent 0 for zero, infinities and NaN. */
export function frexp(value: number): { fraction: number; exponent: number } {
  if (value === 0 || !Number.isFinite(value)) return { fraction: value, exponent: 0 };
  let exponent = 0;
  float[0] = value;
  if (Math.abs(value) < 2 ** -1022) {
    float[0] = value * 2 ** 52;
    exponent = -52;
  }
  exponent += ((words[1] >>> 20) & 0x7ff) - 1022;
  words[1] = (words[1] & ~(0x7ff << 20)) | (1022 << 20);
  return { fraction: float[0], exponent };
}

/** fraction * 2^exponent, rounded once. */
export function ldexp(fraction: number, exponent: number): number {
  if (fraction === 0 || !Number.isFinite(fraction)) return fraction;
  const parts = frexp(fraction);
  const power = exponent + parts.exponent - 1;
  if (power < -1075) return Math.sign(fraction) * 0;
  if (power > 1023) return Math.sign(fraction) * Number.POSITIVE_INFINITY;
  const mantissa = parts.fraction * 2;
  return power < -1022 ? mantissa * 2 ** (power + 53) * 2 ** -53 : mantissa * 2 ** power;
}

/** The exponent of a normal number: 0 for 1 <= |value| < 2. */
export function exponentOf(value: number): number {
  float[0] = value;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
}

/** The upper and lower half of the bits below the exponent. */
export function mantissaOf(value: number): { high: number; low: number } {
  float[0] = value;
  return { high: words[1] & 0xfffff, low: words[0] };
}

/** A positive number from its biased exponent and the halves of its mantissa. */
export function fromBits(biasedExponent: number, high: number, low: number): number {
  words[1] = (biasedExponent << 20) | high;
  words[0] = low;
  return float[0];
}

/**
 * Powers of ten for the kernel's number reader (assembly/scrape-number.ts): for each exponent the first 128 bits of
 * 10^exponent, cut off, as two u64, low word first. Computed once at start, about 10 KiB.
 */
export const powersAddress = 4096;
const exponentMin = -342;
const exponentMax = 308;

export function writePowersOfTen(memory: Uint8Array<ArrayBuffer>): void {
  const words = new BigUint64Array(memory.buffer, powersAddress, 2 * (exponentMax - exponentMin + 1));
  for (let exponent = exponentMin; exponent <= exponentMax; exponent++) {
    const bits = leadingBits(exponent);
    words[2 * (exponent - exponentMin)] = BigInt.asUintN(64, bits);
    words[2 * (exponent - exponentMin) + 1] = bits >> 64n;
  }
}

/** 2^127 <= result < 2^128 */
function leadingBits(exponent: number): bigint {
  const power = 10n ** BigInt(Math.abs(exponent));
  const length = BigInt(power.toString(2).length);
  if (exponent >= 0) return length <= 128n ? power << (128n - length) : power >> (length - 128n);
  const quotient = (1n << (length + 127n)) / power;
  return quotient >> 128n === 0n ? quotient : quotient >> 1n;
}

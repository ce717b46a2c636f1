/**
 * Powers of ten for the kernel's number reader (assembly/scrape-number.ts): for each exponent the first 128 bits of
 * 10^exponent, cut off, as two u64, low word first. About 10 KiB, computed once.
 */
export const powersAddress = 4096;
const exponentMin = -342;
const exponentMax = 308;

const powers = new BigUint64Array(2 * (exponentMax - exponentMin + 1));

export function writePowersOfTen(memory: Uint8Array<ArrayBuffer>): void {
  if (powers[1] === 0n) computePowers();
  new BigUint64Array(memory.buffer, powersAddress, powers.length).set(powers);
}

function computePowers(): void {
  for (let exponent = exponentMin; exponent <= exponentMax; exponent++) {
    const bits = leadingBits(exponent);
    powers[2 * (exponent - exponentMin)] = BigInt.asUintN(64, bits);
    powers[2 * (exponent - exponentMin) + 1] = bits >> 64n;
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

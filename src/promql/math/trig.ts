/**
 * sin, cos and tan to the last bit as Go computes them: Moshier's Cephes library. The argument is reduced to
 * [-pi/4, pi/4] and its octant, with pi/4 in three parts, from 2^29 on by Payne and Hanek's method.
 */

interface Reduced {
  /** The octant, mapped to an even number. */
  octant: number;
  rest: number;
}

const quarterPiA = 0.7853981256484985;
const quarterPiB = 3.774894707930798e-8;
const quarterPiC = 2.6951514290790595e-15;
const threeParts = 2 ** 29;

export function sin(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, rest } = reduce(Math.abs(x));
  const upper = octant % 8 > 3;
  const value = octant % 4 === 2 ? cosSeries(rest) : sinSeries(rest);
  return x < 0 !== upper ? -value : value;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, rest } = reduce(Math.abs(x));
  const negative = octant % 8 === 2 || octant % 8 === 4;
  const value = octant % 4 === 2 ? sinSeries(rest) : cosSeries(rest);
  return negative ? -value : value;
}

export function tan(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, rest: z } = reduce(Math.abs(x));
  const zz = z * z;
  let y = z;
  if (zz > 1e-14) {
    const p = ((-13093.693918138379 * zz + 1153516.6483858742) * zz - 17956525.197648488) * zz;
    const q =
      (((zz + 13681.296347069296) * zz - 1320892.3444021097) * zz + 2.500838018233579e7) * zz -
      53869575.592945464;
    y = z + z * (p / q);
  }
  if (octant % 4 === 2) y = -1 / y;
  return x < 0 ? -y : y;
}

function sinSeries(z: number): number {
  const zz = z * z;
  const p =
    ((((1.5896230157654656e-10 * zz - 2.5050747762857807e-8) * zz + 2.7557313621385722e-6) * zz -
      1.984126982958954e-4) *
      zz +
      8.333333333322118e-3) *
      zz -
    0.1666666666666663;
  return z + z * zz * p;
}

function cosSeries(z: number): number {
  const zz = z * z;
  const p =
    ((((-1.1358536521387682e-11 * zz + 2.087570084197473e-9) * zz - 2.755731417929674e-7) * zz +
      2.4801587288851704e-5) *
      zz -
      0.0013888888888873056) *
      zz +
    0.041666666666666595;
  return 1 - 0.5 * zz + zz * zz * p;
}

function reduce(x: number): Reduced {
  if (x >= threeParts) return reduceLarge(x);
  let octant = Math.trunc(x * (4 / Math.PI));
  if (octant % 2 === 1) octant++;
  return { octant, rest: x - octant * quarterPiA - octant * quarterPiB - octant * quarterPiC };
}

/** 4/pi, behind the point of "1.", 64 bits a piece. */
const fourByPi = [
  0x1n,
  0x45f306dc9c882a53n,
  0xf84eafa3ea69bb81n,
  0xb6c52b3278872083n,
  0xfca2c757bd778ac3n,
  0x6e48dc74849ba5c0n,
  0x0c925dd413a32439n,
  0xfc3bd63962534e7dn,
  0xd1046bea5d768909n,
  0xd338e04d68befc82n,
  0x7323ac7306a673e9n,
  0x3908bf177bf25076n,
  0x3ff12fffbc0b301fn,
  0xde5e2316b414da3en,
  0xda6cfd9e4f96136en,
  0x9e8c7ecd3cbfd45an,
  0xea4f758fd7cbe2f6n,
  0x7a0e73ef14a525d4n,
  0xd7f6bf623f1aba10n,
  0xac06608df8f6d757n,
];
const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

/**
 * x * 4/pi modulo 8: of the product of the 53-bit mantissa with 4/pi only the 192 bits matter that stand around the
 * point for the mantissa's exponent.
 */
function reduceLarge(x: number): Reduced {
  float[0] = x;
  const exponent = Number((bits[0] >> 52n) & 0x7ffn) - 1023 - 52;
  const mantissa = (bits[0] & 0xfffffffffffffn) | 0x10000000000000n;
  const digit = Math.floor((exponent + 61) / 64);
  const shift = BigInt((exponent + 61) % 64);
  const window = (i: number) =>
    BigInt.asUintN(64, (fourByPi[digit + i] << shift) | (fourByPi[digit + i + 1] >> (64n - shift)));
  const product = BigInt.asUintN(
    128,
    ((window(0) * mantissa) << 64n) + window(1) * mantissa + ((window(2) * mantissa) >> 64n),
  );
  let octant = Number(product >> 125n);
  let rest = fraction(BigInt.asUintN(64, product >> 61n), BigInt.asUintN(64, product));
  if (octant % 2 === 1) {
    octant++;
    rest--;
  }
  return { octant, rest: rest * (Math.PI / 4) };
}

/**
 * high / 2^64, cut off (not rounded) after 53 significant bits. Where `high` begins with zeros, bits of `low` follow; as in
 * Go all of them, although the first three of them are the last of `high` already.
 */
function fraction(high: bigint, low: bigint): number {
  const zeros = 64 - high.toString(2).length;
  const shift = BigInt(zeros + 1);
  const mantissa = BigInt.asUintN(64, (high << shift) | (low >> (64n - shift))) >> 12n;
  return (1 + Number(mantissa) / 2 ** 52) / 2 ** (zeros + 1);
}

/**
 * a * b + c, rounded once, which JavaScript does not have: Boldo and Melquiond, "Emulation of FMA and correctly
 * rounded sums" (2008). Exact products and sums are kept as pairs (rounded result, its error); the last but one
 * addition rounds to odd, so that the last one rounds as if from the exact value. For operands far from overflow.
 */
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** Veltkamp's constant: splits a double into halves of 26 bits. */
const splitter = 2 ** 27 + 1;

export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const aHigh = highHalf(a);
  const aLow = a - aHigh;
  const bHigh = highHalf(b);
  const bLow = b - bHigh;
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);

  const tail = c + productError;
  const tailError = sumError(c, productError, tail);
  const head = product + tail;
  const headError = sumError(product, tail, head);
  return head + addToOdd(tailError, headError);
}

function highHalf(a: number): number {
  const scaled = splitter * a;
  return scaled - (scaled - a);
}

/** What was lost in sum = a + b. */
function sumError(a: number, b: number, sum: number): number {
  const bRounded = sum - a;
  return a - (sum - bRounded) + (b - bRounded);
}

/** a + b; if that is not exact, the neighbour of the exact sum whose last bit is 1. */
function addToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = sumError(a, b, sum);
  if (error === 0) return sum;
  float[0] = sum;
  if ((words[0] & 1) === 1) return sum;
  const away = error > 0 === sum > 0;
  return away ? stepMantissa(1) : stepMantissa(-1);
}

/** Moves the scratch value by one unit in the last place, away from zero or towards it. */
function stepMantissa(direction: 1 | -1): number {
  if (direction === 1) {
    words[0]++;
    if (words[0] === 0) words[1]++;
  } else {
    if (words[0] === 0) words[1]--;
    words[0]--;
  }
  return float[0];
}

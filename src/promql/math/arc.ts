/** asin, acos, atan and atan2 to the last bit as Go computes them: Moshier's Cephes library. */

export function atan(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  return x > 0 ? atanPositive(x) : -atanPositive(-x);
}

export function asin(x: number): number {
  if (x === 0) return x;
  const magnitude = Math.abs(x);
  if (!(magnitude <= 1)) return Number.NaN;
  const root = Math.sqrt(1 - magnitude * magnitude);
  const value =
    magnitude > 0.7 ? Math.PI / 2 - atanPositive(root / magnitude) : atanPositive(magnitude / root);
  return x < 0 ? -value : value;
}

export function acos(x: number): number {
  return Math.PI / 2 - asin(x);
}

export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const special = y === 0 || x === 0 || Math.abs(x) === Number.POSITIVE_INFINITY;
  // Multiples of pi/4 on the axes and at infinity, where all agree.
  if (special || Math.abs(y) === Number.POSITIVE_INFINITY) return Math.atan2(y, x);
  const angle = atan(y / x);
  if (x > 0) return angle;
  return angle <= 0 ? angle + Math.PI : angle - Math.PI;
}

/** pi/2 = Math.PI / 2 + moreBits */
const moreBits = 6.123233995736766e-17;
/** tan(3 pi / 8) */
const tanThreeEighths = 2.414213562373095;

function atanPositive(x: number): number {
  if (x <= 0.66) return atanSeries(x);
  if (x > tanThreeEighths) return Math.PI / 2 - atanSeries(1 / x) + moreBits;
  return Math.PI / 4 + atanSeries((x - 1) / (x + 1)) + 0.5 * moreBits;
}

/** For 0 <= x <= 0.66. */
function atanSeries(x: number): number {
  const z = x * x;
  const p =
    (((-8.750608600031904e-1 * z - 16.157537187333652) * z - 7.500855792314705e1) * z - 122.88666844901361) *
      z -
    6.485021904942025e1;
  const q =
    ((((z + 24.858464901423062) * z + 165.02700983169885) * z + 432.88106049129027) * z +
      4.853903996359137e2) *
      z +
    1.945506571482614e2;
  return x * ((z * p) / q) + x;
}

/** The φ-quantile of a set of values, interpolated between the two nearest; NaN counts as smaller than everything. */

/** Sorts `values[0, n)` in place. NaN without values, -Inf below 0, +Inf above 1. */
export function quantileOf(q: number, values: Float64Array, n: number): number {
  if (n === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  sortNaNFirst(values, n);
  const rank = q * (n - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(n - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

/** Typed arrays sort NaN last: rotate. */
function sortNaNFirst(values: Float64Array, n: number): void {
  const sorted = values.subarray(0, n).sort();
  let numbers = n;
  while (numbers > 0 && Number.isNaN(sorted[numbers - 1])) numbers--;
  if (numbers === n) return;
  sorted.copyWithin(n - numbers, 0, numbers);
  sorted.fill(Number.NaN, 0, n - numbers);
}

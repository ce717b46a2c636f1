/**
 * Quantiles and fractions of classic histograms: from the cumulative counts of buckets, sorted by upper bound, of
 * which the last must be +Inf. Within a bucket the observations are taken to be spread evenly.
 */

/** The buckets of one histogram at one step; `n` of them, bounds ascending. The functions here may change them. */
export class Buckets {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  n = 0;
  /** What {@link makeMonotonic} had to lift: the outermost bounds and the largest difference; `lifted` if anything. */
  lifted = false;
  liftedMin = Number.POSITIVE_INFINITY;
  liftedMax = Number.NEGATIVE_INFINITY;
  liftedDiff = 0;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  clear(): void {
    this.n = 0;
    this.lifted = false;
    this.liftedMin = Number.POSITIVE_INFINITY;
    this.liftedMax = Number.NEGATIVE_INFINITY;
    this.liftedDiff = 0;
  }

  push(bound: number, count: number): void {
    this.bounds[this.n] = bound;
    this.counts[this.n++] = count;
  }
}

/** The q-quantile; NaN without a +Inf bucket, without a second bucket or without observations. */
export function bucketQuantile(q: number, buckets: Buckets): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const { bounds, counts } = buckets;
  if (bounds[buckets.n - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  mergeEqualBounds(buckets);
  makeMonotonic(buckets);
  if (buckets.n < 2) return Number.NaN;
  const last = buckets.n - 1;
  const observations = counts[last];
  if (observations === 0) return Number.NaN;
  let rank = q * observations;
  const bucket = firstReaching(counts, last, rank);
  if (bucket === last) return bounds[last - 1];
  if (bucket === 0 && bounds[0] <= 0) return bounds[0];
  let start = 0;
  let count = counts[bucket];
  if (bucket > 0) {
    start = bounds[bucket - 1];
    count -= counts[bucket - 1];
    rank -= counts[bucket - 1];
  }
  return start + (bounds[bucket] - start) * (rank / count);
}

/** The index of the first of `n` counts that is not below `rank`; `n` if there is none. */
function firstReaching(counts: Float64Array, n: number, rank: number): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (counts[middle] >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The share of the observations between `lower` and `upper`. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  const { bounds, counts } = buckets;
  if (bounds[buckets.n - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  mergeEqualBounds(buckets);
  const count = counts[buckets.n - 1];
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, count) - rankOf(lower, buckets, count)) / count;
}

/** How many observations lie below `value`. A first bucket that ends above 0 is taken to begin at 0. */
function rankOf(value: number, { bounds, counts, n }: Buckets, count: number): number {
  let begin = bounds[0] <= 0 ? Number.NEGATIVE_INFINITY : 0;
  let rank = 0;
  for (let i = 0; i < n; i++) {
    if (i > 0) begin = bounds[i - 1];
    if (begin >= value) return atMost(rank, count);
    if (bounds[i] > value) {
      // Nothing can be said about where in an infinite bucket the observations are.
      if (begin === Number.NEGATIVE_INFINITY) return atMost(counts[i], count);
      return atMost(rank + ((counts[i] - rank) * (value - begin)) / (bounds[i] - begin), count);
    }
    rank = counts[i];
  }
  return count;
}

function atMost(rank: number, count: number): number {
  return rank > count ? count : rank;
}

function mergeEqualBounds(buckets: Buckets): void {
  const { bounds, counts, n } = buckets;
  let last = 0;
  for (let i = 1; i < n; i++) {
    if (bounds[i] === bounds[last]) {
      counts[last] += counts[i];
    } else {
      last++;
      bounds[last] = bounds[i];
      counts[last] = counts[i];
    }
  }
  buckets.n = last + 1;
}

/** Differences below this share of the counts are taken for rounding errors. */
const tolerance = 1e-12;
const minNormal = 2 ** -1022;

/** Counts may not fall from bucket to bucket: rounding errors are smoothed silently, other falls noted. */
function makeMonotonic(buckets: Buckets): void {
  const { bounds, counts, n } = buckets;
  let previous = counts[0];
  for (let i = 1; i < n; i++) {
    const current = counts[i];
    if (current === previous) continue;
    if (almostEqual(previous, current)) {
      counts[i] = previous;
    } else if (current < previous) {
      counts[i] = previous;
      buckets.lifted = true;
      buckets.liftedMin = Math.min(buckets.liftedMin, bounds[i]);
      buckets.liftedMax = Math.max(buckets.liftedMax, bounds[i]);
      buckets.liftedDiff = Math.max(buckets.liftedDiff, previous - current);
    } else {
      previous = current;
    }
  }
}

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < minNormal) return difference < tolerance * minNormal;
  return difference / Math.min(sum, Number.MAX_VALUE) < tolerance;
}

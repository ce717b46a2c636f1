/**
 * What Prometheus refuses in a native histogram that is sent to it, with its texts; and integer counts that are too large
 * for us.
 */
import { customBucketsSchema, type Histogram, integerCountMax, isExponentialSchema } from "./histogram.ts";
import { bucketCount, type Span } from "./spans.ts";

/** Why the histogram is not valid; "" where it is. */
export function histogramProblem(histogram: Histogram): string {
  const { schema, isFloat, zeroCount, count, sum } = histogram;
  if (schema === customBucketsSchema) {
    const problem = customProblem(histogram);
    if (problem !== "") return problem;
  } else if (isExponentialSchema(schema)) {
    const problem = exponentialProblem(histogram);
    if (problem !== "") return problem;
  } else {
    return `histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema ${schema}`;
  }
  if (!isFloat && count > integerCountMax) {
    return `observation count is ${count}: Narthex keeps integer counts up to ${integerCountMax}; send a float histogram`;
  }
  if (isFloat && count < 0) {
    return `observation count is  ${count}: histogram's observation count is negative`;
  }
  const problem = countsProblem(histogram.positiveBuckets);
  if (problem !== "") return `positive side: ${problem}`;
  return isFloat ? "" : totalProblem(zeroCount + total(histogram), count, sum);
}

function total({ positiveBuckets, negativeBuckets }: Histogram): number {
  let sum = 0;
  for (const one of positiveBuckets) sum += one;
  for (const one of negativeBuckets) sum += one;
  return sum;
}

function totalProblem(found: number, count: number, sum: number): string {
  const start = `${found} observations found in buckets, but the Count field is ${count}: histogram's observation count should`;
  if (Number.isNaN(sum)) {
    return found > count ? `${start} be at least the number of observations found in the buckets` : "";
  }
  return found === count
    ? ""
    : `${start} equal the number of observations found in the buckets (in absence of NaN)`;
}

function exponentialProblem(histogram: Histogram): string {
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
  const positive = spansProblem(positiveSpans, positiveBuckets.length);
  if (positive !== "") return `positive side: ${positive}`;
  const negative = spansProblem(negativeSpans, negativeBuckets.length) || countsProblem(negativeBuckets);
  if (negative !== "") return `negative side: ${negative}`;
  if (histogram.isFloat && histogram.zeroCount < 0) {
    return `zero bucket has observation count of ${histogram.zeroCount}: ${negativeCount}`;
  }
  return histogram.customBounds.length > 0
    ? "histogram with exponential schema must not have custom bounds"
    : "";
}

const negativeCount = "histogram has a bucket whose observation count is negative";
const negativeOffset = "histogram has a span whose offset is negative";
const otherCount = "histogram spans specify different number of buckets than provided";

function spansProblem(spans: readonly Span[], buckets: number): string {
  for (const [i, { offset }] of spans.entries()) {
    if (i > 0 && offset < 0) return `span number ${i + 1} with offset ${offset}: ${negativeOffset}`;
  }
  const needed = bucketCount(spans);
  return needed === buckets ? "" : `spans need ${needed} buckets, have ${buckets} buckets: ${otherCount}`;
}

function countsProblem(buckets: Float64Array): string {
  const i = buckets.findIndex((count) => count < 0);
  return i < 0 ? "" : `bucket number ${i + 1} has observation count of ${buckets[i]}: ${negativeCount}`;
}

function customProblem(histogram: Histogram): string {
  const { customBounds: bounds, positiveSpans, positiveBuckets } = histogram;
  const problem = boundsProblem(bounds) || coverProblem(bounds, positiveSpans, positiveBuckets.length);
  if (problem !== "") return `custom buckets: ${problem}`;
  if (histogram.zeroCount !== 0) return "custom buckets: must have zero count of 0";
  if (histogram.zeroThreshold !== 0) return "custom buckets: must have zero threshold of 0";
  if (histogram.negativeSpans.length > 0) return "custom buckets: must not have negative spans";
  return histogram.negativeBuckets.length > 0 ? "custom buckets: must not have negative buckets" : "";
}

function boundsProblem(bounds: Float64Array): string {
  for (let i = 0; i < bounds.length; i++) {
    if (Number.isNaN(bounds[i])) return "histogram custom bounds must not be NaN";
    if (i > 0 && bounds[i] <= bounds[i - 1]) {
      return `previous bound is ${bounds[i - 1].toFixed(6)} and current is ${bounds[i].toFixed(6)}: histogram custom bounds must be in strictly increasing order`;
    }
  }
  return bounds.at(-1) === Number.POSITIVE_INFINITY
    ? "last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
    : "";
}

function coverProblem(bounds: Float64Array, spans: readonly Span[], buckets: number): string {
  let covered = 0;
  for (const [i, { offset, length }] of spans.entries()) {
    if (offset < 0) return `span number ${i + 1} with offset ${offset}: ${negativeOffset}`;
    covered += offset + length;
  }
  const needed = bucketCount(spans);
  if (needed !== buckets) return `spans need ${needed} buckets, have ${buckets} buckets: ${otherCount}`;
  return bounds.length + 1 < covered
    ? `only ${bounds.length} custom bounds defined which is insufficient to cover total span length of ${covered}: histogram custom bounds are too few`
    : "";
}

/**
 * A native histogram as the API's JSON: `{"count":"3","sum":"4.5","buckets":[[<boundaries>,"<lower>","<upper>","<count>"],…]}`,
 * buckets in ascending order without empty ones. Boundaries: 0 open left (the upper bound belongs to the bucket), 1 open
 * right, 2 open on both sides, 3 closed on both sides.
 */
import { formatSampleValue } from "../../model/format-float.ts";
import type { Histogram } from "../../model/histogram.ts";

export function histogramJson(histogram: Histogram): string {
  const buckets: string[] = [];
  for (const { lower, upper, lowerInclusive, upperInclusive, count } of histogram.allBuckets()) {
    if (count === 0) continue;
    const boundaries = lowerInclusive ? (upperInclusive ? 3 : 1) : upperInclusive ? 0 : 2;
    buckets.push(`[${boundaries},${quoted(lower)},${quoted(upper)},${quoted(count)}]`);
  }
  const list = buckets.length === 0 ? "" : `,"buckets":[${buckets.join(",")}]`;
  return `{"count":${quoted(histogram.count)},"sum":${quoted(histogram.sum)}${list}}`;
}

function quoted(value: number): string {
  return `"${formatSampleValue(value)}"`;
}

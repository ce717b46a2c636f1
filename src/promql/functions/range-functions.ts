/** The functions over range vectors. (absent_over_time looks at all series together: operators/absent.ts.) */
import { annotationTexts } from "../annotations.ts";
import * as overTime from "./over-time.ts";
import type { RangeFunction } from "./range-function.ts";
import * as rates from "./rate.ts";
import { deriv, predictLinear } from "./regression.ts";

export const rangeFunctions: Readonly<Record<string, RangeFunction>> = {
  avg_over_time: { kernel: overTime.avgOverTime, samplesMin: 1 },
  changes: { kernel: overTime.changes, histograms: "taken", samplesMin: 1 },
  count_over_time: { kernel: overTime.countOverTime, histograms: "taken", samplesMin: 1 },
  delta: { kernel: rates.delta, samplesMin: 2 },
  deriv: { kernel: deriv, histograms: "ignored", samplesMin: 2 },
  first_over_time: { kernel: overTime.firstOverTime, histograms: "taken", samplesMin: 1, keepsName: true },
  idelta: { kernel: rates.idelta, samplesMin: 2 },
  increase: { kernel: rates.increase, samplesMin: 2, forCounters: true },
  irate: { kernel: rates.irate, samplesMin: 2 },
  last_over_time: { kernel: overTime.lastOverTime, histograms: "taken", samplesMin: 1, keepsName: true },
  max_over_time: { kernel: overTime.maxOverTime, histograms: "ignored", samplesMin: 1 },
  min_over_time: { kernel: overTime.minOverTime, histograms: "ignored", samplesMin: 1 },
  predict_linear: { kernel: predictLinear, histograms: "ignored", samplesMin: 2 },
  present_over_time: { kernel: overTime.presentOverTime, histograms: "taken", samplesMin: 1 },
  quantile_over_time: {
    kernel: overTime.quantileOverTime,
    histograms: "ignored",
    samplesMin: 1,
    checkParam: checkQuantile,
  },
  rate: { kernel: rates.rate, samplesMin: 2, forCounters: true },
  resets: { kernel: overTime.resets, histograms: "taken", samplesMin: 1 },
  stddev_over_time: { kernel: overTime.stddevOverTime, histograms: "ignored", samplesMin: 1 },
  stdvar_over_time: { kernel: overTime.stdvarOverTime, histograms: "ignored", samplesMin: 1 },
  sum_over_time: { kernel: overTime.sumOverTime, samplesMin: 1 },
};

/** What absent_over_time needs to know: present_over_time, without the name being dropped. */
export const presence: RangeFunction = {
  kernel: overTime.presentOverTime,
  samplesMin: 1,
  histograms: "taken",
  keepsName: true,
};

/** The warning about a quantile outside of [0, 1]. */
export function checkQuantile(q: number): string | undefined {
  return q >= 0 && q <= 1 ? undefined : annotationTexts.invalidQuantile(q);
}

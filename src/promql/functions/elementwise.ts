/**
 * Functions of one value: math and trigonometry, dates, clamp and round. Each works on a whole column in place; what
 * it does to absent steps does not matter.
 */
import type { Column } from "../column.ts";
import * as arc from "../math/arc.ts";
import { exp } from "../math/exp.ts";
import { max as maxOf, min as minOf } from "../math/extremum.ts";
import * as hyperbolic from "../math/hyperbolic.ts";
import { log, log2, log10 } from "../math/log.ts";
import * as trig from "../math/trig.ts";
import * as dates from "./dates.ts";

/** `params` has one column per scalar argument. May make steps absent (and must then correct the count). */
export type ColumnKernel = (column: Column, params: readonly Float64Array[]) => void;

export const elementwiseFunctions: Readonly<Record<string, ColumnKernel>> = {
  abs: each(Math.abs),
  acos: each(arc.acos),
  acosh: each(hyperbolic.acosh),
  asin: each(arc.asin),
  asinh: each(hyperbolic.asinh),
  atan: each(arc.atan),
  atanh: each(hyperbolic.atanh),
  ceil: each(Math.ceil),
  clamp: (column, [min, max]) => clamp(column, min, max),
  clamp_max: (column, [max]) => clamp(column, undefined, max),
  clamp_min: (column, [min]) => clamp(column, min, undefined),
  cos: each(trig.cos),
  cosh: each(hyperbolic.cosh),
  day_of_month: each(dates.dayOfMonth),
  day_of_week: each(dates.dayOfWeek),
  day_of_year: each(dates.dayOfYear),
  days_in_month: each(dates.daysInMonth),
  deg: each((v) => (v * 180) / Math.PI),
  exp: each(exp),
  floor: each(Math.floor),
  hour: each(dates.hour),
  ln: each(log),
  log10: each(log10),
  log2: each(log2),
  minute: each(dates.minute),
  month: each(dates.month),
  rad: each((v) => (v * Math.PI) / 180),
  round,
  sgn: each((v) => (v < 0 ? -1 : v > 0 ? 1 : v)),
  sin: each(trig.sin),
  sinh: each(hyperbolic.sinh),
  sqrt: each(Math.sqrt),
  tan: each(trig.tan),
  tanh: each(hyperbolic.tanh),
  year: each(dates.year),
};

function each(f: (v: number) => number): ColumnKernel {
  return ({ values }) => {
    for (let k = 0; k < values.length; k++) values[k] = f(values[k]);
  };
}

/** Nothing where max < min. */
function clamp(column: Column, min: Float64Array | undefined, max: Float64Array | undefined): void {
  const { values, present } = column;
  for (let k = 0; k < values.length; k++) {
    const low = min === undefined ? Number.NEGATIVE_INFINITY : min[k];
    const high = max === undefined ? Number.POSITIVE_INFINITY : max[k];
    if (high < low) {
      column.count -= present[k];
      present[k] = 0;
      continue;
    }
    values[k] = maxOf(low, minOf(high, values[k]));
  }
}

/** To the nearest multiple, ties upwards. */
function round({ values }: Column, [toNearest]: readonly Float64Array[]): void {
  for (let k = 0; k < values.length; k++) {
    const inverse = 1 / (toNearest === undefined ? 1 : toNearest[k]);
    values[k] = Math.floor(values[k] * inverse + 0.5) / inverse;
  }
}

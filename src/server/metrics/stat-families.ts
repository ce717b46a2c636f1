/**
 * Metric families whose numbers are counted in other threads and arrive as one flat record. prom-client has no place
 * for histograms and summaries that were observed elsewhere, so these families are written here.
 */

import { formatGeneral } from "../../model/format-float.ts";

/** Counters and gauges by name, as the threads report them. */
export type Stats = Readonly<Record<string, number | undefined>>;

export interface StatSample {
  /** What follows the family's name: "", `{type="float"}`, "_sum". */
  readonly suffix: string;
  /** undefined where the threads do not say: the sample is left out. */
  readonly value: (stats: Stats) => number | undefined;
}

export interface StatFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "summary" | "histogram";
  readonly help: string;
  readonly samples: readonly StatSample[];
}

/** Where a number comes from: the name of a stat, or what is made of them. */
export type Source = string | ((stats: Stats) => number | undefined);

export function sampleOf(source: Source, suffix = ""): StatSample {
  return { suffix, value: typeof source === "string" ? (stats) => stats[source] : source };
}

export const gauge = (name: string, source: Source, help: string): StatFamily => ({
  name,
  type: "gauge",
  help,
  samples: [sampleOf(source)],
});

export const counter = (name: string, source: Source, help: string): StatFamily => ({
  name,
  type: "counter",
  help,
  samples: [sampleOf(source)],
});

/** A summary without quantiles: sum and count. */
export const summary = (name: string, sum: Source, count: Source, help: string): StatFamily => ({
  name,
  type: "summary",
  help,
  samples: [sampleOf(sum, "_sum"), sampleOf(count, "_count")],
});

/** What HistogramCounts.stats gives under `prefix`. */
export const histogram = (
  name: string,
  prefix: string,
  bounds: readonly number[],
  help: string,
): StatFamily => ({
  name,
  type: "histogram",
  help,
  samples: [
    ...bounds.map((bound) => sampleOf(`${prefix}UpTo${bound}`, `_bucket{le="${formatGeneral(bound)}"}`)),
    sampleOf(`${prefix}Count`, '_bucket{le="+Inf"}'),
    sampleOf(`${prefix}Sum`, "_sum"),
    sampleOf(`${prefix}Count`, "_count"),
  ],
});

/** undefined where one of them is not known. */
export function sumOf(...numbers: (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const number of numbers) {
    if (number === undefined) return undefined;
    sum += number;
  }
  return sum;
}

/** The text format. Families without a sample are left out. */
export function statsPage(families: readonly StatFamily[], stats: Stats): string {
  let page = "";
  for (const { name, type, help, samples } of families) {
    let lines = "";
    for (const { suffix, value } of samples) {
      const number = value(stats);
      if (number !== undefined) lines += `${name}${suffix} ${numberText(number)}\n`;
    }
    if (lines !== "") page += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
  }
  return page;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

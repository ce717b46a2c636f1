/**
 * What a parser of an exposition format gives out, one entry at a time, whatever the format: text, OpenMetrics or
 * protobuf. Nothing here is an object per sample: an entry's parts are read from the parser, and are valid until the
 * next call of {@link ExpositionParser.next}.
 */

import type { Histogram } from "../model/histogram.ts";

/** The types of metric families, in the order of their codes ({@link metricTypeCode}). */
export const metricTypes = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
] as const;
export type MetricType = (typeof metricTypes)[number];

export function metricTypeCode(type: MetricType): number {
  return metricTypes.indexOf(type);
}

export const Entry = {
  /** The page ended as its format wants it to. */
  eof: 0,
  type: 1,
  help: 2,
  unit: 3,
  comment: 4,
  /** A sample of a series. */
  series: 5,
  /** A sample that is a native histogram. */
  histogram: 6,
} as const;
export type Entry = (typeof Entry)[keyof typeof Entry];

export interface ParsedExemplar {
  /** name, value, name, value, …, sorted by name; unchecked otherwise. */
  readonly labels: readonly string[];
  readonly value: number;
  /** Milliseconds; 0 without a timestamp. */
  readonly t: number;
  readonly hasTimestamp: boolean;
}

/** What becomes of histograms. */
export interface HistogramOptions {
  /** Whether native histograms are read at all. */
  readonly native: boolean;
  /** Whether the classic series of a histogram are given out beside a native one. */
  readonly classic: boolean;
  /** Whether classic histograms become native ones with custom buckets. */
  readonly convert: boolean;
}

export const classicOnly: HistogramOptions = { native: false, classic: false, convert: false };

export interface ExpositionParser {
  /**
   * Moves to the next entry. Throws a ParseError where the page breaks the rules of its format; the parser must not be
   * used after that. After {@link Entry.eof} it stays there.
   */
  next(): Entry;

  /** After type, help and unit: the metric family. */
  familyName(): string;
  /** After type: the family's type. */
  readonly metricType: MetricType;
  /** After help, unit and comment: the text, unescaped. */
  text(): string;

  /**
   * After series: bytes that identify the series within its page. Equal bytes mean equal labels as long as no TYPE line
   * changes; Prometheus remembers series by them, and so do we.
   */
  seriesKey(): Uint8Array;
  /** After series: name, value, …, sorted by name, `__name__` included. Not cleaned: names may repeat, values be empty. */
  labels(): string[];
  /** After series: its value in element 0, bit by bit. Every NaN of a text is Prometheus's ordinary NaN. */
  readonly value: Float64Array;
  /** After series: whether the page gives the sample a time, and which (ms). */
  readonly hasTimestamp: boolean;
  readonly t: number;
  /** After series and histogram: since when the sample counts (ms), where the page tells; 0 otherwise. */
  startTime(): number;
  /** After series: the sample's exemplar. Asking again gives the same. */
  exemplar(): ParsedExemplar | undefined;

  /**
   * After histogram: it. Key, labels and time are as after series. Parsers of lines have none: converted-histograms.ts
   * makes them.
   */
  readonly histogram?: Histogram | undefined;
  /** After histogram: its exemplars, each with a time. */
  histogramExemplars?(): readonly ParsedExemplar[];
}

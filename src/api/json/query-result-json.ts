/**
 * A query's result as the API's JSON, from the engine's columns straight to bytes; runs in the query thread.
 *
 * `{"resultType":"matrix","result":[{"metric":{…},"values":[[<seconds>,"<value>"],…]},…]}`
 *
 * Native histograms stand under `histogram` and `histograms` in place of the value (histogram-json.ts); a series that
 * has both kinds has both lists.
 *
 * Scalars and strings go through Go's general marshaller in Prometheus (a time without padded zeros, values never with
 * an exponent, strings HTML-escaped), vectors and matrices through its own; both are kept.
 */
import { formatFloat } from "../../model/format-float.ts";
import type { Histogram } from "../../model/histogram.ts";
import type { Labels } from "../../model/labels.ts";
import type { Histograms } from "../../promql/column.ts";
import type { GridMatrix, QueryValue, SampleMatrix, VectorValue } from "../../promql/result.ts";
import { goJson } from "./go-json.ts";
import { histogramJson } from "./histogram-json.ts";
import { numberBytesMax, writeSampleValue, writeTimestamp } from "./json-number.ts";
import type { JsonWriter } from "./json-writer.ts";
import { labelsJson } from "./labels-json.ts";

const comma = 0x2c;
const quote = 0x22;
const open = 0x5b;
const close = 0x5d;
const wordBytes = 8;
/** A value of at most three words is copied where it repeats. */
const copiedBytesMax = 3 * wordBytes;
/** `,[<time>,"<value>"]` */
const pointBytesMax = 2 * numberBytesMax + 6;
const gridPointBytesUsual = 30;
/** The same, its value copied as three words. */
const gridPointBytesMax = 4 * wordBytes + numberBytesMax + 2;

/** At most `limit` series (0: all); returns whether some were left out. */
export function writeQueryValue(writer: JsonWriter, value: QueryValue, limit: number): boolean {
  writer.raw(`{"resultType":"${value.type}","result":`);
  switch (value.type) {
    case "scalar":
      writer.raw(goJson([value.t / 1000, formatFloat(value.value)]));
      return false;
    case "string":
      writer.raw(goJson([value.t / 1000, value.text]));
      return false;
    case "vector":
      writeVector(writer, value, shownOf(value.labels, limit));
      break;
    case "matrix":
      if (value.form === "grid") writeGrid(writer, value, shownOf(value.labels, limit));
      else writeSamples(writer, value, shownOf(value.labels, limit));
  }
  return limit > 0 && value.labels.length > limit;
}

function shownOf(labels: readonly Labels[], limit: number): number {
  return limit > 0 ? Math.min(limit, labels.length) : labels.length;
}

function writeVector(writer: JsonWriter, vector: VectorValue, shown: number): void {
  writer.byte(open);
  for (let i = 0; i < shown; i++) {
    writer.raw(`${i === 0 ? "" : ","}{"metric":${labelsJson(vector.labels[i])},`);
    const histogram = vector.histograms?.[i];
    if (histogram !== undefined) {
      writer.raw('"histogram":');
      writeHistogramPoint(writer, vector.t, histogram);
      writer.raw("}");
      continue;
    }
    writer.raw('"value":');
    const bytes = writer.reserve(pointBytesMax);
    writer.advance(writePoint(bytes, writer.length, vector.t, vector.values[i]));
    writer.raw("}");
  }
  writer.byte(close);
}

/** `[<time>,{…}]` */
function writeHistogramPoint(writer: JsonWriter, t: number, histogram: Histogram): void {
  const bytes = writer.reserve(pointBytesMax);
  let at = writer.length;
  bytes[at++] = open;
  at = writeTimestamp(bytes, at, t);
  bytes[at++] = comma;
  writer.advance(at);
  writer.raw(histogramJson(histogram));
  writer.byte(close);
}

/** The end of a series' object, after its labels: `"values":[…],"histograms":[…]}`, without a list that is empty. */
function writeMixed(
  writer: JsonWriter,
  n: number,
  timeOf: (k: number) => number,
  isPresent: (k: number) => boolean,
  valueAt: (k: number) => number,
  histograms: Histograms,
): void {
  let floats = 0;
  for (let k = 0; k < n; k++) {
    if (!isPresent(k) || histograms[k] !== undefined) continue;
    writer.raw(floats++ === 0 ? '"values":[' : ",");
    const bytes = writer.reserve(pointBytesMax);
    writer.advance(writePoint(bytes, writer.length, timeOf(k), valueAt(k)));
  }
  if (floats > 0) writer.byte(close);
  let written = 0;
  for (let k = 0; k < n; k++) {
    const histogram = histograms[k];
    if (histogram === undefined || !isPresent(k)) continue;
    writer.raw(written++ > 0 ? "," : floats > 0 ? ',"histograms":[' : '"histograms":[');
    writeHistogramPoint(writer, timeOf(k), histogram);
  }
  if (written > 0) writer.byte(close);
  writer.raw("}");
}

/** `[<time>,"<value>"]`; returns where it ends. */
function writePoint(bytes: Uint8Array, at: number, t: number, value: number): number {
  bytes[at++] = open;
  at = writeTimestamp(bytes, at, t);
  bytes[at++] = comma;
  bytes[at++] = quote;
  at = writeSampleValue(bytes, at, value);
  bytes[at++] = quote;
  bytes[at++] = close;
  return at;
}

/**
 * All series lie on one grid: the text around every step's time is made once and then copied eight bytes at a time
 * (measured: 4 instead of 11 ms for 1,600 series of 120 points), as is a value that repeats.
 */
function writeGrid(writer: JsonWriter, matrix: GridMatrix, shown: number): void {
  const prefixes = new GridPrefixes(matrix.startMs, matrix.stepMs, matrix.steps);
  writer.reserve(shown * matrix.steps * gridPointBytesUsual);
  writer.byte(open);
  for (let i = 0; i < shown; i++) {
    writer.raw(`${i === 0 ? "" : ","}{"metric":${labelsJson(matrix.labels[i])},`);
    const histograms = matrix.histograms?.get(i);
    if (histograms !== undefined) {
      writeMixedGrid(writer, matrix, i, histograms);
      continue;
    }
    writer.raw('"values":');
    const bytes = writer.reserve(matrix.steps * gridPointBytesMax + wordBytes * 4);
    const start = writer.length;
    const end = writeGridPoints(bytes, writer.view, start, matrix, i * matrix.steps, prefixes);
    bytes[start] = open; // where the first point has its comma
    writer.advance(end);
    writer.raw("]}");
  }
  writer.byte(close);
}

function writeMixedGrid(
  writer: JsonWriter,
  { startMs, stepMs, steps, values, present }: GridMatrix,
  row: number,
  histograms: Histograms,
): void {
  const first = row * steps;
  writeMixed(
    writer,
    steps,
    (k) => startMs + k * stepMs,
    (k) => present[first + k] === 1,
    (k) => values[first + k],
    histograms,
  );
}

/**
 * Copies whole words, so up to 31 bytes after the end are scratch. Words are moved as floats, which never changes
 * them: in ASCII no eight bytes look like a NaN.
 */
function writeGridPoints(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  matrix: GridMatrix,
  base: number,
  prefixes: GridPrefixes,
): number {
  const { values, present, steps } = matrix;
  const { words, lengths } = prefixes;
  let previous = 0;
  let previousStart = 0;
  let previousLength = 0;
  for (let k = 0; k < steps; k++) {
    if (present[base + k] === 0) continue;
    view.setFloat64(at, words[4 * k], true);
    view.setFloat64(at + 8, words[4 * k + 1], true);
    view.setFloat64(at + 16, words[4 * k + 2], true);
    view.setFloat64(at + 24, words[4 * k + 3], true);
    at += lengths[k];
    const value = values[base + k];
    if (value === previous && value !== 0 && previousLength <= copiedBytesMax) {
      view.setFloat64(at, view.getFloat64(previousStart, true), true);
      view.setFloat64(at + 8, view.getFloat64(previousStart + 8, true), true);
      view.setFloat64(at + 16, view.getFloat64(previousStart + 16, true), true);
      at += previousLength;
    } else {
      previousStart = at;
      at = writeSampleValue(bytes, at, value);
      previousLength = at - previousStart;
      previous = value;
    }
    bytes[at++] = quote;
    bytes[at++] = close;
  }
  return at;
}

/** `,[<time>,"` for every step k: lengths[k] bytes in the four little-endian words from words[4 * k] on. */
class GridPrefixes {
  readonly words: Float64Array;
  readonly lengths: Uint8Array;

  constructor(startMs: number, stepMs: number, steps: number) {
    this.words = new Float64Array(4 * steps);
    this.lengths = new Uint8Array(steps);
    const text = new Uint8Array(this.words.length * wordBytes);
    for (let k = 0; k < steps; k++) {
      const start = 4 * wordBytes * k;
      text[start] = comma;
      text[start + 1] = open;
      let at = writeTimestamp(text, start + 2, startMs + k * stepMs);
      text[at++] = comma;
      text[at++] = quote;
      this.lengths[k] = at - start;
    }
    const view = new DataView(text.buffer);
    for (let i = 0; i < this.words.length; i++) this.words[i] = view.getFloat64(i * wordBytes, true);
  }
}

function writeSamples(writer: JsonWriter, matrix: SampleMatrix, shown: number): void {
  writer.byte(open);
  const { t, v, offsets, histograms } = matrix;
  for (let i = 0; i < shown; i++) {
    writer.raw(`${i === 0 ? "" : ","}{"metric":${labelsJson(matrix.labels[i])},`);
    const first = offsets[i];
    const ofSeries = histograms?.slice(first, offsets[i + 1]);
    if (ofSeries?.some((histogram) => histogram !== undefined)) {
      const n = offsets[i + 1] - first;
      writeMixed(
        writer,
        n,
        (k) => t[first + k],
        () => true,
        (k) => v[first + k],
        ofSeries,
      );
      continue;
    }
    writer.raw('"values":');
    const bytes = writer.reserve((matrix.offsets[i + 1] - matrix.offsets[i]) * pointBytesMax + 1);
    writer.advance(writeSamplePoints(bytes, writer.length, matrix, i));
    writer.raw("]}");
  }
  writer.byte(close);
}

function writeSamplePoints(bytes: Uint8Array, at: number, matrix: SampleMatrix, series: number): number {
  const { t, v, offsets } = matrix;
  let separator = open;
  for (let k = offsets[series]; k < offsets[series + 1]; k++) {
    bytes[at++] = separator;
    separator = comma;
    at = writePoint(bytes, at, t[k], v[k]);
  }
  return at;
}

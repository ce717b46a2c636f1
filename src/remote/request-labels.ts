/** Reads the labels and exemplars of a series in a write request: for series that the head does not know yet. */
import { decodeUtf8 } from "../base/bytes.ts";
import { compareUtf8 } from "../base/strings.ts";
import { Labels, metricName } from "../model/labels.ts";
import type { Exemplar } from "../storage/appender.ts";
import type { WireCursor } from "./wire.ts";
import { exemplar, label, timeSeries, type WriteRequest } from "./write-request.ts";

/** The labels of a series and, where they are not acceptable, why; empty ones are dropped. */
export interface RequestLabels {
  readonly labels: Labels;
  /** "" if all is well. */
  readonly problem: string;
}

/** All labels of series `index`, wherever they stand in its message. */
export function readLabels(request: WriteRequest, index: number): RequestLabels {
  const { cursor } = request;
  const end = request.seriesEnd[index];
  const pairs: (readonly [string, string])[] = [];
  let isUtf8 = true;
  cursor.at = request.seriesStart[index];
  for (;;) {
    const field = cursor.field(timeSeries, end);
    if (field === 0) break;
    const fieldEnd = cursor.contentEnd(end);
    if (field === 1) isUtf8 = readLabel(cursor, fieldEnd, pairs) && isUtf8;
    cursor.at = fieldEnd;
  }
  return { labels: Labels.of(pairs), problem: problemOf(pairs, isUtf8) };
}

/** The exemplars of series `index`. */
export function readExemplars(request: WriteRequest, index: number): Exemplar[] {
  const { cursor } = request;
  const end = request.seriesEnd[index];
  const found: Exemplar[] = [];
  cursor.at = request.seriesStart[index];
  for (;;) {
    const field = cursor.field(timeSeries, end);
    if (field === 0) return found;
    const fieldEnd = cursor.contentEnd(end);
    if (field === 3) found.push(readExemplar(cursor, fieldEnd));
    cursor.at = fieldEnd;
  }
}

function readExemplar(cursor: WireCursor, end: number): Exemplar {
  const pairs: (readonly [string, string])[] = [];
  const value = new Float64Array(1);
  const words = new Uint32Array(value.buffer);
  let t = 0;
  for (;;) {
    const field = cursor.field(exemplar, end);
    if (field === 0) break;
    if (field === 1) readLabel(cursor, cursor.contentEnd(end), pairs);
    else if (field === 2) cursor.fixed64(words, 0, end);
    else t = cursor.int64(end);
  }
  return { labels: Labels.of(pairs), value: value[0], t, hasTimestamp: t !== 0 };
}

/** Appends one label; returns whether it is UTF-8. */
function readLabel(cursor: WireCursor, end: number, pairs: (readonly [string, string])[]): boolean {
  let name = "";
  let value = "";
  let isUtf8 = true;
  for (;;) {
    const field = cursor.field(label, end);
    if (field === 0) break;
    const contentEnd = cursor.contentEnd(end);
    const text = cursor.bytes.subarray(cursor.at, contentEnd);
    const decoded = decodeUtf8(text);
    // U+FFFD in the text is either a character of it or stands for bytes that are none.
    isUtf8 = isUtf8 && (!decoded.includes("\ufffd") || isValidUtf8(text));
    if (field === 1) name = decoded;
    else value = decoded;
    cursor.at = contentEnd;
  }
  pairs.push([name, value]);
  return isUtf8;
}

function isValidUtf8(text: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(text);
    return true;
  } catch {
    return false;
  }
}

/** Prometheus's rules: a metric name, no empty or doubled label name, UTF-8 everywhere. */
function problemOf(pairs: readonly (readonly [string, string])[], isUtf8: boolean): string {
  const names = pairs.map(([name]) => name).sort(compareUtf8);
  if (!isUtf8 || names.includes("") || !pairs.some(([name, value]) => name === metricName && value !== "")) {
    return "Invalid metric names or labels";
  }
  const doubled = names.find((name, i) => name === names[i + 1]);
  return doubled === undefined ? "" : `Invalid labels for series: ${doubled} is there twice`;
}

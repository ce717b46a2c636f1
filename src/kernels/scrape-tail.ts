/**
 * What follows a sample's value on its line: a timestamp, in OpenMetrics also an exemplar. Read here are the plain
 * forms; for any other, 0 is returned and the full parser decides.
 */
import { Format } from "./scrape-layout.ts";
import { lastNumber, readNumber } from "./scrape-number.ts";

/** What {@link readTail} found, by index in {@link tail}. */
export const Tail = {
  /** 1: the sample has a timestamp. */
  timed: 0,
  /** 1: there is an exemplar, its labels at [labelsStart, labelsEnd), without braces; 1: it has a timestamp. */
  exemplar: 1,
  labelsStart: 2,
  labelsEnd: 3,
  exemplarTimed: 4,
} as const;

export const tail = new Uint32Array(5);
/** The sample's time (ms), the exemplar's value, the exemplar's time (ms). */
export const tailNumbers = new Float64Array(3);

const newline = 0x0a;
const space = 0x20;
const tab = 0x09;
const quote = 0x22;
/** Integers of so many digits are exact. */
const exactDigits = 15;
/** Beyond, milliseconds are no longer exact integers. */
const timeMax = 2 ** 53;

/** Reads from behind the value to the line's end; returns the address of the next line, 0 for the unusual. */
export function readTail(u8: Uint8Array, at: number, format: number): number {
  tail[Tail.timed] = 0;
  tail[Tail.exemplar] = 0;
  if (u8[at] === newline) return at + 1;
  return format === Format.text ? readTextTail(u8, at) : readOpenMetricsTail(u8, at);
}

function readTextTail(u8: Uint8Array, at: number): number {
  const start = skipBlanks(u8, at);
  if (start === at) return 0;
  if (u8[start] === newline) return start + 1;
  at = start;
  let t = 0;
  let c = u8[at] - 0x30;
  while (c >= 0 && c <= 9) {
    t = t * 10 + c;
    c = u8[++at] - 0x30;
  }
  if (at === start || at - start > exactDigits) return 0;
  tail[Tail.timed] = 1;
  tailNumbers[0] = t;
  at = skipBlanks(u8, at);
  return u8[at] === newline ? at + 1 : 0;
}

function skipBlanks(u8: Uint8Array, at: number): number {
  while (u8[at] === space || u8[at] === tab) at++;
  return at;
}

function readOpenMetricsTail(u8: Uint8Array, at: number): number {
  if (u8[at] !== space) return 0;
  if (u8[at + 1] !== 0x23) {
    const value = lastNumber[0];
    at = readTime(u8, at + 1, 0);
    lastNumber[0] = value;
    if (at === 0) return 0;
    tail[Tail.timed] = 1;
    if (u8[at] === newline) return at + 1;
    if (u8[at] !== space || u8[at + 1] !== 0x23) return 0;
  }
  return u8[at + 2] === space && u8[at + 3] === 0x7b ? readExemplar(u8, at + 4) : 0;
}

/** Seconds with a fraction, cut to milliseconds, into `tailNumbers[index]`. */
function readTime(u8: Uint8Array, at: number, index: number): number {
  const end = readNumber(u8, at);
  const t = Math.trunc(lastNumber[0] * 1000);
  if (end === 0 || !(Math.abs(t) < timeMax)) return 0;
  // Adding 0 turns -0 into 0.
  tailNumbers[index] = t + 0;
  return end;
}

/** `name="value",…} value[ time]`, in ASCII and without escapes. */
function readExemplar(u8: Uint8Array, start: number): number {
  let at = start;
  while (u8[at] !== 0x7d) {
    at = readLabel(u8, at);
    if (at === 0) return 0;
    if (u8[at] === 0x2c) at++;
    else if (u8[at] !== 0x7d) return 0;
  }
  tail[Tail.labelsStart] = start;
  tail[Tail.labelsEnd] = at;
  if (u8[at + 1] !== space) return 0;
  const value = lastNumber[0];
  at = readExemplarNumbers(u8, at + 2);
  lastNumber[0] = value;
  tail[Tail.exemplar] = 1;
  return at;
}

function readExemplarNumbers(u8: Uint8Array, at: number): number {
  at = readNumber(u8, at);
  if (at === 0) return 0;
  tailNumbers[1] = lastNumber[0];
  tail[Tail.exemplarTimed] = 0;
  tailNumbers[2] = 0;
  if (u8[at] === newline) return at + 1;
  if (u8[at] !== space) return 0;
  at = readTime(u8, at + 1, 2);
  tail[Tail.exemplarTimed] = 1;
  return at !== 0 && u8[at] === newline ? at + 1 : 0;
}

function readLabel(u8: Uint8Array, at: number): number {
  const start = at;
  let c = u8[at];
  while (isLabelByte(c)) c = u8[++at];
  const first = u8[start];
  if (at === start || (first >= 0x30 && first <= 0x39) || c !== 0x3d || u8[at + 1] !== quote) return 0;
  at += 2;
  for (c = u8[at]; c !== quote; c = u8[++at])
    if (c >= 0x80 || c === 0x5c || c === newline || c === 0) return 0;
  return at + 1;
}

function isLabelByte(c: number): boolean {
  const letter = c | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f;
}

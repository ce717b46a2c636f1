/**
 * The scanner: reads the lines of a page's window into columns (series slot, ref, time, value), for as long as each
 * line's series part is byte for byte one that the full parser has accepted before, in the same format. It never
 * decides what a line means: whatever is new or unusual goes back to the caller, who asks the full parser.
 *
 * Which series a line belongs to is first guessed (line i of this page is what stood behind line i - 1's key on the
 * last one) and otherwise looked up in a hash table; either way the key's bytes are compared. A hit in the table puts
 * the guess right again, so that a line that was inserted or removed costs one lookup.
 *
 * assembly/scrape.kernel.ts is the same in WebAssembly; this is its oracle and fallback. Memory: scrape-layout.ts.
 * bench/kernels-scrape.mjs measures both.
 */
import { hashBytes } from "./label-hash.ts";
import {
  Control,
  columnLength,
  controlAddress,
  exemplarEndColumn,
  exemplarLength,
  exemplarSampleColumn,
  exemplarStartColumn,
  exemplarTimeColumn,
  exemplarTimedColumn,
  exemplarValueColumn,
  explicitTime,
  Format,
  formatShift,
  Kind,
  kindMask,
  markFlag,
  refColumn,
  Slot,
  Status,
  slotColumn,
  slotWords,
  timeColumn,
  typeShift,
  valueColumn,
} from "./scrape-layout.ts";
import { lastNumber, readNumber } from "./scrape-number.ts";
import { readTail, Tail, tail, tailNumbers } from "./scrape-tail.ts";

const control = controlAddress >> 2;
const newline = 0x0a;
const space = 0x20;
const tab = 0x09;

/** Reads on from the control block's position; returns a Status. The arrays are views of the whole memory. */
export function scanPage(u8: Uint8Array, u32: Uint32Array, f64: Float64Array): number {
  const format = u32[control + Control.format];
  const end = u32[control + Control.end];
  let at = u32[control + Control.position];
  const resumed = u32[control + Control.resumeSlot];
  if (resumed !== 0) {
    u32[control + Control.resumeSlot] = 0;
    lastNumber[0] = f64[(control + Control.resumeValue) >> 1];
    const next = readTail(u8, at, format);
    if (next === 0) return stop(u32, u32[control + Control.lineStart], Status.line);
    emit(u32, f64, resumed);
    at = next;
  }
  while (at < end) {
    if (format === Format.text && u8[at] === newline) {
      at++;
      continue;
    }
    if (isColumnFull(u32)) return stop(u32, at, Status.columnsFull);
    if (u32[control + Control.orderLength] === u32[control + Control.orderCapacity])
      return stop(u32, at, Status.orderFull);
    const slot = findSlot(u8, u32, at, end, format);
    if (slot === 0) return stop(u32, at, Status.line);
    const word = entryOf(u32, slot);
    const packed = u32[word + Slot.lengthAndFlags];
    const behind = at + (packed & 0xffffff);
    if (((packed >>> 24) & kindMask) === Kind.comment) {
      if (u8[behind] === 0) return stop(u32, at, Status.line);
      emitComment(u32, slot);
      at = behind;
      continue;
    }
    const number = skipToNumber(u8, behind, format, packed >>> 24);
    if (number === 0) return stop(u32, at, Status.line);
    const numberEnd = readNumber(u8, number);
    if (numberEnd === 0) return stopAtNumber(u8, u32, at, number, slot);
    const next = readTail(u8, numberEnd, format);
    if (next === 0) return stop(u32, at, Status.line);
    emit(u32, f64, slot);
    at = next;
  }
  return stop(u32, at, Status.windowEnd);
}

function stop(u32: Uint32Array, position: number, status: number): number {
  u32[control + Control.position] = position;
  return status;
}

function stopAtNumber(
  u8: Uint8Array,
  u32: Uint32Array,
  lineStart: number,
  number: number,
  slot: number,
): number {
  let at = number;
  while (u8[at] !== space && u8[at] !== tab && u8[at] !== newline) at++;
  if (at === number) return stop(u32, lineStart, Status.line);
  u32[control + Control.lineStart] = lineStart;
  u32[control + Control.numberEnd] = at;
  u32[control + Control.resumeSlot] = slot;
  return stop(u32, number, Status.number);
}

function isColumnFull(u32: Uint32Array): boolean {
  return (
    u32[control + Control.samples] === columnLength || u32[control + Control.exemplars] === exemplarLength
  );
}

function entryOf(u32: Uint32Array, slot: number): number {
  return (u32[control + Control.entries] >> 2) + slot * slotWords;
}

/** The slot whose key stands at `at`; 0 where there is none. */
function findSlot(u8: Uint8Array, u32: Uint32Array, at: number, end: number, format: number): number {
  const predicted = u32[control + Control.predicted];
  if (predicted < u32[control + Control.previousLength]) {
    const slot = u32[(u32[control + Control.previousOrder] >> 2) + predicted];
    if (hasKey(u8, u32, slot, at, end, format)) {
      u32[control + Control.predicted] = predicted + 1;
      return slot;
    }
  }
  const keyEnd = findKeyEnd(u8, at, end, format);
  if (keyEnd === 0) return 0;
  const hash = hashBytes(u8, at, keyEnd, u32[control + Control.hashSeed]);
  const table = u32[control + Control.table] >> 2;
  const mask = u32[control + Control.tableMask];
  for (let i = hash & mask; ; i = (i + 1) & mask) {
    const slot = u32[table + i];
    if (slot === 0) return 0;
    const word = entryOf(u32, slot);
    if (
      u32[word + Slot.hash] === hash &&
      (u32[word + Slot.lengthAndFlags] & 0xffffff) === keyEnd - at &&
      hasKey(u8, u32, slot, at, end, format)
    ) {
      u32[control + Control.predicted] = u32[word + Slot.order] + 1;
      return slot;
    }
  }
}

/** Whether `slot` may be used for this page as it is, and its key stands at `at`. */
function hasKey(
  u8: Uint8Array,
  u32: Uint32Array,
  slot: number,
  at: number,
  end: number,
  format: number,
): boolean {
  const word = entryOf(u32, slot);
  const packed = u32[word + Slot.lengthAndFlags];
  const flags = packed >>> 24;
  const kind = flags & kindMask;
  if (kind === Kind.free || ((flags >>> formatShift) & 3) !== format) return false;
  if (kind === Kind.series && u32[word + Slot.ref] === 0) return false;
  const length = packed & 0xffffff;
  if (at + length > end) return false;
  const key = u32[control + Control.keys] + u32[word + Slot.key];
  for (let i = 0; i < length; i++) if (u8[key + i] !== u8[at + i]) return false;
  return true;
}

/** Where the key of the line at `at` ends: a comment's with its line, a series's with its name or its braces. */
function findKeyEnd(u8: Uint8Array, at: number, end: number, format: number): number {
  if (format === Format.text) at = skipBlanks(u8, at);
  if (u8[at] === 0x23) {
    while (u8[at] !== newline) at++;
    return at + 1;
  }
  while (isNameByte(u8[at])) at++;
  const brace = format === Format.text ? skipBlanks(u8, at) : at;
  return u8[brace] === 0x7b ? findBrace(u8, brace + 1, end) : at;
}

/** Behind the brace that closes the labels; 0 where there is none. */
function findBrace(u8: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const c = u8[at];
    if (c === 0x7d) return at + 1;
    if (c === newline) return 0;
    if (c !== 0x22) continue;
    for (at++; at < end && u8[at] !== 0x22; at++) if (u8[at] === 0x5c) at++;
  }
  return 0;
}

function isNameByte(c: number): boolean {
  const letter = c | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (c >= 0x30 && c <= 0x3a) || c === 0x5f;
}

function skipBlanks(u8: Uint8Array, at: number): number {
  while (u8[at] === space || u8[at] === tab) at++;
  return at;
}

/** From behind the key to the value; 0 where the line is unusual there, or the key only the beginning of another. */
function skipToNumber(u8: Uint8Array, at: number, format: number, flags: number): number {
  if (format === Format.openMetrics) return u8[at] === space ? at + 1 : 0;
  const number = skipBlanks(u8, at);
  if (number === at && (flags & markFlag) !== 0) return 0;
  return number;
}

/** Counts the line in, unless the entry was already seen in this scrape: then it returns false. */
function see(u32: Uint32Array, slot: number): boolean {
  const word = entryOf(u32, slot);
  const length = u32[control + Control.orderLength];
  u32[(u32[control + Control.order] >> 2) + length] = slot;
  u32[control + Control.orderLength] = length + 1;
  u32[word + Slot.order] = length;
  const iteration = u32[control + Control.iteration];
  if (u32[word + Slot.seen] === iteration) return false;
  u32[word + Slot.seen] = iteration;
  u32[control + Control.seen]++;
  return true;
}

function emitComment(u32: Uint32Array, slot: number): void {
  see(u32, slot);
  const flags = u32[entryOf(u32, slot) + Slot.lengthAndFlags] >>> 24;
  if ((flags & markFlag) !== 0) u32[control + Control.typeCode] = (flags >>> typeShift) & 7;
}

/** The sample whose value is in `lastNumber` and whose rest is in `tail`: counted, and written to the columns. */
function emit(u32: Uint32Array, f64: Float64Array, slot: number): void {
  const word = entryOf(u32, slot);
  const first = see(u32, slot);
  u32[control + Control.total]++;
  if (((u32[word + Slot.lengthAndFlags] >>> 24) & kindMask) === Kind.dropped) return;
  u32[control + Control.added]++;
  const explicit = tail[Tail.timed] !== 0 && u32[control + Control.honorTimestamps] !== 0;
  if (!first && !explicit) {
    u32[control + Control.duplicates]++;
    return;
  }
  const n = u32[control + Control.samples];
  u32[control + Control.samples] = n + 1;
  u32[(slotColumn >> 2) + n] = explicit ? slot | explicitTime : slot;
  u32[(refColumn >> 2) + n] = u32[word + Slot.ref];
  f64[(timeColumn >> 3) + n] = explicit ? tailNumbers[0] : f64[(control + Control.defaultTime) >> 1];
  setValue(u32, f64, (valueColumn >> 3) + n);
  if (tail[Tail.exemplar] !== 0) emitExemplar(u32, f64, n);
}

/** Every NaN of a text is the ordinary NaN, 0x7ff8000000000001. */
function setValue(u32: Uint32Array, f64: Float64Array, index: number): void {
  const value = lastNumber[0];
  f64[index] = value;
  // biome-ignore lint/suspicious/noSelfCompare: the quickest test for NaN
  if (value !== value) {
    u32[2 * index] = 1;
    u32[2 * index + 1] = 0x7ff80000;
  }
}

function emitExemplar(u32: Uint32Array, f64: Float64Array, sample: number): void {
  const n = u32[control + Control.exemplars];
  u32[control + Control.exemplars] = n + 1;
  u32[(exemplarSampleColumn >> 2) + n] = sample;
  u32[(exemplarStartColumn >> 2) + n] = tail[Tail.labelsStart];
  u32[(exemplarEndColumn >> 2) + n] = tail[Tail.labelsEnd];
  u32[(exemplarTimedColumn >> 2) + n] = tail[Tail.exemplarTimed];
  f64[(exemplarTimeColumn >> 3) + n] = tailNumbers[2];
  f64[(exemplarValueColumn >> 3) + n] = tailNumbers[1];
}

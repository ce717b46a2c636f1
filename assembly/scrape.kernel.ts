// The scanner of src/kernels/scrape-scan.ts in WebAssembly: the same functions over the same memory (see
// src/kernels/scrape-layout.ts), with the same results. Differences: keys are compared 16 bytes at a time, and numbers
// of up to 19 digits that need more than one rounding are read here too (Eisel-Lemire) instead of by the caller.
import { hashBytes } from "./label-hash";
import { lastNumber, readNumber, restoreNumber } from "./scrape-number";

// Control block: byte addresses.
const CONTROL: usize = 16 * 1024;
const POSITION: usize = CONTROL;
const END: usize = CONTROL + 4;
const FORMAT: usize = CONTROL + 8;
const ITERATION: usize = CONTROL + 12;
const ENTRIES: usize = CONTROL + 16;
const KEYS: usize = CONTROL + 20;
const PREVIOUS_ORDER: usize = CONTROL + 24;
const PREVIOUS_LENGTH: usize = CONTROL + 28;
const PREDICTED: usize = CONTROL + 32;
const ORDER: usize = CONTROL + 36;
const ORDER_LENGTH: usize = CONTROL + 40;
const ORDER_CAPACITY: usize = CONTROL + 44;
const TABLE: usize = CONTROL + 48;
const TABLE_MASK: usize = CONTROL + 52;
const HASH_SEED: usize = CONTROL + 56;
const HONOR_TIMESTAMPS: usize = CONTROL + 60;
const SAMPLES: usize = CONTROL + 64;
const EXEMPLARS: usize = CONTROL + 68;
const TOTAL: usize = CONTROL + 72;
const ADDED: usize = CONTROL + 76;
const DUPLICATES: usize = CONTROL + 80;
const SEEN: usize = CONTROL + 84;
const TYPE_CODE: usize = CONTROL + 88;
const RESUME_SLOT: usize = CONTROL + 92;
const NUMBER_END: usize = CONTROL + 96;
const LINE_START: usize = CONTROL + 100;
const DEFAULT_TIME: usize = CONTROL + 104;
const RESUME_VALUE: usize = CONTROL + 112;

const STATUS_WINDOW_END: u32 = 0;
const STATUS_LINE: u32 = 1;
const STATUS_NUMBER: u32 = 2;
const STATUS_COLUMNS_FULL: u32 = 3;
const STATUS_ORDER_FULL: u32 = 4;

const COLUMN_LENGTH: u32 = 4096;
const EXEMPLAR_LENGTH: u32 = 1024;
const SLOT_COLUMN: usize = CONTROL + 1024;
const REF_COLUMN: usize = SLOT_COLUMN + 4 * COLUMN_LENGTH;
const TIME_COLUMN: usize = REF_COLUMN + 4 * COLUMN_LENGTH;
const VALUE_COLUMN: usize = TIME_COLUMN + 8 * COLUMN_LENGTH;
const EXEMPLAR_SAMPLE_COLUMN: usize = VALUE_COLUMN + 8 * COLUMN_LENGTH;
const EXEMPLAR_START_COLUMN: usize = EXEMPLAR_SAMPLE_COLUMN + 4 * EXEMPLAR_LENGTH;
const EXEMPLAR_END_COLUMN: usize = EXEMPLAR_START_COLUMN + 4 * EXEMPLAR_LENGTH;
const EXEMPLAR_TIMED_COLUMN: usize = EXEMPLAR_END_COLUMN + 4 * EXEMPLAR_LENGTH;
const EXEMPLAR_TIME_COLUMN: usize = EXEMPLAR_TIMED_COLUMN + 4 * EXEMPLAR_LENGTH;
const EXEMPLAR_VALUE_COLUMN: usize = EXEMPLAR_TIME_COLUMN + 8 * EXEMPLAR_LENGTH;

const EXPLICIT_TIME: u32 = 0x80000000;

// An entry: byte offsets.
const SLOT_BYTES: usize = 32;
const KEY: usize = 0;
const LENGTH_AND_FLAGS: usize = 4;
const HASH: usize = 8;
const SEEN_AT: usize = 12;
const REF: usize = 20;
const ORDER_AT: usize = 24;

const KIND_FREE: u32 = 0;
const KIND_SERIES: u32 = 1;
const KIND_DROPPED: u32 = 2;
const KIND_COMMENT: u32 = 3;
const MARK_FLAG: u32 = 0x80;

const TEXT: u32 = 1;

const TAB: u32 = 0x09;
const NEWLINE: u32 = 0x0a;
const SPACE: u32 = 0x20;
const QUOTE: u32 = 0x22;

// What follows the value on the line.
let timed: bool = false;
let time: f64 = 0;
let hasExemplar: bool = false;
let labelsStart: usize = 0;
let labelsEnd: usize = 0;
let exemplarTimed: u32 = 0;
let exemplarTime: f64 = 0;
let exemplarValue: f64 = 0;

/** Reads on from the control block's position; returns a status. */
export function scan(): u32 {
  const format = load<u32>(FORMAT);
  const end: usize = load<u32>(END);
  let at: usize = load<u32>(POSITION);
  const resumed = load<u32>(RESUME_SLOT);
  if (resumed != 0) {
    store<u32>(RESUME_SLOT, 0);
    restoreNumber(load<f64>(RESUME_VALUE));
    const next = readTail(at, format);
    if (next == 0) return stop(load<u32>(LINE_START), STATUS_LINE);
    emit(entryOf(resumed), resumed);
    at = next;
  }
  while (at < end) {
    if (format == TEXT && load<u8>(at) == NEWLINE) {
      at++;
      continue;
    }
    if (load<u32>(SAMPLES) == COLUMN_LENGTH || load<u32>(EXEMPLARS) == EXEMPLAR_LENGTH)
      return stop(at, STATUS_COLUMNS_FULL);
    if (load<u32>(ORDER_LENGTH) == load<u32>(ORDER_CAPACITY)) return stop(at, STATUS_ORDER_FULL);
    const slot = findSlot(at, end, format);
    if (slot == 0) return stop(at, STATUS_LINE);
    const entry = entryOf(slot);
    const packed = load<u32>(entry, LENGTH_AND_FLAGS);
    const behind = at + (packed & 0xffffff);
    const flags = packed >> 24;
    if ((flags & 3) == KIND_COMMENT) {
      if (load<u8>(behind) == 0) return stop(at, STATUS_LINE);
      see(entry, slot);
      if ((flags & MARK_FLAG) != 0) store<u32>(TYPE_CODE, (flags >> 4) & 7);
      at = behind;
      continue;
    }
    const number = skipToNumber(behind, format, flags);
    if (number == 0) return stop(at, STATUS_LINE);
    const numberEnd = readNumber(number);
    if (numberEnd == 0) return stopAtNumber(at, number, slot);
    const next = readTail(numberEnd, format);
    if (next == 0) return stop(at, STATUS_LINE);
    emit(entry, slot);
    at = next;
  }
  return stop(at, STATUS_WINDOW_END);
}

// @ts-ignore: decorator
@inline
function stop(position: usize, status: u32): u32 {
  store<u32>(POSITION, position);
  return status;
}

function stopAtNumber(lineStart: usize, number: usize, slot: u32): u32 {
  let at = number;
  while (load<u8>(at) != SPACE && load<u8>(at) != TAB && load<u8>(at) != NEWLINE) at++;
  if (at == number) return stop(lineStart, STATUS_LINE);
  store<u32>(LINE_START, lineStart);
  store<u32>(NUMBER_END, at);
  store<u32>(RESUME_SLOT, slot);
  return stop(number, STATUS_NUMBER);
}

// @ts-ignore: decorator
@inline
function entryOf(slot: u32): usize {
  return <usize>load<u32>(ENTRIES) + <usize>slot * SLOT_BYTES;
}

// @ts-ignore: decorator
@inline
function findSlot(at: usize, end: usize, format: u32): u32 {
  const predicted = load<u32>(PREDICTED);
  if (predicted < load<u32>(PREVIOUS_LENGTH)) {
    const slot = load<u32>(<usize>load<u32>(PREVIOUS_ORDER) + 4 * predicted);
    if (hasKey(slot, at, end, format)) {
      store<u32>(PREDICTED, predicted + 1);
      return slot;
    }
  }
  return lookUp(at, end, format);
}

function lookUp(at: usize, end: usize, format: u32): u32 {
  const keyEnd = findKeyEnd(at, end, format);
  if (keyEnd == 0) return 0;
  const hash = hashBytes(at, keyEnd, load<u32>(HASH_SEED));
  const table: usize = load<u32>(TABLE);
  const mask = load<u32>(TABLE_MASK);
  const length = <u32>(keyEnd - at);
  let i = hash & mask;
  let slot = load<u32>(table + 4 * i);
  while (slot != 0) {
    const entry = entryOf(slot);
    if (
      load<u32>(entry, HASH) == hash &&
      (load<u32>(entry, LENGTH_AND_FLAGS) & 0xffffff) == length &&
      hasKey(slot, at, end, format)
    ) {
      store<u32>(PREDICTED, load<u32>(entry, ORDER_AT) + 1);
      break;
    }
    i = (i + 1) & mask;
    slot = load<u32>(table + 4 * i);
  }
  return slot;
}

// @ts-ignore: decorator
@inline
function hasKey(slot: u32, at: usize, end: usize, format: u32): bool {
  const entry = entryOf(slot);
  const packed = load<u32>(entry, LENGTH_AND_FLAGS);
  const flags = packed >> 24;
  const kind = flags & 3;
  if (kind == KIND_FREE || ((flags >> 2) & 3) != format) return false;
  if (kind == KIND_SERIES && load<u32>(entry, REF) == 0) return false;
  const length: usize = packed & 0xffffff;
  if (at + length > end) return false;
  return equalBytes(<usize>load<u32>(KEYS) + load<u32>(entry, KEY), at, length);
}

/** Reads up to 15 bytes behind both; what lies there does not matter. */
// @ts-ignore: decorator
@inline
function equalBytes(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  const rest = length - i;
  if (rest == 0) return true;
  if (length >= 16) {
    const last = length - 16;
    return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
  }
  if (rest >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    return load<u64>(a + length - 8) == load<u64>(b + length - 8);
  }
  const keep: u64 = ((<u64>1) << (8 * rest)) - 1;
  return ((load<u64>(a) ^ load<u64>(b)) & keep) == 0;
}

function findKeyEnd(at: usize, end: usize, format: u32): usize {
  if (format == TEXT) at = skipBlanks(at);
  if (load<u8>(at) == 0x23) {
    while (load<u8>(at) != NEWLINE) at++;
    return at + 1;
  }
  while (isNameByte(load<u8>(at))) at++;
  const brace = format == TEXT ? skipBlanks(at) : at;
  return load<u8>(brace) == 0x7b ? findBrace(brace + 1, end) : at;
}

function findBrace(at: usize, end: usize): usize {
  for (; at < end; at++) {
    const c: u32 = load<u8>(at);
    if (c == 0x7d) return at + 1;
    if (c == NEWLINE) return 0;
    if (c != QUOTE) continue;
    for (at++; at < end && load<u8>(at) != QUOTE; at++) if (load<u8>(at) == 0x5c) at++;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function isNameByte(c: u32): bool {
  return ((c | 0x20) - 0x61 < 26) || (c - 0x30 < 11) || c == 0x5f;
}

// @ts-ignore: decorator
@inline
function skipBlanks(at: usize): usize {
  while (load<u8>(at) == SPACE || load<u8>(at) == TAB) at++;
  return at;
}

// @ts-ignore: decorator
@inline
function skipToNumber(at: usize, format: u32, flags: u32): usize {
  if (format != TEXT) return load<u8>(at) == SPACE ? at + 1 : 0;
  const number = skipBlanks(at);
  if (number == at && (flags & MARK_FLAG) != 0) return 0;
  return number;
}

// @ts-ignore: decorator
@inline
function see(entry: usize, slot: u32): bool {
  const length = load<u32>(ORDER_LENGTH);
  store<u32>(<usize>load<u32>(ORDER) + 4 * length, slot);
  store<u32>(ORDER_LENGTH, length + 1);
  store<u32>(entry, length, ORDER_AT);
  const iteration = load<u32>(ITERATION);
  if (load<u32>(entry, SEEN_AT) == iteration) return false;
  store<u32>(entry, iteration, SEEN_AT);
  increment(SEEN);
  return true;
}

// @ts-ignore: decorator
@inline
function increment(address: usize): void {
  store<u32>(address, load<u32>(address) + 1);
}

// @ts-ignore: decorator
@inline
function emit(entry: usize, slot: u32): void {
  const first = see(entry, slot);
  increment(TOTAL);
  if (((load<u32>(entry, LENGTH_AND_FLAGS) >> 24) & 3) == KIND_DROPPED) return;
  increment(ADDED);
  const explicit = timed && load<u32>(HONOR_TIMESTAMPS) != 0;
  if (!first && !explicit) {
    increment(DUPLICATES);
    return;
  }
  const n = load<u32>(SAMPLES);
  store<u32>(SAMPLES, n + 1);
  store<u32>(SLOT_COLUMN + 4 * n, explicit ? slot | EXPLICIT_TIME : slot);
  store<u32>(REF_COLUMN + 4 * n, load<u32>(entry, REF));
  store<f64>(TIME_COLUMN + 8 * n, explicit ? time : load<f64>(DEFAULT_TIME));
  // Every NaN of a text is the ordinary NaN.
  if (lastNumber != lastNumber) store<u64>(VALUE_COLUMN + 8 * n, 0x7ff8000000000001);
  else store<f64>(VALUE_COLUMN + 8 * n, lastNumber);
  if (hasExemplar) emitExemplar(n);
}

function emitExemplar(sample: u32): void {
  const n = load<u32>(EXEMPLARS);
  store<u32>(EXEMPLARS, n + 1);
  store<u32>(EXEMPLAR_SAMPLE_COLUMN + 4 * n, sample);
  store<u32>(EXEMPLAR_START_COLUMN + 4 * n, labelsStart);
  store<u32>(EXEMPLAR_END_COLUMN + 4 * n, labelsEnd);
  store<u32>(EXEMPLAR_TIMED_COLUMN + 4 * n, exemplarTimed);
  store<f64>(EXEMPLAR_TIME_COLUMN + 8 * n, exemplarTime);
  store<f64>(EXEMPLAR_VALUE_COLUMN + 8 * n, exemplarValue);
}

/** From behind the value to the next line; 0 for the unusual. */
// @ts-ignore: decorator
@inline
function readTail(at: usize, format: u32): usize {
  timed = false;
  hasExemplar = false;
  if (load<u8>(at) == NEWLINE) return at + 1;
  return format == TEXT ? readTextTail(at) : readOpenMetricsTail(at);
}

function readTextTail(at: usize): usize {
  const start = skipBlanks(at);
  if (start == at) return 0;
  if (load<u8>(start) == NEWLINE) return start + 1;
  at = start;
  let t: u64 = 0;
  let c: u32 = <u32>load<u8>(at) - 0x30;
  while (c < 10) {
    t = t * 10 + c;
    c = <u32>load<u8>(++at) - 0x30;
  }
  if (at == start || at - start > 15) return 0;
  timed = true;
  time = <f64>t;
  at = skipBlanks(at);
  return load<u8>(at) == NEWLINE ? at + 1 : 0;
}

function readOpenMetricsTail(at: usize): usize {
  if (load<u8>(at) != SPACE) return 0;
  if (load<u8>(at + 1) != 0x23) {
    const value = lastNumber;
    at = readTime(at + 1);
    const t = lastNumber;
    restoreNumber(value);
    if (at == 0) return 0;
    timed = true;
    time = t;
    if (load<u8>(at) == NEWLINE) return at + 1;
    if (load<u8>(at) != SPACE || load<u8>(at + 1) != 0x23) return 0;
  }
  return load<u8>(at + 2) == SPACE && load<u8>(at + 3) == 0x7b ? readExemplar(at + 4) : 0;
}

/** Seconds with a fraction; leaves milliseconds, cut, in `lastNumber`. */
function readTime(at: usize): usize {
  const end = readNumber(at);
  const t = trunc(lastNumber * 1000);
  if (end == 0 || !(abs(t) < 9007199254740992)) return 0;
  // Adding 0 turns -0 into 0.
  restoreNumber(t + 0);
  return end;
}

function readExemplar(start: usize): usize {
  let at = start;
  while (load<u8>(at) != 0x7d) {
    at = readLabel(at);
    if (at == 0) return 0;
    if (load<u8>(at) == 0x2c) at++;
    else if (load<u8>(at) != 0x7d) return 0;
  }
  labelsStart = start;
  labelsEnd = at;
  if (load<u8>(at + 1) != SPACE) return 0;
  const value = lastNumber;
  at = readExemplarNumbers(at + 2);
  restoreNumber(value);
  hasExemplar = true;
  return at;
}

function readExemplarNumbers(at: usize): usize {
  at = readNumber(at);
  if (at == 0) return 0;
  exemplarValue = lastNumber;
  exemplarTimed = 0;
  exemplarTime = 0;
  if (load<u8>(at) == NEWLINE) return at + 1;
  if (load<u8>(at) != SPACE) return 0;
  at = readTime(at + 1);
  exemplarTime = lastNumber;
  exemplarTimed = 1;
  return at != 0 && load<u8>(at) == NEWLINE ? at + 1 : 0;
}

function readLabel(at: usize): usize {
  const start = at;
  let c: u32 = load<u8>(at);
  while (isLabelByte(c)) c = load<u8>(++at);
  const first: u32 = load<u8>(start);
  if (at == start || first - 0x30 < 10 || c != 0x3d || load<u8>(at + 1) != QUOTE) return 0;
  at += 2;
  for (c = load<u8>(at); c != QUOTE; c = load<u8>(++at)) {
    if (c >= 0x80 || c == 0x5c || c == NEWLINE || c == 0) return 0;
  }
  return at + 1;
}

// @ts-ignore: decorator
@inline
function isLabelByte(c: u32): bool {
  return ((c | 0x20) - 0x61 < 26) || (c - 0x30 < 10) || c == 0x5f;
}

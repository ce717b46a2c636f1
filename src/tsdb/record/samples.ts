/**
 * Float sample records, as columns.
 *
 * type 2  = 2 u8 | base walRef u64 | base time i64 | entry*
 * entry   = walRef - base varint | time - base varint | value f64
 *
 * type 11 = 11 u8 | first walRef varint | first time varint | first start time varint | value f64 | entry*
 * entry   = walRef - the one before varint | time - first varint | marker u8 [start time - first varint] | value f64
 * marker  = 0 no start time, 1 that of the sample before, 2 one of its own
 *
 * The first sample of type 2 has an entry too, with zero deltas. A record may end after its type byte.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { bodyOf, checkedRef, walRefLimit } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

/** Samples as parallel columns, used again for record after record. */
export class SampleBatch {
  walRefs: Float64Array;
  t: Float64Array;
  v: Float64Array;
  /** Start times (0 for none) of a record that has them; undefined for one of type 2. */
  starts: Float64Array | undefined;
  #startsMemory = new Float64Array(0);
  n = 0;

  constructor(capacity = 1024) {
    this.walRefs = new Float64Array(capacity);
    this.t = new Float64Array(capacity);
    this.v = new Float64Array(capacity);
  }

  /** Makes room for `capacity` samples in all; may replace the arrays. */
  reserve(capacity: number): void {
    if (capacity <= this.t.length) return;
    const size = Math.max(capacity, this.t.length * 2);
    this.walRefs = copied(this.walRefs, size, this.n);
    this.t = copied(this.t, size, this.n);
    this.v = copied(this.v, size, this.n);
  }

  /** Makes the column of start times, with room for as many as the others have. */
  withStarts(): Float64Array {
    if (this.#startsMemory.length < this.t.length) this.#startsMemory = new Float64Array(this.t.length);
    this.starts = this.#startsMemory;
    return this.starts;
  }
}

function copied(column: Float64Array, size: number, n: number): Float64Array {
  const bigger = new Float64Array(size);
  bigger.set(column.subarray(0, n));
  return bigger;
}

/** Two varints of at most 10 bytes and the value. */
const entryBytesMax = 28;
const entryBytesMin = 10;

/** A start time and its marker. */
const startBytesMax = 11;

/** Appends a record of type 2 with samples [start, end) of the columns; values are copied bit by bit. */
export function encodeSamples(
  walRefs: ArrayLike<number>,
  t: Float64Array,
  v: Float64Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  out.u8(RecordType.samples);
  if (end <= start) return;
  const baseRef = walRefs[start];
  const baseTime = t[start];
  out.u64(baseRef);
  out.i64(baseTime);
  const buffer = out.room((end - start) * entryBytesMax);
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  const first = out.length;
  let at = first;
  for (let i = start; i < end; i++) {
    at = putVarint(buffer, at, walRefs[i] - baseRef);
    at = putVarint(buffer, at, t[i] - baseTime);
    at = putValue(buffer, at, words[2 * i + 1], words[2 * i]);
  }
  out.advance(at - first);
}

/** Appends a record of type 11: as {@link encodeSamples}, with a column of start times, 0 for none. */
export function encodeSamplesWithStarts(
  walRefs: ArrayLike<number>,
  t: Float64Array,
  v: Float64Array,
  starts: Float64Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  out.u8(RecordType.samplesV2);
  const buffer = out.room((end - start) * (entryBytesMax + startBytesMax));
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  const first = out.length;
  let at = first;
  for (let i = start; i < end; i++) {
    const isFirst = i === start;
    at = putVarint(buffer, at, isFirst ? walRefs[i] : walRefs[i] - walRefs[i - 1]);
    at = putVarint(buffer, at, isFirst ? t[i] : t[i] - t[start]);
    if (isFirst) at = putVarint(buffer, at, starts[i]);
    else {
      const marker = startMarker(starts[i], starts[i - 1]);
      buffer[at++] = marker;
      if (marker === StartMarker.own) at = putVarint(buffer, at, starts[i] - starts[start]);
    }
    at = putValue(buffer, at, words[2 * i + 1], words[2 * i]);
  }
  out.advance(at - first);
}

/** How the entries of types 11 to 13 tell a start time, other than the first. */
export const StartMarker = { none: 0, same: 1, own: 2 } as const;

export function startMarker(start: number, before: number): number {
  if (start === 0) return StartMarker.none;
  return start === before ? StartMarker.same : StartMarker.own;
}

function putValue(buffer: Uint8Array, at: number, high: number, low: number): number {
  buffer[at] = high >>> 24;
  buffer[at + 1] = high >>> 16;
  buffer[at + 2] = high >>> 8;
  buffer[at + 3] = high;
  buffer[at + 4] = low >>> 24;
  buffer[at + 5] = low >>> 16;
  buffer[at + 6] = low >>> 8;
  buffer[at + 7] = low;
  return at + 8;
}

/** Writes a zigzag varint at `at`; returns where it ends. */
function putVarint(buffer: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; zigzag >= 0x80; zigzag >>>= 7) buffer[at++] = zigzag | 0x80;
    buffer[at++] = zigzag;
    return at;
  }
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  if (zigzag > Number.MAX_SAFE_INTEGER) return putLongVarint(buffer, at, value);
  for (; zigzag >= 0x80; zigzag = Math.floor(zigzag / 128)) buffer[at++] = (zigzag & 0x7f) | 0x80;
  buffer[at++] = zigzag;
  return at;
}

/** For the times near the int64 limits that somebody may have sent. */
function putLongVarint(buffer: Uint8Array, at: number, value: number): number {
  const exact = BigInt.asIntN(64, BigInt(value));
  let zigzag = BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n));
  for (; zigzag >= 0x80n; zigzag >>= 7n) buffer[at++] = Number(zigzag & 0x7fn) | 0x80;
  buffer[at++] = Number(zigzag);
  return at;
}

/** Decodes a record of type 2 or 11 into `out`, replacing what it held. Throws a CorruptionError. */
export function decodeSamples(record: Uint8Array, out: SampleBatch): void {
  out.n = 0;
  out.starts = undefined;
  if (record.length === 1) return;
  const reader = bodyOf(record, RecordType.samples, RecordType.samplesV2);
  out.reserve(Math.ceil(record.length / entryBytesMin));
  if (record[0] === RecordType.samples) decodeV1(reader, out);
  else decodeV2(reader, out);
}

function decodeV1(reader: ByteReader, out: SampleBatch): void {
  const { bytes, end } = reader;
  const baseRef = reader.u64();
  const baseTime = reader.i64();
  const { walRefs, t, v } = out;
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  let n = 0;
  let at = reader.position;
  while (at < end) {
    // Both deltas are short in almost every sample: read those here and leave the rest to the reader.
    let byte = bytes[at];
    if (byte < 0x80) {
      walRefs[n] = baseRef + ((byte >>> 1) ^ -(byte & 1));
      at++;
    } else {
      reader.position = at;
      walRefs[n] = baseRef + reader.varint();
      at = reader.position;
    }
    if (!(walRefs[n] >= 0 && walRefs[n] <= walRefLimit)) checkedRef(walRefs[n], reader);
    byte = at < end ? bytes[at] : 0x80;
    if (byte < 0x80) {
      t[n] = baseTime + ((byte >>> 1) ^ -(byte & 1));
      at++;
    } else {
      reader.position = at;
      t[n] = baseTime + reader.varint();
      at = reader.position;
    }
    if (end - at < 8) {
      reader.position = at;
      throw reader.corrupt(`8 bytes of a value expected, ${end - at} left`);
    }
    words[2 * n + 1] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    words[2 * n] = (bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7];
    at += 8;
    n++;
  }
  out.n = n;
}

function decodeV2(reader: ByteReader, out: SampleBatch): void {
  const starts = out.withStarts();
  let ref = 0;
  let firstTime = 0;
  let n = 0;
  for (; reader.remaining > 0; n++) {
    ref = checkedRef(ref + reader.varint(), reader);
    out.walRefs[n] = ref;
    out.t[n] = firstTime + reader.varint();
    if (n === 0) {
      firstTime = out.t[0];
      starts[0] = reader.varint();
    } else {
      starts[n] = readStartTime(reader, starts[0], starts[n - 1]);
    }
    reader.f64(out.v, n);
  }
  out.n = n;
}

/** The start time of an entry of the types 11 to 13, other than the first. */
export function readStartTime(reader: ByteReader, first: number, before: number): number {
  const marker = reader.u8();
  if (marker === StartMarker.none) return 0;
  return marker === StartMarker.same ? before : first + reader.varint();
}

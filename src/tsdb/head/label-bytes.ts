/**
 * Label bytes: the labels of a series as the protobuf fields of a remote-write request, one after the other, sorted by
 * name, with the shortest varints: `0A len 0A len(name) name 12 len(value) value`. What series are looked up by.
 */
import { decodeUtf8, encodeUtf8 } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";

const fieldTag = 0x0a;
const nameTag = 0x0a;
const valueTag = 0x12;

/** The length of a varint. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Builds label bytes in a buffer of its own that grows. */
export class LabelBytes {
  bytes = new Uint8Array(1024);
  length = 0;

  /** The label bytes of `labels`. */
  set(labels: Labels): void {
    this.length = 0;
    const { pairs } = labels;
    for (let i = 0; i < pairs.length; i += 2) this.add(pairs[i], pairs[i + 1]);
  }

  /** Only this label. */
  setOne(name: string, value: string): void {
    this.length = 0;
    this.add(name, value);
  }

  add(name: string, value: string): void {
    // Three bytes a UTF-16 unit at most, and the tags and lengths.
    this.#reserve((name.length + value.length) * 3 + 20);
    const start = this.length;
    const { bytes } = this;
    if (!this.#addShort(start, name, value)) {
      const nameUtf8 = encodeUtf8(name);
      const valueUtf8 = encodeUtf8(value);
      const inner =
        2 + varintBytes(nameUtf8.length) + nameUtf8.length + varintBytes(valueUtf8.length) + valueUtf8.length;
      let at = start;
      bytes[at++] = fieldTag;
      at = putVarint(bytes, at, inner);
      bytes[at++] = nameTag;
      at = putVarint(bytes, at, nameUtf8.length);
      bytes.set(nameUtf8, at);
      at += nameUtf8.length;
      bytes[at++] = valueTag;
      at = putVarint(bytes, at, valueUtf8.length);
      bytes.set(valueUtf8, at);
      this.length = at + valueUtf8.length;
    }
  }

  /** Short ASCII labels, most of them, without an encoder. */
  #addShort(start: number, name: string, value: string): boolean {
    const inner = 4 + name.length + value.length;
    if (inner > 127) return false;
    const { bytes } = this;
    let at = start;
    bytes[at++] = fieldTag;
    bytes[at++] = inner;
    bytes[at++] = nameTag;
    bytes[at++] = name.length;
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    bytes[at++] = valueTag;
    bytes[at++] = value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    this.length = at;
    return true;
  }

  #reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.length + extra, this.bytes.length * 2));
    bigger.set(this.bytes.subarray(0, this.length));
    this.bytes = bigger;
  }
}

/** Returns the position behind the varint. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}

/** Goes through label bytes field by field. */
export class LabelCursor {
  bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  /** The current field: all of it, its name, its value. */
  start = 0;
  fieldEnd = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  /** Set when {@link next} stopped at something that is not in canonical form. */
  malformed = false;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.fieldEnd = start;
    this.nameStart = this.nameEnd = 0;
    this.#end = end;
    this.malformed = false;
  }

  /**
   * Steps to the next field; false at the end, and where the bytes are not canonical: another order of fields, a padded
   * varint, an empty name or value, names that do not increase.
   */
  next(): boolean {
    const { bytes } = this;
    const previousStart = this.nameStart;
    const previousEnd = this.nameEnd;
    const start = this.fieldEnd;
    if (start === this.#end) return false;
    this.malformed = true;
    if (bytes[start] !== fieldTag || !this.#length(start + 1, this.#end)) return false;
    const end = this.#at + this.#value;
    const contentStart = this.#at;
    if (bytes[contentStart] !== nameTag || !this.#length(contentStart + 1, end)) return false;
    const nameStart = this.#at;
    const nameEnd = nameStart + this.#value;
    if (nameEnd === nameStart || bytes[nameEnd] !== valueTag || !this.#length(nameEnd + 1, end)) return false;
    if (this.#value === 0 || this.#at + this.#value !== end) return false;
    if (previousEnd > 0 && compareBytes(bytes, previousStart, previousEnd, nameStart, nameEnd) >= 0)
      return false;
    this.malformed = false;
    this.start = start;
    this.fieldEnd = end;
    this.nameStart = nameStart;
    this.nameEnd = nameEnd;
    this.valueStart = this.#at;
    return true;
  }

  name(): string {
    return decodeUtf8(this.bytes.subarray(this.nameStart, this.nameEnd));
  }

  value(): string {
    return decodeUtf8(this.bytes.subarray(this.valueStart, this.fieldEnd));
  }

  #at = 0;
  #value = 0;

  /** A varint at `at` that names a length which fits before `end`, in its shortest form. */
  #length(at: number, end: number): boolean {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) return false;
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) return false;
        this.#at = at;
        this.#value = value;
        return at + value <= end;
      }
    }
    return false;
  }
}

function compareBytes(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const order = bytes[aStart + i] - bytes[bStart + i];
    if (order !== 0) return order;
  }
  return aEnd - aStart - (bEnd - bStart);
}

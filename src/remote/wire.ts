/**
 * The protobuf wire format for the messages of remote write: what a field's number and type may be, and a cursor that
 * checks every length before it is used. The texts of its errors are those that Prometheus sends back.
 */
import { ParseError } from "../base/errors.ts";

export const Wire = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** A message: the names of its fields and the bits of the wire types that each may have, by number. */
export interface MessageShape {
  readonly name: string;
  readonly fields: readonly string[];
  readonly wires: Uint8Array;
}

/** `fields`: number to [name, wire types]. */
export function messageShape(
  name: string,
  fields: Readonly<Record<number, readonly [name: string, ...wires: number[]]>>,
): MessageShape {
  const numbers = Object.keys(fields).map(Number);
  const names: string[] = [];
  const wires = new Uint8Array(Math.max(...numbers) + 1);
  for (const number of numbers) {
    const [field, ...allowed] = fields[number];
    names[number] = field;
    for (const wire of allowed) wires[number] |= 1 << wire;
  }
  return { name, fields: names, wires };
}

export class WireCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Where the field that {@link field} found begins, and its wire type. */
  fieldStart = 0;
  wire = 0;
  #low = 0;
  #high = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
  }

  fail(problem: string): ParseError {
    return new ParseError(problem, this.at);
  }

  /** The number of the next field of the message that ends at `end`, unknown ones skipped; 0 at the end. */
  field(shape: MessageShape, end: number): number {
    const { wires } = shape;
    while (this.at < end) {
      this.fieldStart = this.at;
      this.#varint(end);
      const wire = this.#low & 7;
      // Of a number that is too long only 32 bits count, as in Prometheus.
      const number = (this.#low >>> 3) | (this.#high << 29);
      this.wire = wire;
      if (wire === Wire.endGroup) throw this.fail(`proto: ${shape.name}: wiretype end group for non-group`);
      if (number <= 0) throw this.#illegalTag(shape, number);
      const allowed = number < wires.length ? wires[number] : 0;
      if ((allowed & (1 << wire)) !== 0) return number;
      if (allowed !== 0) throw this.fail(`proto: wrong wireType = ${wire} for field ${shape.fields[number]}`);
      this.at = this.fieldStart;
      this.#skipUnknown(end);
    }
    return 0;
  }

  #illegalTag(shape: MessageShape, number: number): ParseError {
    const tag = (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
    return this.fail(`proto: ${shape.name}: illegal tag ${number} (wire type ${tag})`);
  }

  /** A signed 64-bit number, as the nearest double. */
  int64(end: number): number {
    this.#varint(end);
    return (this.#high | 0) * 0x100000000 + (this.#low >>> 0);
  }

  /** Eight bytes into `words`, two of 32 bits from `index` on, low one first. */
  fixed64(words: Uint32Array, index: number, end: number): void {
    const { bytes, at } = this;
    if (at + 8 > end) throw this.fail("unexpected EOF");
    words[index] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    words[index + 1] = bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
    this.at = at + 8;
  }

  /** The end of the length-delimited content that begins behind the length at hand. */
  contentEnd(end: number): number {
    const length = this.int64(end);
    if (length < 0 || length + this.at >= 2 ** 63)
      throw this.fail("proto: negative length found during unmarshaling");
    if (length > end - this.at) throw this.fail("unexpected EOF");
    return this.at + length;
  }

  /** Passes over the content of the field at hand. */
  skip(end: number): void {
    switch (this.wire) {
      case Wire.varint:
        return this.#varint(end);
      case Wire.fixed64:
        return this.#advance(8, end);
      case Wire.fixed32:
        return this.#advance(4, end);
      case Wire.bytes:
        this.at = this.contentEnd(end);
        return;
      default:
        throw this.fail(`proto: illegal wireType ${this.wire}`);
    }
  }

  /** At most ten bytes, into the two halves. */
  #varint(end: number): void {
    const { bytes } = this;
    let at = this.at;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw this.fail("unexpected EOF");
      const byte = bytes[at++];
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.at = at;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw this.fail("proto: integer overflow");
  }

  /** A field with its tag; groups, which may be nested, with all that is in them. */
  #skipUnknown(end: number): void {
    let depth = 0;
    do {
      this.#varint(end);
      this.wire = this.#low & 7;
      if (this.wire === Wire.startGroup) depth++;
      else if (this.wire === Wire.endGroup) depth--;
      else this.skip(end);
    } while (depth > 0);
  }

  #advance(count: number, end: number): void {
    if (count > end - this.at) throw this.fail("unexpected EOF");
    this.at += count;
  }
}

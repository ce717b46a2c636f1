/**
 * The protobuf wire format over a part of a page: fields one after the other. Every length is checked against the part
 * before it is used; whatever is broken is a ParseError at the byte where it was noticed.
 */
import { decodeUtf8 } from "../base/bytes.ts";
import { ParseError } from "../base/errors.ts";
import { isUtf8 } from "./quote.ts";

export const Wire = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Groups are not used by this schema; they are skipped, but not to any depth. */
const groupDepthMax = 100;

export class ProtobufReader {
  readonly bytes: Uint8Array;
  position: number;
  end: number;
  /** Of the field that {@link nextField} found. */
  field = 0;
  wire = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  fail(problem: string): ParseError {
    return new ParseError(`proto: ${problem} (at byte ${this.position})`, this.position);
  }

  /** False at the end of the part. */
  nextField(): boolean {
    if (this.position >= this.end) return false;
    const tag = this.uvarint();
    this.wire = tag % 8;
    this.field = Math.floor(tag / 8);
    if (this.wire === Wire.endGroup) throw this.fail("end of a group that was not begun");
    if (this.field < 1 || this.field >= 2 ** 31) throw this.fail(`illegal field number ${this.field}`);
    return true;
  }

  expect(wire: number): void {
    if (this.wire !== wire) throw this.fail(`wrong wire type ${this.wire} for field ${this.field}`);
  }

  /** As a double: exact up to 2^53, then rounded once. */
  uvarint(): number {
    const { bytes, end } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw this.fail("a number runs past the end");
      const byte = bytes[this.position++];
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (high >>> 0) * 0x100000000 + (low >>> 0);
    }
    throw this.fail("a number is longer than 10 bytes");
  }

  /** A 64-bit integer in two's complement, as a double. */
  int64(): number {
    const value = this.uvarint();
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }

  /** Into `out[index]`, bit by bit. */
  double(out: Float64Array, index: number): void {
    if (this.end - this.position < 8) throw this.fail("a double runs past the end");
    const at = out.byteOffset + 8 * index;
    new Uint8Array(out.buffer, at, 8).set(this.bytes.subarray(this.position, this.position + 8));
    this.position += 8;
  }

  /** The end of the length-delimited field whose content begins at {@link position}. */
  contentEnd(): number {
    const length = this.uvarint();
    if (length > this.end - this.position)
      throw this.fail(`a field of ${length} bytes, ${this.end - this.position} left`);
    return this.position + length;
  }

  /** A string; undefined where the bytes are not UTF-8. */
  string(): string | undefined {
    const end = this.contentEnd();
    const start = this.position;
    this.position = end;
    return isUtf8(this.bytes, start, end) ? decodeUtf8(this.bytes.subarray(start, end)) : undefined;
  }

  /** Runs `read` with the reader limited to the length-delimited field that comes next. */
  message(read: () => void): void {
    this.expect(Wire.bytes);
    const inner = this.contentEnd();
    const outer = this.end;
    this.end = inner;
    read();
    this.end = outer;
    this.position = inner;
  }

  skip(depth = 0): void {
    switch (this.wire) {
      case Wire.varint:
        this.uvarint();
        return;
      case Wire.fixed64:
        return this.#advance(8);
      case Wire.bytes:
        this.position = this.contentEnd();
        return;
      case Wire.startGroup:
        return this.#skipGroup(depth);
      case Wire.fixed32:
        return this.#advance(4);
      default:
        throw this.fail(`illegal wire type ${this.wire}`);
    }
  }

  #advance(count: number): void {
    if (count > this.end - this.position) throw this.fail("a field runs past the end");
    this.position += count;
  }

  #skipGroup(depth: number): void {
    if (depth >= groupDepthMax) throw this.fail("groups are nested too deep");
    for (;;) {
      if (this.position >= this.end) throw this.fail("a group runs past the end");
      this.wire = this.uvarint() % 8;
      if (this.wire === Wire.endGroup) return;
      this.skip(depth + 1);
    }
  }
}

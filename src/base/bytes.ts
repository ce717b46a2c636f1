/**
 * Reading and writing the primitives of Prometheus's files: big-endian integers, base-128 varints (low group first, at
 * most 10 bytes), length-prefixed strings.
 *
 * 64-bit integers are JavaScript numbers here: exact within ±2^53, which holds for every time in milliseconds, file
 * offset and series ref that a real directory has. Larger ones (the int64 limits that tombstones use for "no bound")
 * are read as the nearest double and written clamped to the int64 range.
 */
import { CorruptionError } from "./errors.ts";

const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/**
 * A cursor over bytes of a file. Every read checks what is left and throws a {@link CorruptionError} that names the
 * file and the byte. `origin` is the offset of `bytes[0]` in that file.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  readonly #file: string;
  readonly #origin: number;

  constructor(bytes: Uint8Array, file = "buffer", origin = 0, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#file = file;
    this.#origin = origin;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** An error at the current position. */
  corrupt(problem: string): CorruptionError {
    return new CorruptionError(this.#file, this.#origin + this.position, problem);
  }

  #take(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw this.corrupt(`${count} bytes expected, ${this.end - start} left`);
    this.position = start + count;
    return start;
  }

  u8(): number {
    return this.bytes[this.#take(1)];
  }

  u16(): number {
    const at = this.#take(2);
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  u32(): number {
    const at = this.#take(4);
    const { bytes } = this;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }

  u64(): number {
    const high = this.u32();
    return high * 0x100000000 + this.u32();
  }

  i64(): number {
    const high = this.u32() | 0;
    return high * 0x100000000 + this.u32();
  }

  /** An IEEE double, big-endian, into `out[index]`, bit by bit (a signalling NaN stays one). */
  f64(out: Float64Array, index: number): void {
    const at = this.#take(8);
    for (let i = 0; i < 8; i++) floatBytes[i] = this.bytes[at + 7 - i];
    out.set(float, index);
  }

  uvarint(): number {
    const { bytes, end } = this;
    let at = this.position;
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= end) throw this.corrupt("a varint runs past the end");
      const byte = bytes[at++];
      if (byte < 0x80) {
        if (i === 9 && byte > 1) throw this.corrupt("a varint has more than 64 bits");
        this.position = at;
        return result + byte * scale;
      }
      result += (byte & 0x7f) * scale;
      scale *= 128;
    }
    throw this.corrupt("a varint is longer than 10 bytes");
  }

  /** Zigzag varint. */
  varint(): number {
    const start = this.position;
    const zigzag = this.uvarint();
    if (zigzag < 2 ** 53) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    let exact = 0n;
    for (let i = this.position - 1; i >= start; i--) exact = (exact << 7n) | BigInt(this.bytes[i] & 0x7f);
    return Number((exact >> 1n) ^ -(exact & 1n));
  }

  /** `count` bytes as a view into the buffer. */
  view(count: number): Uint8Array {
    const start = this.#take(count);
    return this.bytes.subarray(start, start + count);
  }

  /** A UTF-8 string after its uvarint byte length. */
  string(): string {
    const length = this.uvarint();
    if (length > this.remaining) throw this.corrupt(`a string of ${length} bytes, ${this.remaining} left`);
    return decodeUtf8(this.view(length));
  }

  skip(count: number): void {
    this.#take(count);
  }
}

/** A growing buffer. The result of {@link ByteWriter.bytes} is a view that the next write may invalidate. */
export class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets the content, keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Cuts back to an earlier length. */
  truncate(length: number): void {
    this.#length = length;
  }

  #grow(extra: number): number {
    const at = this.#length;
    const needed = at + extra;
    if (needed > this.#buffer.length) {
      const bigger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      bigger.set(this.#buffer.subarray(0, at));
      this.#buffer = bigger;
    }
    this.#length = needed;
    return at;
  }

  /**
   * For loops that write bytes by themselves: the whole buffer, with room for `count` bytes from index
   * {@link ByteWriter.length} on. Say with {@link ByteWriter.advance} how many were written.
   */
  room(count: number): Uint8Array {
    this.#length = this.#grow(count);
    return this.#buffer;
  }

  advance(count: number): void {
    this.#length += count;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#buffer[at] = value >>> 8;
    this.#buffer[at + 1] = value;
  }

  u32(value: number): void {
    this.u32At(this.#grow(4), value);
  }

  /** Overwrites four bytes written earlier. */
  u32At(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  u64(value: number): void {
    this.u32(Math.floor(value / 0x100000000));
    this.u32(value >>> 0);
  }

  i64(value: number): void {
    if (Number.isSafeInteger(value)) return this.u64(value);
    const exact = clampInt64(value);
    this.u32(Number((exact >> 32n) & 0xffffffffn));
    this.u32(Number(exact & 0xffffffffn));
  }

  /** `values[index]`, big-endian, bit by bit. */
  f64(values: Float64Array, index: number): void {
    float.set(values.subarray(index, index + 1));
    const at = this.#grow(8);
    for (let i = 0; i < 8; i++) this.#buffer[at + i] = floatBytes[7 - i];
  }

  uvarint(value: number): void {
    let at = this.#grow(10);
    const buffer = this.#buffer;
    while (value >= 0x80) {
      buffer[at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    buffer[at++] = value;
    this.#length = at;
  }

  /** Zigzag varint. */
  varint(value: number): void {
    if (value >= -(2 ** 52) && value < 2 ** 52) return this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
    const exact = clampInt64(value);
    let zigzag = BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n));
    while (zigzag >= 0x80n) {
      this.u8(Number(zigzag & 0x7fn) | 0x80);
      zigzag >>= 7n;
    }
    this.u8(Number(zigzag));
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#buffer.set(bytes, at);
  }

  zeros(count: number): void {
    const at = this.#grow(count);
    this.#buffer.fill(0, at, at + count);
  }

  /** The UTF-8 bytes of `text` after their uvarint length. */
  string(text: string): void {
    const bytes = encodeUtf8(text);
    this.uvarint(bytes.length);
    this.raw(bytes);
  }
}

function clampInt64(value: number): bigint {
  const exact = BigInt(Math.trunc(value));
  if (exact > int64Max) return int64Max;
  return exact < int64Min ? int64Min : exact;
}

export function encodeUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** Works on views of shared memory too. Bytes that are not UTF-8 become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length < 24) {
    let text = "";
    for (const byte of bytes) {
      if (byte >= 0x80) return utf8Decoder.decode(unshared(bytes));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return utf8Decoder.decode(unshared(bytes));
}

/** TextDecoder refuses shared memory: copy those few bytes first. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}

/**
 * XOR chunks, encoding 1: float samples, each told by its difference from the one before. Bits fill bytes from the
 * high end, numbers are big-endian; the last byte is padded with zeros.
 *
 *   u16 count · varint t0 · 64 bits v0 · uvarint (t1 - t0) · value v1 · { dod tn · value vn } for n >= 2
 *
 *   dod = (tn - tn-1) - (tn-1 - tn-2)            value = bits of vn XOR bits of vn-1
 *     0                           dod is 0          0                               equal
 *     10   + 14 bits   -8191 … 8192                 10 + significant bits           window as before
 *     110  + 17 bits  -65535 … 65536                11 + 5 bits leading zeros + 6 bits length (0 means 64)
 *     1110 + 20 bits -524287 … 524288                  + significant bits           new window
 *     1111 + 64 bits  anything
 *
 * Times are exact within ±2^53. Values are copied as bits: a signalling NaN stays one.
 */
import { assert } from "../base/assert.ts";
import { CorruptionError } from "../base/errors.ts";
import { sampleCount } from "./encoding.ts";

/** A chunk's count is a u16. */
export const maxSamplesPerChunk = 65535;

/** No sample needs more: 4 + 64 bits of time, 2 + 5 + 6 + 64 bits of value. */
export const maxBytesPerSample = 19;

/** Where decoded samples go: a SampleColumns of storage/ is one. */
export interface SampleSink {
  t: Float64Array;
  v: Float64Array;
  /** Start timestamps (ms, 0 for none), where they are wanted. */
  starts?: Float64Array | undefined;
  n: number;
  reserve(extra: number): void;
}

const maxTime = 2 ** 53;
const noWindow = 255;

/** Encodes samples into a chunk of its own; {@link XorAppender.reset} starts the next one in the same memory. */
export class XorAppender {
  #bytes: Uint8Array;
  #length = 2;
  /** Unused low bits of the last byte. */
  #free = 0;
  #t = 0;
  #tDelta = 0;
  #high = 0;
  #low = 0;
  #leading = noWindow;
  #trailing = 0;
  #source: Float64Array = new Float64Array(0);
  #sourceWords: Uint32Array = new Uint32Array(0);

  constructor(capacity = 128) {
    this.#bytes = new Uint8Array(Math.max(capacity, 2 + maxBytesPerSample));
  }

  /** Samples in the chunk. */
  get count(): number {
    return (this.#bytes[0] << 8) | this.#bytes[1];
  }

  /** Bytes of the chunk so far. */
  get length(): number {
    return this.#length;
  }

  /** The chunk's data: a view that the next append or reset changes. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins an empty chunk. */
  reset(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 2;
    this.#free = 0;
    this.#leading = noWindow;
    this.#trailing = 0;
  }

  /** Appends (t, values[index]). `t` must be an integer, later than the last one; at most 65535 samples. */
  append(t: number, values: Float64Array, index: number): void {
    const { count } = this;
    assert(count < maxSamplesPerChunk, "a chunk takes at most 65535 samples");
    if (this.#length + maxBytesPerSample > this.#bytes.length) this.#grow();
    if (values !== this.#source) {
      this.#source = values;
      this.#sourceWords = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    }
    const low = this.#sourceWords[2 * index];
    const high = this.#sourceWords[2 * index + 1];
    if (count === 0) {
      this.#uvarint(t >= 0 ? t * 2 : -t * 2 - 1);
      this.#bits(high, 32);
      this.#bits(low, 32);
    } else {
      const tDelta = t - this.#t;
      if (count === 1) this.#uvarint(tDelta);
      else this.#deltaOfDelta(tDelta - this.#tDelta);
      this.#value(high ^ this.#high, low ^ this.#low);
      this.#tDelta = tDelta;
    }
    this.#t = t;
    this.#high = high;
    this.#low = low;
    this.#bytes[0] = (count + 1) >>> 8;
    this.#bytes[1] = count + 1;
  }

  #grow(): void {
    const bigger = new Uint8Array(this.#bytes.length * 2);
    bigger.set(this.#bytes);
    this.#bytes = bigger;
  }

  /** The low `n` bits of `value`, 1 <= n <= 32. */
  #bits(value: number, n: number): void {
    const bytes = this.#bytes;
    while (n > 0) {
      if (this.#free === 0) {
        bytes[this.#length++] = 0;
        this.#free = 8;
      }
      const take = n < this.#free ? n : this.#free;
      n -= take;
      this.#free -= take;
      bytes[this.#length - 1] |= ((value >>> n) & ((1 << take) - 1)) << this.#free;
    }
  }

  #uvarint(value: number): void {
    while (value >= 0x80) {
      this.#bits((value % 128) | 0x80, 8);
      value = Math.floor(value / 128);
    }
    this.#bits(value, 8);
  }

  #deltaOfDelta(dod: number): void {
    if (dod === 0) this.#bits(0, 1);
    else if (dod >= -8191 && dod <= 8192) this.#bits((0b10 << 14) | (dod & 0x3fff), 16);
    else if (dod >= -65535 && dod <= 65536) this.#bits((0b110 << 17) | (dod & 0x1ffff), 20);
    else if (dod >= -524287 && dod <= 524288) this.#bits((0b1110 << 20) | (dod & 0xfffff), 24);
    else {
      this.#bits(0b1111, 4);
      this.#bits(Math.floor(dod / 0x100000000), 32);
      this.#bits(dod >>> 0, 32);
    }
  }

  /** The XOR of two values as two 32-bit halves. */
  #value(high: number, low: number): void {
    if ((high | low) === 0) return this.#bits(0, 1);
    const leading = Math.min(high === 0 ? 32 + Math.clz32(low) : Math.clz32(high), 31);
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (this.#leading !== noWindow && leading >= this.#leading && trailing >= this.#trailing) {
      this.#bits(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      this.#bits((0b11 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13);
    }
    this.#significant(high, low, 64 - this.#leading - this.#trailing);
  }

  /** The `size` bits of (high, low) that end where the window's trailing zeros begin. */
  #significant(high: number, low: number, size: number): void {
    const trailing = this.#trailing;
    if (trailing >= 32) return this.#bits(high >>> (trailing - 32), size);
    // high << 32 is a no-op in JavaScript, so the shift by 32 - trailing goes in two steps
    const lower = (low >>> trailing) | ((high << 1) << (31 - trailing));
    if (size > 32) this.#bits(high >>> trailing, size - 32);
    this.#bits(lower, Math.min(size, 32));
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** A decode works on a padded copy: over memory that another thread appends to it sees one state, and it cannot overrun. */
let scratch = new Uint8Array(2048);
let scratchView = new DataView(scratch.buffer);
/** One sample reads at most 19 bytes past the check, in words of 5 bytes. */
const padding = 32;

/** Where a chunk is being read: moved by the functions that read fields of varying length. */
let bitPosition = 0;

/**
 * Decodes the XOR chunk `bytes[start, end)` and appends its samples with mint <= t <= maxt to `out`; returns how many
 * those were. `count` is for a chunk that is still growing: its first samples, whatever the header says by now.
 *
 * Throws a CorruptionError where the data ends early, times do not increase or leave ±2^53; `out` then has its old
 * length.
 */
export function decodeXor(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: SampleSink,
  mint: number,
  maxt: number,
  count = sampleCount(bytes, start, end),
): number {
  const size = end - start;
  if (size < 2) throw corrupt(0, `${size} bytes, at least 2 expected`);
  if (count === 0) return 0;
  // 64 bits, a varint and a time, then at least two bits a sample: no allocation by a count that the data cannot hold
  if (10 + (count - 1) / 4 > size) throw corrupt(0, `${count} samples cannot be in ${size} bytes`);
  if (size + padding > scratch.length) {
    scratch = new Uint8Array(2 * (size + padding));
    scratchView = new DataView(scratch.buffer);
  }
  scratch.set(bytes.subarray(start, end));
  scratch.fill(0, size, size + padding);
  out.reserve(count);
  const words = new Uint32Array(out.v.buffer, out.v.byteOffset, out.v.length * 2);
  const n = scan(scratchView, size * 8, count, out.t, words, out.n, mint, maxt);
  const added = n - out.n;
  out.n = n;
  return added;
}

/** The inner loop: `count` >= 1 samples from `view` to `times` and `words` (low, high) from index `n` on; the new n. */
function scan(
  view: DataView,
  sizeBits: number,
  count: number,
  times: Float64Array,
  words: Uint32Array,
  n: number,
  mint: number,
  maxt: number,
): number {
  bitPosition = 16;
  const zigzag = readUvarint(view, sizeBits);
  let t = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  let position = bitPosition;
  let high = read32(view, position);
  let low = read32(view, position + 32);
  position += 64;
  let tDelta = 0;
  let trailing = 0;
  let significant = 64;
  for (let i = 0; ; ) {
    if (position > sizeBits) throw corrupt(sizeBits >>> 3, `the data ends in sample ${i} of ${count}`);
    if (t > maxt) return n;
    if (t >= mint) {
      times[n] = t;
      words[2 * n] = low;
      words[2 * n + 1] = high;
      n++;
    }
    if (++i === count) break;

    let control: number;
    const head = view.getUint32(position >>> 3) << (position & 7);
    if (head >= 0 && i > 1) {
      // At least 25 bits were read: what follows the one of an unchanged delta is among them.
      control = head << 1;
      position += 1;
    } else {
      bitPosition = position;
      if (i === 1) tDelta = readUvarint(view, sizeBits);
      else tDelta += readDeltaOfDelta(view, head);
      position = bitPosition;
      if (tDelta <= 0) throw corrupt(position >>> 3, `sample ${i} is ${tDelta} ms later than the one before`);
      control = view.getUint32(position >>> 3) << (position & 7);
    }
    t += tDelta;
    if (control >= 0) {
      position += 1;
      continue;
    }
    if ((control & 0x40000000) === 0) position += 2;
    else {
      const leading = (control >>> 25) & 31;
      significant = (control >>> 19) & 63 || 64;
      trailing = 64 - leading - significant;
      if (trailing < 0) throw corrupt(position >>> 3, `a window of ${leading} zeros and ${significant} bits`);
      position += 13;
    }
    if (significant > 32) {
      const upper = read32(view, position) >>> (64 - significant);
      const lower = read32(view, position + significant - 32);
      high ^= (upper << trailing) | ((lower >>> 1) >>> (31 - trailing));
      low ^= lower << trailing;
    } else {
      const bits = read32(view, position) >>> (32 - significant);
      if (trailing >= 32) high ^= bits << (trailing - 32);
      else {
        high ^= (bits >>> 1) >>> (31 - trailing);
        low ^= bits << trailing;
      }
    }
    position += significant;
  }
  if (t > maxTime) throw corrupt(sizeBits >>> 3, `the last time, ${t}, is beyond 2^53`);
  return n;
}

/** One that is not 0, at {@link bitPosition}, which it moves; `head` has the first 25 bits from there, left-aligned. */
function readDeltaOfDelta(view: DataView, head: number): number {
  const position = bitPosition;
  if ((head & 0x40000000) === 0) {
    const bits = (head >>> 16) & 0x3fff;
    bitPosition = position + 16;
    return bits > 8192 ? bits - 16384 : bits;
  }
  if ((head & 0x20000000) === 0) {
    const bits = (head >>> 12) & 0x1ffff;
    bitPosition = position + 20;
    return bits > 65536 ? bits - 131072 : bits;
  }
  if ((head & 0x10000000) === 0) {
    const bits = (head >>> 8) & 0xfffff;
    bitPosition = position + 24;
    return bits > 524288 ? bits - 1048576 : bits;
  }
  bitPosition = position + 68;
  return read32(view, position + 4) * 0x100000000 + (read32(view, position + 36) >>> 0);
}

/** 32 bits from a bit position on, signed. */
function read32(view: DataView, position: number): number {
  const byte = position >>> 3;
  const shift = position & 7;
  return (view.getUint32(byte) << shift) | (view.getUint8(byte + 4) >>> (8 - shift));
}

/** From {@link bitPosition} on, which it moves. */
function readUvarint(view: DataView, sizeBits: number): number {
  let result = 0;
  let scale = 1;
  for (let i = 0; i < 10 && bitPosition + 8 <= sizeBits; i++) {
    const byte = read32(view, bitPosition) >>> 24;
    bitPosition += 8;
    result += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (result > 2 * maxTime) break;
      return result;
    }
    scale *= 128;
  }
  throw corrupt(bitPosition >>> 3, "a time is not a varint within ±2^53");
}

function corrupt(offset: number, problem: string): CorruptionError {
  return new CorruptionError("XOR chunk", offset, problem);
}

/**
 * XOR2 chunks, encoding 4: float samples like XOR chunks, but with the cases that occur most in whole bytes or single bits,
 * and optionally with start timestamps (start-times.ts).
 *
 *   u16 count · u8 header of the start timestamps · varint t0 · 64 bits v0 · uvarint (t1 - t0) · value v1 · sample …
 *
 *   sample   0                  dod is 0, the same value
 *            10 + changed       dod is 0
 *            110 + 13 bits + value    -4096 … 4095
 *            1110 + 20 bits + value   ±2^19
 *            11110 + 64 bits + value  anything
 *            11111              dod is 0, a staleness marker
 *   value    0 the same · 10 + bits within the window as before · 110 + new window + bits · 111 a staleness marker
 *   changed  0 + bits within the window as before · 1 + new window + bits
 *   window   5 bits leading zeros, 6 bits length (0 means 64)
 *
 * Values are told by XOR with the last one that was no staleness marker.
 */
import { assert } from "../base/assert.ts";
import { CorruptionError } from "../base/errors.ts";
import { BitReader } from "./bit-reader.ts";
import { BitWriter } from "./bit-writer.ts";
import { sampleCount } from "./encoding.ts";
import { StartTimes } from "./start-times.ts";
import { maxSamplesPerChunk, type SampleSink } from "./xor.ts";
import { XorValue } from "./xor-value.ts";

const headerBytes = 3;
const startHeaderByte = 2;
const staleHigh = 0x7ff00000;
const staleLow = 2;

/** Encodes samples into a chunk of its own; {@link Xor2Appender.reset} starts the next one. */
export class Xor2Appender {
  readonly #out: BitWriter;
  readonly #encoder = new Xor2Encoder();
  #count = 0;

  constructor(capacity = 128) {
    this.#out = new BitWriter(headerBytes, capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** The chunk's data: a view that the next append or reset changes. */
  bytes(): Uint8Array {
    return this.#out.bytes();
  }

  reset(): void {
    this.#out.reset();
    this.#encoder.begin();
    this.#count = 0;
  }

  /** Appends (t, values[index]), bit by bit. `start`: the start timestamp, 0 for none. */
  append(t: number, values: Float64Array, index: number, start = 0): void {
    assert(this.#count < maxSamplesPerChunk, "a chunk takes at most 65535 samples");
    const words = new Uint32Array(values.buffer, values.byteOffset + 8 * index, 2);
    const out = this.#out;
    this.#encoder.write(out, this.#count++, t, words[1], words[0], start);
    out.setByte(startHeaderByte, this.#encoder.starts.header);
    out.setByte(0, this.#count >>> 8);
    out.setByte(1, this.#count);
  }
}

/** What the next sample of a chunk is told by, and how. */
export class Xor2Encoder {
  /** The last value that was no staleness marker. */
  readonly value = new XorValue();
  readonly starts = new StartTimes();
  /** Of the last sample. */
  t = 0;
  /** From the sample before it to the last one. */
  delta = 0;

  /** For a new chunk. */
  begin(): void {
    this.value.begin(0, 0);
    this.starts.resume(0, 0, 0);
    this.delta = 0;
  }

  /** Writes the bits of sample number `index`; the header of the start times may have changed afterwards. */
  write(out: BitWriter, index: number, t: number, high: number, low: number, start: number): void {
    if (index === 0) this.#first(out, t, high, low);
    else if (index === 1) {
      this.delta = t - this.t;
      out.uvarint(this.delta);
      this.#writeValue(out, high, low);
    } else this.#next(out, t, high, low);
    this.starts.write(out, index, t, this.t, start);
    this.t = t;
  }

  #first(out: BitWriter, t: number, high: number, low: number): void {
    out.varint(t);
    out.bits(high, 32);
    out.bits(low, 32);
    if (isStale(high, low)) this.value.begin(0, 0);
    else this.value.begin(high, low);
  }

  #next(out: BitWriter, t: number, high: number, low: number): void {
    const delta = t - this.t;
    const dod = delta - this.delta;
    this.delta = delta;
    if (dod === 0) {
      if (isStale(high, low)) return out.bits(0b11111, 5);
      if (this.value.equals(high, low)) return out.bits(0, 1);
      out.bits(0b10, 2);
      return this.value.writeChanged(out, high, low, 0, 1);
    }
    if (dod >= -4096 && dod <= 4095) out.bits((0b110 << 13) | (dod & 0x1fff), 16);
    else if (dod >= -524288 && dod <= 524287) out.bits((0b1110 << 20) | (dod & 0xfffff), 24);
    else {
      out.bits(0b11110, 5);
      out.integer(dod, 64);
    }
    this.#writeValue(out, high, low);
  }

  #writeValue(out: BitWriter, high: number, low: number): void {
    if (isStale(high, low)) return out.bits(0b111, 3);
    if (this.value.equals(high, low)) return out.bits(0, 1);
    out.bits(1, 1);
    this.value.writeChanged(out, high, low, 0b0, 0b10);
  }
}

function isStale(high: number, low: number): boolean {
  return high === staleHigh && low === staleLow;
}

/** As decodeXor, for XOR2 chunks. */
export function decodeXor2(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: SampleSink,
  mint: number,
  maxt: number,
  count = sampleCount(bytes, start, end),
): void {
  if (count === 0) return;
  if (end - start < headerBytes) {
    throw new CorruptionError("XOR2 chunk", 0, `${end - start} bytes, at least ${headerBytes} expected`);
  }
  // No allocation by a count that the data cannot hold: a sample takes a bit at least.
  if (count > 8 * (end - start)) {
    throw new CorruptionError("XOR2 chunk", 0, `${count} samples cannot be in ${end - start} bytes`);
  }
  const from = new BitReader(bytes, start, end, headerBytes, "XOR2 chunk");
  const reader = new Xor2Reader(from, bytes[start + startHeaderByte]);
  const before = out.n;
  out.reserve(count);
  const words = new Uint32Array(out.v.buffer, out.v.byteOffset, out.v.length * 2);
  const { starts } = out;
  let n = before;
  for (let i = 0; i < count; i++) {
    reader.next(i);
    if (reader.t > maxt) break;
    if (reader.t < mint) continue;
    out.t[n] = reader.t;
    words[2 * n] = reader.low;
    words[2 * n + 1] = reader.high;
    if (starts !== undefined) starts[n] = reader.start;
    n++;
  }
  out.n = n;
}

class Xor2Reader {
  t = 0;
  high = 0;
  low = 0;
  readonly #from: BitReader;
  readonly #value = new XorValue();
  readonly #starts = new StartTimes();
  #delta = 0;

  constructor(from: BitReader, startHeader: number) {
    this.#from = from;
    this.#starts.header = startHeader;
  }

  /** Since when the sample counts; 0 for not known. */
  get start(): number {
    return this.#starts.start;
  }

  next(index: number): void {
    const from = this.#from;
    const before = this.t;
    if (index === 0) {
      this.t = from.varint();
      this.high = from.bits(32) | 0;
      this.low = from.bits(32) | 0;
      if (isStale(this.high, this.low)) this.#value.begin(0, 0);
      else this.#value.begin(this.high, this.low);
    } else if (index === 1) {
      this.#step(from.uvarint());
      this.#readValue();
    } else this.#readSample();
    this.#starts.read(from, index, this.t, before);
  }

  #step(delta: number): void {
    if (delta <= 0) throw this.#from.corrupt(`a sample is ${delta} ms later than the one before`);
    this.#delta = delta;
    this.t += delta;
  }

  #readSample(): void {
    const from = this.#from;
    let ones = 0;
    while (ones < 5 && from.bits(1) === 1) ones++;
    if (ones === 0) {
      this.#step(this.#delta);
      this.#take();
    } else if (ones === 1) {
      this.#step(this.#delta);
      this.#value.readChanged(from, from.bits(1) === 1);
      this.#take();
    } else if (ones === 5) {
      this.#step(this.#delta);
      this.#stale();
    } else {
      this.#step(this.#delta + this.#readDod(ones));
      this.#readValue();
    }
  }

  #readDod(ones: number): number {
    const from = this.#from;
    if (ones === 4) return from.integer64();
    const size = ones === 2 ? 13 : 20;
    const value = from.bits(size);
    return value >= 2 ** (size - 1) ? value - 2 ** size : value;
  }

  #readValue(): void {
    const from = this.#from;
    const isOther = from.bits(1) === 1;
    const isUnusual = isOther && from.bits(1) === 1;
    if (isUnusual && from.bits(1) === 1) return this.#stale();
    if (isOther) this.#value.readChanged(from, isUnusual);
    this.#take();
  }

  #take(): void {
    this.high = this.#value.high;
    this.low = this.#value.low;
  }

  #stale(): void {
    this.high = staleHigh;
    this.low = staleLow;
  }
}

/**
 * Reads the bit stream of a chunk (bit-writer.ts). Works on a copy: over memory that another thread appends to it sees one
 * state. Every read is checked against the end of the data.
 */
import { CorruptionError } from "../base/errors.ts";
import { varbitSizes } from "./bit-writer.ts";

const exactMax = Number.MAX_SAFE_INTEGER;

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #endBits: number;
  #position: number;

  /** From byte `from` of `bytes[start, end)` on. `what` is for the messages: "histogram chunk". */
  constructor(bytes: Uint8Array, start: number, end: number, from: number, what: string) {
    this.#bytes = bytes.slice(start, end);
    this.#what = what;
    this.#endBits = 8 * (end - start);
    this.#position = 8 * from;
  }

  /** In bits, from the chunk's first byte on. */
  get position(): number {
    return this.#position;
  }

  corrupt(problem: string): CorruptionError {
    return new CorruptionError(this.#what, this.#position >>> 3, problem);
  }

  /** The next `n` bits, 1 <= n <= 32, as an unsigned number. */
  bits(n: number): number {
    const start = this.#position;
    const end = start + n;
    if (end > this.#endBits) throw this.corrupt(`the data ends where ${n} more bits should be`);
    const bytes = this.#bytes;
    let value = 0;
    let at = start;
    while (at < end) {
      const available = 8 - (at & 7);
      const take = Math.min(available, end - at);
      value = value * 2 ** take + ((bytes[at >>> 3] >>> (available - take)) & ((1 << take) - 1));
      at += take;
    }
    this.#position = end;
    return value;
  }

  double(): number {
    scratchWords[1] = this.bits(32);
    scratchWords[0] = this.bits(32);
    return scratch[0];
  }

  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.bits(8);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return this.#exact(value, 2 * exactMax);
      scale *= 128;
    }
    throw this.corrupt("a varint of more than ten bytes");
  }

  varint(): number {
    const zigzag = this.uvarint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** A number within ±2^53; others are refused. */
  varbit(): number {
    const size = this.#varbitSize();
    if (size === 0) return 0;
    if (size <= 32) {
      const value = this.bits(size);
      return value > 2 ** (size - 1) ? value - 2 ** size : value;
    }
    const high = this.bits(size - 32);
    const low = this.bits(32);
    const half = 2 ** (size - 33);
    // The largest of 56 bits is positive; of 64 bits it is the sign.
    const isNegative = size === 64 ? high >= half : high > half || (high === half && low > 0);
    return this.#exact((isNegative ? high - 2 * half : high) * 0x100000000 + low, exactMax);
  }

  /** 64 bits in two's complement, of a number within ±2^53; others are refused. */
  integer64(): number {
    const high = this.bits(32) | 0;
    return this.#exact(high * 0x100000000 + this.bits(32), exactMax);
  }

  /** A number from 0 to 2^53; larger ones are refused. */
  unsignedVarbit(): number {
    const size = this.#varbitSize();
    if (size === 0) return 0;
    if (size <= 32) return this.bits(size);
    const high = this.bits(size - 32);
    return this.#exact(high * 0x100000000 + this.bits(32), exactMax);
  }

  #varbitSize(): number {
    let ones = 0;
    while (ones < 8 && this.bits(1) === 1) ones++;
    return ones === 0 ? 0 : ones === 8 ? 64 : varbitSizes[ones - 1];
  }

  #exact(value: number, max: number): number {
    if (Math.abs(value) > max) throw this.corrupt(`${value} is beyond 2^53`);
    return value;
  }
}

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/**
 * The bit stream that chunks are written to: bits fill bytes from the high end, numbers are big-endian, the last byte is
 * padded with zeros. Also the codes for numbers that several encodings share.
 *
 *   varbit   0                          0
 *            10       +  3 bits        -3 … 4                          (unsigned: … 7)
 *            110      +  6 bits       -31 … 32                                  … 63
 *            1110     +  9 bits      -255 … 256                                … 511
 *            11110    + 12 bits     -2047 … 2048                              … 4095
 *            111110   + 18 bits   -131071 … 131072                          … 262143
 *            1111110  + 25 bits -16777215 … 16777216                      … 33554431
 *            11111110 + 56 bits  ±2^55                                        … 2^56
 *            11111111 + 64 bits  anything
 */

export const varbitSizes = [3, 6, 9, 12, 18, 25, 56] as const;

export class BitWriter {
  #bytes: Uint8Array;
  #length: number;
  readonly #start: number;
  /** Unused low bits of the last byte. */
  #free = 0;

  /** The first `headerBytes` are zero, and the caller's to fill. */
  constructor(headerBytes: number, capacity = 128) {
    this.#bytes = new Uint8Array(Math.max(capacity, headerBytes + 16));
    this.#start = headerBytes;
    this.#length = headerBytes;
  }

  get length(): number {
    return this.#length;
  }

  get bitLength(): number {
    return 8 * this.#length - this.#free;
  }

  /** How much memory this holds. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** A view that the next write or reset changes. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The byte at `index` of what was written. */
  byte(index: number): number {
    return this.#bytes[index];
  }

  /** The four bytes from `index` on as a big-endian number; what was not written has no meaning. */
  word(index: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[index] << 24) | (bytes[index + 1] << 16) | (bytes[index + 2] << 8) | bytes[index + 3]) >>> 0
    );
  }

  setByte(index: number, value: number): void {
    this.#bytes[index] = value;
  }

  reset(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = this.#start;
    this.#free = 0;
  }

  /** Goes on after `bytes`, of whose last one the low `free` bits are unused. */
  resume(bytes: Uint8Array, free: number): void {
    if (bytes.length + 16 > this.#bytes.length) this.#bytes = new Uint8Array(2 * bytes.length + 16);
    this.#bytes.set(bytes);
    this.#length = bytes.length;
    this.#free = free;
  }

  /** The low `n` bits of `value`, 1 <= n <= 32. */
  bits(value: number, n: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow();
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

  /** The low `n` bits of an integer, n <= 64; negative ones in two's complement. Exact within ±2^53. */
  integer(value: number, n: number): void {
    if (n > 32) this.bits(Math.floor(value / 0x100000000), n - 32);
    this.bits(value >>> 0, Math.min(n, 32));
  }

  /** The 64 bits of a double. */
  double(value: number): void {
    scratch[0] = value;
    this.bits(scratchWords[1], 32);
    this.bits(scratchWords[0], 32);
  }

  /** A varint as in protobuf, byte by byte, of a number from 0 on. */
  uvarint(value: number): void {
    while (value >= 0x80) {
      this.bits((value % 128) | 0x80, 8);
      value = Math.floor(value / 128);
    }
    this.bits(value, 8);
  }

  /** Zigzag. */
  varint(value: number): void {
    this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  varbit(value: number): void {
    if (value === 0) return this.bits(0, 1);
    for (let i = 0; i < varbitSizes.length; i++) {
      const size = varbitSizes[i];
      const max = 2 ** (size - 1);
      if (value > max || value < 1 - max) continue;
      this.#prefix(i);
      return this.integer(value, size);
    }
    this.bits(0xff, 8);
    this.integer(value, 64);
  }

  /** From 0 on. */
  unsignedVarbit(value: number): void {
    if (value === 0) return this.bits(0, 1);
    for (let i = 0; i < varbitSizes.length; i++) {
      if (value >= 2 ** varbitSizes[i]) continue;
      this.#prefix(i);
      return this.integer(value, varbitSizes[i]);
    }
    this.bits(0xff, 8);
    this.integer(value, 64);
  }

  /** i + 1 ones and a zero. */
  #prefix(i: number): void {
    this.bits(2 ** (i + 2) - 2, i + 2);
  }

  #grow(): void {
    const bigger = new Uint8Array(this.#bytes.length * 2);
    bigger.set(this.#bytes);
    this.#bytes = bigger;
  }
}

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/**
 * Doubles that follow each other in a chunk, each told by its XOR with the one before:
 *
 *   0                                                 equal
 *   10 + significant bits                             within the window of the one before
 *   11 + 5 bits leading zeros + 6 bits length (0: 64) + significant bits: a new window
 *
 * Values are handled as bits: a signalling NaN stays one.
 */
import type { BitReader } from "./bit-reader.ts";
import type { BitWriter } from "./bit-writer.ts";

/** More leading zeros than any window has. */
const noWindow = 63;
const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/** The last double of a sequence, and the window of its last difference. Writes and reads the next one. */
export class XorValue {
  high = 0;
  low = 0;
  #leading = noWindow;
  #trailing = 0;

  get value(): number {
    scratchWords[0] = this.low;
    scratchWords[1] = this.high;
    return scratch[0];
  }

  /** Begins a sequence. */
  set value(value: number) {
    scratch[0] = value;
    this.begin(scratchWords[1], scratchWords[0]);
  }

  begin(high: number, low: number): void {
    this.resume(high, low, noWindow, 0);
  }

  /** Goes on with a sequence whose last difference had this window. */
  resume(high: number, low: number, leading: number, trailing: number): void {
    this.high = high;
    this.low = low;
    this.#leading = leading;
    this.#trailing = trailing;
  }

  /** Zeros before the window; 63 while there is none. */
  get leading(): number {
    return this.#leading;
  }

  get trailing(): number {
    return this.#trailing;
  }

  writeDouble(out: BitWriter, value: number): void {
    scratch[0] = value;
    this.write(out, scratchWords[1], scratchWords[0]);
  }

  equals(high: number, low: number): boolean {
    return ((high ^ this.high) | (low ^ this.low)) === 0;
  }

  write(out: BitWriter, high: number, low: number): void {
    if (this.equals(high, low)) return out.bits(0, 1);
    out.bits(1, 1);
    this.writeChanged(out, high, low, 0, 1);
  }

  /**
   * Writes a value that is another. `same` and `fresh` tell of the old window and of a new one: 0 is the bit 0, others are
   * written with as many bits as they have.
   */
  writeChanged(out: BitWriter, high: number, low: number, same: number, fresh: number): void {
    const xorHigh = high ^ this.high;
    const xorLow = low ^ this.low;
    this.high = high;
    this.low = low;
    const leading = Math.min(xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh), 31);
    const trailing = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    if (this.#leading !== noWindow && leading >= this.#leading && trailing >= this.#trailing) {
      out.bits(same, 1);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      out.bits(fresh, 32 - Math.clz32(fresh));
      out.bits((leading << 6) | ((64 - leading - trailing) & 63), 11);
    }
    this.#writeSignificant(out, xorHigh, xorLow, 64 - this.#leading - this.#trailing);
  }

  /** The `size` bits of (high, low) that end where the window's trailing zeros begin. */
  #writeSignificant(out: BitWriter, high: number, low: number, size: number): void {
    const trailing = this.#trailing;
    if (trailing >= 32) return out.bits(high >>> (trailing - 32), size);
    // high << 32 is a no-op in JavaScript, so the shift by 32 - trailing goes in two steps
    const lower = (low >>> trailing) | ((high << 1) << (31 - trailing));
    if (size > 32) out.bits(high >>> trailing, size - 32);
    out.bits(lower, Math.min(size, 32));
  }

  read(from: BitReader): void {
    if (from.bits(1) === 1) this.readChanged(from, from.bits(1) === 1);
  }

  /** Reads a value that is another. */
  readChanged(from: BitReader, newWindow: boolean): void {
    if (newWindow) {
      const leading = from.bits(5);
      const significant = from.bits(6) || 64;
      if (leading + significant > 64)
        throw from.corrupt(`a window of ${leading} zeros and ${significant} bits`);
      this.#leading = leading;
      this.#trailing = 64 - leading - significant;
    } else if (this.#leading === noWindow) {
      // What Go's zero values make of a stream that nobody writes.
      this.#leading = 0;
      this.#trailing = 0;
    }
    const trailing = this.#trailing;
    const size = 64 - this.#leading - trailing;
    const upper = size > 32 ? from.bits(size - 32) : 0;
    const lower = from.bits(Math.min(size, 32));
    if (trailing >= 32) this.high ^= lower << (trailing - 32);
    else {
      this.high ^= (upper << trailing) | ((lower >>> 1) >>> (31 - trailing));
      this.low ^= lower << trailing;
    }
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

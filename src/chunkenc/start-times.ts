/**
 * Start timestamps in the chunks of encodings 4 to 6: since when a counter counts. Each sample's follows its other data.
 *
 *   header u8: 0x80 the first sample has one · low 7 bits: the sample from which on each has one, 0 for none
 *
 *   first sample           varint t - start          where the header says so
 *   the one it changes at  varbit previous t - start
 *   those after it         varbit difference of that to the one before
 *
 * A start of 0 means that there is none.
 */
import type { BitReader } from "./bit-reader.ts";
import type { BitWriter } from "./bit-writer.ts";

const firstKnown = 0x80;
/** Further from the epoch (ms, 35,000 years) a start time is taken for none: differences stay exact. */
const startMax = 2 ** 50;

/** The start time that a chunk gets for a sample at `t`: 0 where it is none that can be kept. */
export function storableStart(start: number, t: number): number {
  return Math.abs(start) <= startMax && Math.abs(t) <= startMax ? start : 0;
}

/** From this sample on there are start timestamps in any case, so that a later change can be told. */
const changeMax = 0x7f;

export class StartTimes {
  #start = 0;
  #difference = 0;
  #changeOn = 0;
  #firstKnown = false;

  /**
   * Goes on writing behind a sample: `header` is what the chunk's says, `start` that sample's start time, `previousTime` the time of
   * the one before it.
   */
  resume(header: number, start: number, previousTime: number): void {
    this.header = header;
    this.#start = start;
    this.#difference = previousTime - start;
  }

  /** Of the last sample. */
  get start(): number {
    return this.#start;
  }

  get header(): number {
    return (this.#firstKnown ? firstKnown : 0) | this.#changeOn;
  }

  /** For reading: what the chunk's header says. */
  set header(byte: number) {
    this.#firstKnown = (byte & firstKnown) !== 0;
    this.#changeOn = byte & changeMax;
  }

  /** Of sample number `index`. */
  read(from: BitReader, index: number, t: number, previousTime: number): void {
    if (index === 0) {
      if (this.#firstKnown) this.#start = t - from.varint();
      return;
    }
    if (this.#changeOn === 0 || index < this.#changeOn) return;
    const value = from.varbit();
    this.#difference = index === this.#changeOn ? value : this.#difference + value;
    this.#start = previousTime - this.#difference;
  }

  /** Of sample number `index`; afterwards the header may have changed. */
  write(out: BitWriter, index: number, t: number, previousTime: number, given: number): void {
    const start = storableStart(given, t);
    if (index === 0) {
      if (start !== 0) {
        out.varint(t - start);
        this.#firstKnown = true;
      }
    } else if (this.#changeOn > 0) {
      const difference = previousTime - start;
      out.varbit(difference - this.#difference);
      this.#difference = difference;
    } else if (start !== this.#start || index === changeMax) {
      this.#changeOn = index;
      this.#difference = previousTime - start;
      out.varbit(this.#difference);
    }
    this.#start = start;
  }
}

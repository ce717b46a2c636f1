/** The last sample of a histogram chunk, and what the next one is told by. Reads and writes single samples. */
import type { Histogram } from "../model/histogram.ts";
import type { BitReader } from "./bit-reader.ts";
import type { BitWriter } from "./bit-writer.ts";
import { bucketCounts, type HistogramLayout } from "./histogram-layout.ts";
import { XorValue } from "./xor-value.ts";

const noBuckets = new Float64Array(0);

export interface HistogramState {
  readonly t: number;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  /** Absolute counts; of a staleness marker those before it. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  /** Reads sample number `index`; returns whether it is a staleness marker. */
  read(from: BitReader, layout: HistogramLayout, index: number): boolean;
  /** Writes sample number `index`, whose spans are the chunk's. */
  write(out: BitWriter, t: number, histogram: Histogram, index: number): void;
}

/** A number that is told by the difference of its differences. */
class Counter {
  value = 0;
  #delta = 0;

  read(from: BitReader): void {
    this.#delta += from.varbit();
    this.value += this.#delta;
  }

  write(out: BitWriter, value: number): void {
    const delta = value - this.value;
    out.varbit(delta - this.#delta);
    this.#delta = delta;
    this.value = value;
  }
}

/** Whether the bits are those of a staleness marker. */
function isStale({ high, low }: XorValue): boolean {
  return high === 0x7ff00000 && low === 2;
}

export class IntegerHistogramState implements HistogramState {
  readonly #t = new Counter();
  readonly #count = new Counter();
  readonly #zeroCount = new Counter();
  readonly #sum = new XorValue();
  positive: Float64Array = noBuckets;
  negative: Float64Array = noBuckets;
  /** The differences from bucket to bucket, and how they changed last, of both sides. */
  #deltas = noBuckets;
  #changes = noBuckets;

  get t(): number {
    return this.#t.value;
  }

  get count(): number {
    return this.#count.value;
  }

  get zeroCount(): number {
    return this.#zeroCount.value;
  }

  get sum(): number {
    return this.#sum.value;
  }

  read(from: BitReader, layout: HistogramLayout, index: number): boolean {
    if (index === 0) return this.#readFirst(from, layout);
    this.#t.read(from);
    this.#count.read(from);
    this.#zeroCount.read(from);
    this.#sum.read(from);
    if (isStale(this.#sum)) return true;
    const deltas = this.#deltas;
    const changes = this.#changes;
    for (let i = 0; i < deltas.length; i++) {
      changes[i] += from.varbit();
      deltas[i] += changes[i];
    }
    this.#addUp();
    return false;
  }

  #readFirst(from: BitReader, layout: HistogramLayout): boolean {
    this.#allocate(layout);
    this.#t.value = from.varbit();
    this.#count.value = from.unsignedVarbit();
    this.#zeroCount.value = from.unsignedVarbit();
    this.#sum.value = from.double();
    for (let i = 0; i < this.#deltas.length; i++) this.#deltas[i] = from.varbit();
    this.#addUp();
    return isStale(this.#sum);
  }

  #allocate(layout: HistogramLayout): void {
    const [positive, negative] = bucketCounts(layout);
    this.positive = new Float64Array(positive);
    this.negative = new Float64Array(negative);
    this.#deltas = new Float64Array(positive + negative);
    this.#changes = new Float64Array(positive + negative);
  }

  /** From differences to counts. */
  #addUp(): void {
    const { positive, negative } = this;
    let n = 0;
    for (const side of [positive, negative]) {
      let count = 0;
      for (let i = 0; i < side.length; i++) side[i] = count += this.#deltas[n++];
    }
  }

  write(out: BitWriter, t: number, histogram: Histogram, index: number): void {
    if (index === 0) return this.#writeFirst(out, t, histogram);
    this.#t.write(out, t);
    if (histogram.isStale) {
      out.varbit(0);
      out.varbit(0);
      this.#sum.writeDouble(out, histogram.sum);
      return;
    }
    this.#count.write(out, histogram.count);
    this.#zeroCount.write(out, histogram.zeroCount);
    this.#sum.writeDouble(out, histogram.sum);
    let n = 0;
    for (const side of [histogram.positiveBuckets, histogram.negativeBuckets]) {
      for (let i = 0, before = 0; i < side.length; i++, n++) {
        const delta = side[i] - before;
        const change = delta - this.#deltas[n];
        out.varbit(change - this.#changes[n]);
        this.#deltas[n] = delta;
        this.#changes[n] = change;
        before = side[i];
      }
    }
    this.#keep(histogram);
  }

  #writeFirst(out: BitWriter, t: number, histogram: Histogram): void {
    const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram;
    out.varbit(t);
    out.unsignedVarbit(count);
    out.unsignedVarbit(zeroCount);
    out.double(sum);
    this.#t.value = t;
    this.#count.value = count;
    this.#zeroCount.value = zeroCount;
    this.#sum.value = sum;
    this.#deltas = new Float64Array(positiveBuckets.length + negativeBuckets.length);
    this.#changes = new Float64Array(this.#deltas.length);
    let n = 0;
    for (const side of [positiveBuckets, negativeBuckets]) {
      for (let i = 0, before = 0; i < side.length; i++) {
        out.varbit(side[i] - before);
        this.#deltas[n++] = side[i] - before;
        before = side[i];
      }
    }
    this.#keep(histogram);
  }

  /** Histograms are immutable: their arrays can be kept. */
  #keep(histogram: Histogram): void {
    this.positive = histogram.positiveBuckets;
    this.negative = histogram.negativeBuckets;
  }
}

export class FloatHistogramState implements HistogramState {
  readonly #t = new Counter();
  readonly #count = new XorValue();
  readonly #zeroCount = new XorValue();
  readonly #sum = new XorValue();
  #buckets: XorValue[] = [];
  positive: Float64Array = noBuckets;
  negative: Float64Array = noBuckets;

  get t(): number {
    return this.#t.value;
  }

  get count(): number {
    return this.#count.value;
  }

  get zeroCount(): number {
    return this.#zeroCount.value;
  }

  get sum(): number {
    return this.#sum.value;
  }

  read(from: BitReader, layout: HistogramLayout, index: number): boolean {
    const first = index === 0;
    if (first) {
      const [positive, negative] = bucketCounts(layout);
      this.positive = new Float64Array(positive);
      this.negative = new Float64Array(negative);
      this.#buckets = Array.from({ length: positive + negative }, () => new XorValue());
      this.#t.value = from.varbit();
    } else this.#t.read(from);
    for (const value of [this.#count, this.#zeroCount, this.#sum]) {
      if (first) value.value = from.double();
      else value.read(from);
    }
    if (isStale(this.#sum)) return true;
    let n = 0;
    for (const side of [this.positive, this.negative]) {
      for (let i = 0; i < side.length; i++) {
        const bucket = this.#buckets[n++];
        if (first) bucket.value = from.double();
        else bucket.read(from);
        side[i] = bucket.value;
      }
    }
    return false;
  }

  write(out: BitWriter, t: number, histogram: Histogram, index: number): void {
    const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram;
    const first = index === 0;
    if (first) {
      out.varbit(t);
      this.#t.value = t;
      this.#buckets = Array.from({ length: histogram.bucketCount }, () => new XorValue());
    } else this.#t.write(out, t);
    const write = (to: XorValue, value: number) => {
      if (!first) return to.writeDouble(out, value);
      out.double(value);
      to.value = value;
    };
    write(this.#count, count);
    write(this.#zeroCount, zeroCount);
    write(this.#sum, sum);
    if (histogram.isStale) return;
    let n = 0;
    for (const side of [positiveBuckets, negativeBuckets])
      for (const one of side) write(this.#buckets[n++], one);
    this.positive = positiveBuckets;
    this.negative = negativeBuckets;
  }
}

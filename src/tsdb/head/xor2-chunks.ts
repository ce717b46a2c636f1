/**
 * Appending floats to open XOR2 chunks, with Prometheus's rules for when a chunk ends. What the append kernel is for XOR
 * chunks (kernels/head-append.ts); it runs in the writer only, where XOR2 is configured.
 *
 * All that the encoder needs to go on is in the series' record and at the chunk's begin (docs/formats/head-memory.md); it is
 * loaded for each sample and stored after it.
 */
import { BitWriter } from "../../chunkenc/bit-writer.ts";
import { Encoding, isHistogramEncoding } from "../../chunkenc/encoding.ts";
import { Xor2Encoder } from "../../chunkenc/xor2.ts";
import { putBits, setTail, tail } from "../../kernels/bit-words.ts";
import { predictEnd } from "../../kernels/head-append.ts";
import {
  Bits,
  Chunk,
  ChunkPart,
  HistogramChunk,
  Purpose,
  Series,
  SeriesFlag,
  Xor2Chunk,
} from "../../kernels/head-layout.ts";
import { staleHigh, staleLow } from "../../model/value.ts";
import type { Head } from "./head.ts";
import { seriesRecord } from "./memory.ts";
import { openChunkBytes, openEncoding } from "./open-chunk.ts";

/** Prometheus's MaxBytesPerXORChunkBeforeAppend: a chunk with more takes no further sample. */
const bytesBeforeAppendMax = 1024 - 19;
/** The count, which readers put in, and the header of the start times. */
const headerBits = 24;

export class Xor2Chunks {
  readonly #head: Head;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #encoder = new Xor2Encoder();
  /** The bits of one sample. */
  readonly #bits = new BitWriter(0, 64);

  constructor(head: Head) {
    this.#head = head;
    this.#words = head.memory.words;
    this.#doubles = head.memory.doubles;
  }

  /**
   * Appends a value (its bits) to a series whose last sample is older. Its isolation note is taken. `start`: since when it
   * counts, 0 for not known.
   */
  append(ref: number, t: number, high: number, low: number, start: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const record = seriesRecord(words, ref);
    if (this.#isFull(record, t)) this.#begin(ref, record, t);
    const open = words[record + Series.open];
    const samples = words[record + Series.samples];
    const encoder = this.#encoder;
    this.#load(record, open, samples & 0xffff);
    this.#bits.reset();
    encoder.write(this.#bits, samples & 0xffff, t, high, low, start);
    this.#store(record, open);
    this.#setStale(record, high === staleHigh && low === staleLow);
    words[record + Series.samples]++;
    words[record + Series.lastValue] = low;
    words[record + Series.lastValue + 1] = high;
    doubles[(record + Series.lastTime) >> 1] = t;
    Atomics.store(words, record + Series.total, words[record + Series.total] + 1);
  }

  /** Whether a sample at `t` begins a new chunk. A quarter full, its end is predicted so that chunks become equally long. */
  #isFull(record: number, t: number): boolean {
    const words = this.#words;
    const doubles = this.#doubles;
    const open = words[record + Series.open];
    if (open === 0 || openEncoding(words, open) !== Encoding.xor2) return true;
    if (openChunkBytes(words, open, 0) > bytesBeforeAppendMax) return true;
    const { samplesPerChunk } = this.#head;
    const n = words[record + Series.samples] & 0xffff;
    const end = (record + Series.chunkEnd) >> 1;
    if (n === samplesPerChunk >>> 2) {
      const lastTime = doubles[(record + Series.lastTime) >> 1];
      doubles[end] = predictEnd(doubles[(open + Chunk.firstTime) >> 1], lastTime, doubles[end]);
    }
    return t >= doubles[end] || n >= 2 * samplesPerChunk;
  }

  /** A new open chunk that begins at `t`; the one before, if any, is cut. */
  #begin(ref: number, record: number, t: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const { stats, chunkRangeMs, arena } = this.#head;
    const open = words[record + Series.open];
    const slab = arena.alloc(ChunkPart.words, Purpose.openChunks);
    words[slab + Chunk.next] = 0;
    words[slab + Chunk.ordinal] = words[record + Series.total];
    words[slab + Chunk.older] = open;
    doubles[(slab + Chunk.firstTime) >> 1] = t;
    words[slab + Xor2Chunk.encoding] = (Encoding.xor2 << 16) | headerBits;
    words[slab + Xor2Chunk.data] = 0;
    if (open !== 0) this.#cut(ref, record, open);
    words[record + Series.tail] = slab + Xor2Chunk.data;
    words[record + Series.samples] &= ~0xffff & ~SeriesFlag.histogram;
    doubles[(record + Series.chunkEnd) >> 1] = t - (t % chunkRangeMs) + chunkRangeMs;
    Atomics.store(words, record + Series.open, slab);
    stats.chunks++;
    stats.chunksCreated++;
  }

  #cut(ref: number, record: number, open: number): void {
    const words = this.#words;
    const { cuts, stats } = this.#head;
    const encoding = openEncoding(words, open);
    if (isHistogramEncoding(encoding)) {
      stats.nativeHistogramSeries--;
      stats.nativeHistogramBuckets -= words[open + HistogramChunk.buckets];
    }
    const size = openChunkBytes(words, open, words[record + Series.bits] & Bits.mask);
    const lastTime = this.#doubles[(record + Series.lastTime) >> 1];
    cuts.add(ref, open, encoding, size, words[record + Series.samples] & 0xffff, lastTime);
  }

  /** The encoder as it was after the chunk's `n` samples. */
  #load(record: number, open: number, n: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const encoder = this.#encoder;
    if (n === 0) return encoder.begin();
    const window = words[record + Series.bits];
    encoder.value.resume(
      words[open + Xor2Chunk.value + 1],
      words[open + Xor2Chunk.value],
      (window >>> Bits.leadingShift) & Bits.windowMask,
      (window >>> Bits.trailingShift) & Bits.windowMask,
    );
    encoder.t = doubles[(record + Series.lastTime) >> 1];
    encoder.delta = words[record + Series.timeDelta];
    const header = (words[open + Xor2Chunk.data] >>> 8) & 0xff;
    encoder.starts.resume(header, doubles[(open + Xor2Chunk.start) >> 1], encoder.t - encoder.delta);
  }

  /** The bits of the sample, behind those that are there, and the encoder's state. */
  #store(record: number, open: number): void {
    const words = this.#words;
    const { value, starts, delta } = this.#encoder;
    this.#write(record, open);
    words[record + Series.bits] =
      Bits.otherChunk | (value.leading << Bits.leadingShift) | (value.trailing << Bits.trailingShift);
    words[record + Series.timeDelta] = delta;
    words[open + Xor2Chunk.value] = value.low;
    words[open + Xor2Chunk.value + 1] = value.high;
    this.#doubles[(open + Xor2Chunk.start) >> 1] = starts.start;
    words[open + Xor2Chunk.data] = (words[open + Xor2Chunk.data] & ~0xff00) | (starts.header << 8);
  }

  #write(record: number, open: number): void {
    const words = this.#words;
    const bits = this.#bits;
    const last = words[record + Series.tail];
    let position = words[open + Xor2Chunk.encoding] & 0xffff;
    const used = position & 31;
    const left = (ChunkPart.words - 1 - (last & (ChunkPart.words - 1))) * 32 + (used === 0 ? 0 : 32 - used);
    if (bits.bitLength > left) {
      const part = this.#head.arena.alloc(ChunkPart.words, Purpose.openChunks);
      words[part + Chunk.next] = 0;
      Atomics.store(words, (last & ~(ChunkPart.words - 1)) + Chunk.next, part);
    }
    setTail(last);
    let n = bits.bitLength;
    for (let i = 0; n > 0; i += 4, n -= 32) {
      const size = Math.min(n, 32);
      position = putBits(words, position, bits.word(i) >>> (32 - size), size);
    }
    words[record + Series.tail] = tail;
    words[open + Xor2Chunk.encoding] = (Encoding.xor2 << 16) | position;
  }

  #setStale(record: number, isStale: boolean): void {
    const words = this.#words;
    const wasStale = (words[record + Series.samples] & SeriesFlag.stale) !== 0;
    if (isStale === wasStale) return;
    words[record + Series.samples] ^= SeriesFlag.stale;
    this.#head.stats.staleSeries += isStale ? 1 : -1;
  }
}

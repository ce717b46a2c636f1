/**
 * Appending native histograms to open chunks, with Prometheus's rules for when a chunk ends. What the append kernel is
 * for floats; it runs in the writer only, because histograms are rare and big.
 *
 * The chunk's bytes are in the shared memory, where readers copy them. What it takes to append to them (the last
 * histogram, the last differences) is in a HistogramAppender here, which is only a cache: one that is missing is made
 * again from the open chunk.
 */
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import {
  type Encoding,
  hasStartTimes,
  histogramEncoding,
  isFloatHistogramEncoding,
  isHistogramEncoding,
} from "../../chunkenc/encoding.ts";
import { HistogramAppender } from "../../chunkenc/histogram.ts";
import {
  Bits,
  Chunk,
  ChunkPart,
  HistogramChunk,
  Purpose,
  Series,
  SeriesFlag,
} from "../../kernels/head-layout.ts";
import type { Histogram } from "../../model/histogram.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Head } from "./head.ts";
import { seriesRecord } from "./memory.ts";
import { copyChunkData, openChunkBytes, openChunkWords, openEncoding, storeChunkData } from "./open-chunk.ts";

/** Prometheus's TargetBytesPerHistogramChunk and MinSamplesPerHistogramChunk. */
const targetBytes = 1024;
const samplesMin = 10;
/** What the appenders may take in the writer's own memory before all of them are forgotten. */
const appenderBytesMax = 256 * 1024 * 1024;

interface CachedAppender {
  /** The open chunk that it appends to; another one is open where floats came in between. */
  slab: number;
  readonly appender: HistogramAppender;
  bytes: number;
}

export class HistogramChunks {
  readonly #head: Head;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  /** By series ref. */
  readonly #cache = new Map<number, CachedAppender>();
  #cachedBytes = 0;
  readonly #newPart = () => this.#head.arena.alloc(ChunkPart.words, Purpose.openChunks);

  constructor(head: Head) {
    this.#head = head;
    this.#words = head.memory.words;
    this.#doubles = head.memory.doubles;
  }

  /** Bytes of the writer's own memory that hold appenders. */
  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** Forgets all appenders: the next histogram of a series makes its own again. */
  dropCache(): void {
    this.#cache.clear();
    this.#cachedBytes = 0;
  }

  /** The open chunk of the series goes. */
  forget(ref: number, record: number): void {
    const words = this.#words;
    this.#uncache(ref);
    const open = words[record + Series.open];
    if (open === 0 || !isHistogramEncoding(openEncoding(words, open))) return;
    const { stats } = this.#head;
    stats.nativeHistogramSeries--;
    stats.nativeHistogramBuckets -= words[open + HistogramChunk.buckets];
    words[record + Series.samples] &= ~(SeriesFlag.histogram | SeriesFlag.endPredicted);
  }

  /** Whether the last sample of a series is a float histogram; undefined where it is a float. */
  lastIsFloat(ref: number): boolean | undefined {
    const words = this.#words;
    const record = seriesRecord(words, ref);
    if ((words[record + Series.samples] & SeriesFlag.histogram) === 0) return undefined;
    return isFloatHistogramEncoding(openEncoding(words, words[record + Series.open]));
  }

  /** The last histogram of a series; undefined where its last sample is a float, or no chunk is open. */
  last(ref: number): Histogram | undefined {
    const words = this.#words;
    const record = seriesRecord(words, ref);
    if ((words[record + Series.samples] & SeriesFlag.histogram) === 0) return undefined;
    const columns = this.#decode(words[record + Series.open], words[record + Series.samples] & 0xffff);
    return columns.histograms?.[columns.n - 1];
  }

  /** Appends to a series whose last sample is older. Its isolation note is taken. `start`: since when it counts, 0 for not known. */
  append(ref: number, t: number, histogram: Histogram, start: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const record = seriesRecord(words, ref);
    const open = words[record + Series.open];
    this.#count(record, open, histogram);
    const encoding = histogramEncoding(histogram.isFloat, this.#head.encodings.histogramStarts);
    const before =
      open !== 0 && openEncoding(words, open) === encoding ? this.#appenderOf(ref, record, open) : undefined;
    if (before === undefined || this.#isFull(record, open, t)) {
      words[record + Series.samples] &= ~SeriesFlag.endPredicted;
      const appender = new HistogramAppender(encoding);
      appender.begin(t, histogram, start, before);
      this.#begin(ref, record, t, encoding, appender);
    } else {
      const { chunk, appender } = before.append(t, histogram, start);
      if (chunk === "same") this.#extend(ref, record, open, appender);
      else if (chunk === "recoded") this.#replace(ref, record, open, encoding, appender);
      else this.#begin(ref, record, t, encoding, appender);
    }
    words[words[record + Series.open] + HistogramChunk.buckets] = histogram.bucketCount;
    words[record + Series.samples] += 1;
    doubles[(record + Series.lastValue) >> 1] = histogram.sum;
    doubles[(record + Series.lastTime) >> 1] = t;
    Atomics.store(words, record + Series.total, words[record + Series.total] + 1);
  }

  /** The gauges, and the flags that say what the last sample is. */
  #count(record: number, open: number, histogram: Histogram): void {
    const words = this.#words;
    const { stats } = this.#head;
    const samples = words[record + Series.samples];
    if ((samples & SeriesFlag.histogram) === 0) stats.nativeHistogramSeries++;
    else stats.nativeHistogramBuckets -= words[open + HistogramChunk.buckets];
    stats.nativeHistogramBuckets += histogram.bucketCount;
    const wasStale = (samples & SeriesFlag.stale) !== 0;
    const isStale = histogram.isStale;
    if (isStale !== wasStale) stats.staleSeries += isStale ? 1 : -1;
    words[record + Series.samples] =
      ((isStale ? samples | SeriesFlag.stale : samples & ~SeriesFlag.stale) | SeriesFlag.histogram) >>> 0;
  }

  /**
   * Whether the open chunk ends before `t`: where it has its quarter of the bytes, an end is predicted that makes the chunks
   * of the range equally big; twice the bytes are the most. A chunk has ten samples, unless the range ends before.
   */
  #isFull(record: number, open: number, t: number): boolean {
    const words = this.#words;
    const doubles = this.#doubles;
    const bytes = words[open + HistogramChunk.bytes];
    const firstTime = doubles[(open + Chunk.firstTime) >> 1];
    let end = doubles[(record + Series.chunkEnd) >> 1];
    let rangeEnd = end;
    if ((words[record + Series.samples] & SeriesFlag.endPredicted) !== 0)
      rangeEnd = this.#rangeEnd(firstTime);
    else if (bytes >= targetBytes / 4) {
      end = predictEnd(firstTime, doubles[(record + Series.lastTime) >> 1], end, targetBytes / bytes);
      doubles[(record + Series.chunkEnd) >> 1] = end;
      words[record + Series.samples] |= SeriesFlag.endPredicted;
    }
    if (t < end && bytes < 2 * targetBytes) return false;
    return (words[record + Series.samples] & 0xffff) >= samplesMin || t >= rangeEnd;
  }

  #rangeEnd(t: number): number {
    const { chunkRangeMs } = this.#head;
    return t - (t % chunkRangeMs) + chunkRangeMs;
  }

  /** A new open chunk with what the appender has; the one before, if any, is cut. */
  #begin(ref: number, record: number, t: number, encoding: Encoding, appender: HistogramAppender): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const { stats } = this.#head;
    const open = words[record + Series.open];
    const slab = this.#newChunk(encoding, words[record + Series.total], t, open);
    const last = this.#store(slab, slab, appender, 0);
    if (open !== 0) this.#cut(ref, record, open);
    words[record + Series.tail] = last;
    words[record + Series.bits] = Bits.otherChunk | (Bits.noWindow << Bits.leadingShift);
    words[record + Series.samples] &= ~0xffff;
    doubles[(record + Series.chunkEnd) >> 1] = this.#rangeEnd(t);
    Atomics.store(words, record + Series.open, slab);
    stats.chunks++;
    stats.chunksCreated++;
    this.#remember(ref, slab, appender);
  }

  #cut(ref: number, record: number, open: number): void {
    const words = this.#words;
    const encoding = openEncoding(words, open);
    const size = openChunkBytes(words, open, words[record + Series.bits] & Bits.mask);
    const lastTime = this.#doubles[(record + Series.lastTime) >> 1];
    this.#head.cuts.add(ref, open, encoding, size, words[record + Series.samples] & 0xffff, lastTime);
  }

  #newChunk(encoding: Encoding, ordinal: number, firstTime: number, older: number): number {
    const words = this.#words;
    const slab = this.#newPart();
    words[slab + Chunk.next] = 0;
    words[slab + Chunk.ordinal] = ordinal;
    words[slab + Chunk.older] = older;
    this.#doubles[(slab + Chunk.firstTime) >> 1] = firstTime;
    words[slab + HistogramChunk.encoding] = encoding << 16;
    words[slab + HistogramChunk.bytes] = 0;
    words[slab + HistogramChunk.buckets] = 0;
    return slab;
  }

  /** Stores what the appender has beyond `from` bytes; returns the last part. */
  #store(slab: number, last: number, appender: HistogramAppender, from: number): number {
    const bytes = appender.bytes();
    const part = storeChunkData(
      this.#words,
      appender.encoding,
      last,
      bytes,
      from === 0 ? 0 : (from - 1) & ~3,
      bytes.length,
      this.#newPart,
    );
    if (from > 0 && hasStartTimes(appender.encoding)) {
      // The header of the start times, in the first word, may have changed.
      storeChunkData(this.#words, appender.encoding, slab, bytes, 0, 4, this.#newPart);
    }
    this.#words[slab + HistogramChunk.bytes] = bytes.length;
    return part;
  }

  #extend(ref: number, record: number, open: number, appender: HistogramAppender): void {
    const words = this.#words;
    const last = words[record + Series.tail];
    words[record + Series.tail] = this.#store(open, last, appender, words[open + HistogramChunk.bytes]);
    this.#remember(ref, open, appender);
  }

  /** The same samples in other bytes, because buckets came: readers find the one or the other. */
  #replace(ref: number, record: number, open: number, encoding: Encoding, appender: HistogramAppender): void {
    const words = this.#words;
    const firstTime = this.#doubles[(open + Chunk.firstTime) >> 1];
    const slab = this.#newChunk(encoding, words[open + Chunk.ordinal], firstTime, words[open + Chunk.older]);
    words[record + Series.tail] = this.#store(slab, slab, appender, 0);
    Atomics.store(words, record + Series.open, slab);
    this.#head.retired.chunk(open);
    this.#remember(ref, slab, appender);
  }

  #appenderOf(ref: number, record: number, open: number): HistogramAppender {
    const cached = this.#cache.get(ref);
    if (cached?.slab === open) return cached.appender;
    const words = this.#words;
    const bytes = this.#bytesOf(open, words[record + Series.samples] & 0xffff);
    return HistogramAppender.resume(openEncoding(words, open), bytes);
  }

  #remember(ref: number, slab: number, appender: HistogramAppender): void {
    const bytes = appender.byteLength;
    const cached = this.#cache.get(ref);
    this.#cachedBytes += bytes - (cached?.bytes ?? 0);
    if (cached !== undefined && cached.appender === appender) {
      cached.slab = slab;
      cached.bytes = bytes;
      return;
    }
    this.#cache.set(ref, { slab, appender, bytes });
    if (this.#cachedBytes > appenderBytesMax) this.dropCache();
  }

  #uncache(ref: number): void {
    this.#cachedBytes -= this.#cache.get(ref)?.bytes ?? 0;
    this.#cache.delete(ref);
  }

  #bytesOf(open: number, samples: number): Uint8Array {
    const words = this.#words;
    const bytes = new Uint8Array(4 * openChunkWords(words, open));
    copyChunkData(words, open, bytes.length / 4, samples, bytes, 0);
    return bytes.subarray(0, words[open + HistogramChunk.bytes]);
  }

  #decode(open: number, samples: number): SampleColumns {
    const columns = new SampleColumns(samples);
    const bytes = this.#bytesOf(open, samples);
    decodeChunk(openEncoding(this.#words, open), bytes, 0, bytes.length, columns, -Infinity, Infinity);
    return columns;
  }
}

/** As for floats, where a quarter is full; here it is 1/`ratioToFull`. */
function predictEnd(start: number, current: number, end: number, ratioToFull: number): number {
  const chunks = (end - start) / ((current - start + 1) * ratioToFull);
  return chunks <= 1 ? end : Math.trunc(start + (end - start) / Math.floor(chunks));
}

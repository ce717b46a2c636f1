/**
 * Writes the head as of one committed batch, from the shared memory, while the writer goes on (any thread).
 *
 * A series of floats that no later batch has touched is copied with the state of its encoder. Of the others the visible
 * samples of their last chunk are taken, which the loader appends again: so no state is guessed.
 */
import { NarthexError } from "../../base/errors.ts";
import type { File } from "../../base/fs.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import {
  Chunk,
  ChunkEntry,
  ChunkList,
  ChunkPart,
  directoryHeaderWords,
  labelCountMask,
  Pair,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  SeriesFlag,
} from "../../kernels/head-layout.ts";
import { entryAt } from "../head/chunk-lists.ts";
import { batchesAfter, ReaderPin } from "../head/epochs.ts";
import type { ChunkStore } from "../head/head-log.ts";
import { visibleSamples } from "../head/isolation.ts";
import { type HeadMemory, pairHeader } from "../head/memory.ts";
import { openEncoding } from "../head/open-chunk.ts";
import { GatheredChunks } from "../head/series-chunks.ts";
import { isLiveRecord, pairIdsOf } from "../head/series-table.ts";
import { encodePosition, type SnapshotPosition } from "./position.ts";
import { SectionKind, SectionWriter, wordsOf } from "./sections.ts";
import { Entry, OpenKind } from "./series-layout.ts";

/** What only the writer's thread knows, as of the place from which on the WAL is replayed. */
export interface WriterPart {
  /** Exemplars, metadata and tombstones, as records of the WAL. */
  readonly records: readonly Uint8Array[];
  /** Pairs of WAL ref and time, see Head.walExpiries. */
  readonly expiries: Float64Array;
  /** Chunks of out-of-order samples in the files, `lateChunkDoubles` (series-layout.ts) numbers each. */
  readonly lateChunks: Float64Array;
}

export interface SnapshotSummary {
  readonly series: number;
  readonly sizeBytes: number;
}

/** Sections are written when they have grown to this. */
const sectionWords = 256 * 1024;

/**
 * `position` must have been taken before: what the WAL has between it and the batch that is read here is replayed
 * twice, which changes nothing. Throws an UNAVAILABLE error where the head cannot be put into a snapshot now.
 */
export function writeSnapshot(
  file: File,
  memory: HeadMemory,
  store: ChunkStore,
  owner: number,
  position: Omit<SnapshotPosition, "minTime" | "maxTime" | "hashSeed">,
  part: WriterPart,
): SnapshotSummary {
  const pin = ReaderPin.open(memory, owner);
  try {
    const { state } = pin;
    const sections = new SectionWriter(file);
    const whole: SnapshotPosition = {
      ...position,
      minTime: state.initialized ? state.minTime : Number.POSITIVE_INFINITY,
      maxTime: state.initialized ? state.maxTime : Number.NEGATIVE_INFINITY,
      hashSeed: memory.words[Root.hashSeed],
    };
    sections.write(SectionKind.position, wordsOf(encodePosition(whole), 0x20));
    const series = new SeriesSections(sections, memory, store, state.batch).writeAll(state.lastRef);
    for (const record of part.records) {
      const words = new Uint32Array(1 + Math.ceil(record.length / 4));
      words[0] = record.length;
      words.set(wordsOf(record), 1);
      sections.write(SectionKind.records, words);
    }
    sections.write(SectionKind.expiries, wordsOfDoubles(part.expiries));
    sections.write(SectionKind.late, wordsOfDoubles(part.lateChunks));
    sections.write(SectionKind.end, Uint32Array.of(series));
    return { series, sizeBytes: sections.sizeBytes };
  } finally {
    pin.close();
  }
}

function wordsOfDoubles({ buffer, byteOffset, length }: Float64Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, 2 * length);
}

function declined(why: string): NarthexError {
  return new NarthexError("UNAVAILABLE", `no head snapshot is taken: ${why}`);
}

class SeriesSections {
  readonly #sections: SectionWriter;
  readonly #words: Uint32Array;
  readonly #store: ChunkStore;
  readonly #batch: number;
  readonly #gathered: GatheredChunks;
  readonly #ids = new Uint32Array(labelCountMask);
  /** By pair id: 1 when it was written. */
  #seen = new Uint8Array(65536);
  #pairs = new Uint32Array(4096);
  #pairsLength = 0;
  #series = new Uint32Array(sectionWords + 4096);
  #seriesLength = 0;

  constructor(sections: SectionWriter, memory: HeadMemory, store: ChunkStore, batch: number) {
    this.#sections = sections;
    this.#words = memory.words;
    this.#store = store;
    this.#batch = batch;
    this.#gathered = new GatheredChunks(memory, 64);
  }

  /** Returns how many series there are. */
  writeAll(lastRef: number): number {
    const words = this.#words;
    const directory = Atomics.load(words, Root.seriesDirectory) + directoryHeaderWords;
    let count = 0;
    for (let page = 0; page <= lastRef >>> recordsPerPageBits; page++) {
      const records = words[directory + page];
      if (records === 0) continue;
      const inPage = Math.min(recordsPerPage, lastRef + 1 - page * recordsPerPage);
      for (let i = 0; i < inPage; i++) {
        const record = records + i * Series.words;
        if (!isLiveRecord(words, record)) continue;
        // No record in the WAL names it: a full replay would not know it either.
        if ((words[record + Series.samples] & SeriesFlag.unlogged) !== 0) continue;
        this.#add(record);
        count++;
        if (this.#seriesLength >= sectionWords) this.#flush();
      }
    }
    this.#flush();
    return count;
  }

  #flush(): void {
    if (this.#pairsLength > 0)
      this.#sections.write(SectionKind.pairs, this.#pairs.subarray(0, this.#pairsLength));
    if (this.#seriesLength > 0)
      this.#sections.write(SectionKind.series, this.#series.subarray(0, this.#seriesLength));
    this.#pairsLength = 0;
    this.#seriesLength = 0;
  }

  #add(record: number): void {
    const words = this.#words;
    const start = this.#seriesLength;
    const labels = pairIdsOf(words, record, this.#ids);
    const at = this.#room(Entry.words + labels);
    const out = this.#series;
    out.fill(0, at, at + Entry.words);
    out[at + Entry.walRefLow] = words[record + Series.walRefLow];
    out[at + Entry.walRefHigh] = words[record + Series.labelCount] >>> 11;
    out[at + Entry.hashLow] = words[record + Series.hashLow];
    out[at + Entry.hashHigh] = words[record + Series.hashHigh];
    out[at + Entry.labels] = labels;
    for (let i = 0; i < labels; i++) {
      this.#addPair(this.#ids[i]);
      out[at + Entry.words + i] = this.#ids[i];
    }
    const settled = this.#addSettled(at, record);
    if (settled) return;
    this.#seriesLength = start + Entry.words + labels;
    this.#addUnsettled(start, record);
  }

  /** Whether no batch after ours has touched the series; what was written is worth nothing otherwise. */
  #addSettled(at: number, record: number): boolean {
    const words = this.#words;
    if (this.#isTouched(record)) return false;
    // In this order: what leaves the chain is in the list before.
    const open = Atomics.load(words, record + Series.open);
    if (open !== 0 && Atomics.load(words, open + Chunk.older) !== 0) return false;
    if (open !== 0 && openEncoding(words, open) !== Encoding.xor) return false;
    const bits = words[record + Series.bits];
    const state = this.#series;
    state[at + Entry.total] = words[record + Series.total];
    state[at + Entry.samples] = words[record + Series.samples] & (0xffff | SeriesFlag.stale);
    state[at + Entry.bits] = bits;
    state[at + Entry.timeDelta] = words[record + Series.timeDelta];
    for (let i = 0; i < 2; i++) {
      state[at + Entry.lastTime + i] = words[record + Series.lastTime + i];
      state[at + Entry.lastValue + i] = words[record + Series.lastValue + i];
      state[at + Entry.chunkEnd + i] = words[record + Series.chunkEnd + i];
    }
    this.#addList(at, record);
    if (open !== 0) this.#addOpen(at, open, bits);
    return !this.#isTouched(record);
  }

  /** A batch notes itself in the record before it changes anything else of it. */
  #isTouched(record: number): boolean {
    const noted = Atomics.load(this.#words, record + Series.noteBatch);
    return noted !== 0 && batchesAfter(noted, this.#batch) > 0;
  }

  #addList(at: number, record: number): void {
    const words = this.#words;
    const list = Atomics.load(words, record + Series.chunkList);
    if (list === 0) return;
    const count = Atomics.load(words, list + ChunkList.count);
    const to = this.#room(count * ChunkEntry.words);
    const from = entryAt(list, 0);
    this.#series.set(words.subarray(from, from + count * ChunkEntry.words), to);
    this.#series[at + Entry.listed] = count;
    this.#series[at + Entry.listOrdinal] = words[list + ChunkList.ordinal];
  }

  #addOpen(at: number, open: number, bits: number): void {
    const words = this.#words;
    const count = ((bits & 0x3fff) + 31) >>> 5;
    const to = this.#room(count);
    const out = this.#series;
    let copied = 0;
    for (let part = open, first: number = Chunk.data; part !== 0 && copied < count; first = ChunkPart.data) {
      const end = Math.min(part + ChunkPart.words, part + first + count - copied);
      for (let word = part + first; word < end; word++) out[to + copied++] = words[word];
      part = Atomics.load(words, part + Chunk.next);
    }
    out[at + Entry.labels] |= OpenKind.settled << 16;
    out[at + Entry.openOrdinal] = words[open + Chunk.ordinal];
    out[at + Entry.dataWords] = count;
    out[at + Entry.firstTime] = words[open + Chunk.firstTime];
    out[at + Entry.firstTime + 1] = words[open + Chunk.firstTime + 1];
  }

  /** The chunks as a reader sees them, the last one as bytes. */
  #addUnsettled(at: number, record: number): void {
    const words = this.#words;
    const chunks = this.#gathered;
    chunks.clear();
    const visible = visibleSamples(words, record, this.#batch);
    const count = chunks.gather(record, this.#batch, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    const listed = Math.max(0, count - 1);
    const to = this.#room(listed * ChunkEntry.words);
    let samples = 0;
    for (let i = 0; i < listed; i++) {
      if (chunks.refs[i] < 0) throw declined("full chunks wait in memory because they could not be written");
      putEntry(this.#series, to + i * ChunkEntry.words, chunks, i);
      samples += chunks.samples[i];
    }
    const state = this.#series;
    state[at + Entry.labels] &= 0xffff;
    state[at + Entry.total] = visible;
    state[at + Entry.samples] = 0;
    state[at + Entry.listed] = listed;
    state[at + Entry.dataWords] = 0;
    if (count === 0) {
      doubleInto(state, at + Entry.lastTime, Number.NEGATIVE_INFINITY);
      return;
    }
    const last = count - 1;
    const bytes =
      chunks.refs[last] < 0
        ? chunks.bytes.subarray(chunks.starts[last], chunks.ends[last])
        : this.#store.read(chunks.refs[last]).bytes;
    const data = wordsOf(bytes);
    const dataAt = this.#room(data.length);
    // The section may have been moved.
    const out = this.#series;
    out.set(data, dataAt);
    out[at + Entry.labels] |= OpenKind.unsettled << 16;
    out[at + Entry.dataWords] = data.length;
    out[at + Entry.dataBytes] = bytes.length | (chunks.encodings[last] << 24);
    out[at + Entry.samples] = chunks.samples[last];
    out[at + Entry.openOrdinal] = visible - chunks.samples[last];
    out[at + Entry.listOrdinal] = visible - chunks.samples[last] - samples;
    doubleInto(out, at + Entry.lastTime, listed === 0 ? Number.NEGATIVE_INFINITY : chunks.maxts[listed - 1]);
    doubleInto(out, at + Entry.firstTime, chunks.mints[last]);
  }

  #addPair(id: number): void {
    if (id >= this.#seen.length) {
      const seen = new Uint8Array(2 * id);
      seen.set(this.#seen);
      this.#seen = seen;
    }
    if (this.#seen[id] === 1) return;
    this.#seen[id] = 1;
    const words = this.#words;
    const string = words[pairHeader(words, id) + Pair.string];
    const bytes = words[string];
    const count = (bytes + 3) >>> 2;
    const at = this.#pairsLength;
    if (at + 2 + count > this.#pairs.length) {
      const pairs = new Uint32Array(2 * (at + 2 + count));
      pairs.set(this.#pairs.subarray(0, at));
      this.#pairs = pairs;
    }
    this.#pairs[at] = id;
    this.#pairs[at + 1] = bytes;
    this.#pairs.set(words.subarray(string + 1, string + 1 + count), at + 2);
    this.#pairsLength = at + 2 + count;
  }

  /** Where `count` more words of the section begin; it may be moved. */
  #room(count: number): number {
    const at = this.#seriesLength;
    this.#seriesLength += count;
    if (this.#seriesLength > this.#series.length) {
      const series = new Uint32Array(2 * this.#seriesLength);
      series.set(this.#series.subarray(0, at));
      this.#series = series;
    }
    return at;
  }
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

function doubleInto(words: Uint32Array, at: number, value: number): void {
  double[0] = value;
  words[at] = doubleWords[0];
  words[at + 1] = doubleWords[1];
}

function putEntry(words: Uint32Array, at: number, chunks: GatheredChunks, i: number): void {
  const duration = chunks.maxts[i] - chunks.mints[i];
  doubleInto(words, at + ChunkEntry.mint, chunks.mints[i]);
  words[at + ChunkEntry.refLow] = chunks.refs[i];
  words[at + ChunkEntry.refHigh] = Math.floor(chunks.refs[i] / 0x100000000);
  words[at + ChunkEntry.duration] = Math.min(duration, 0xffffffff);
  words[at + ChunkEntry.samples] = chunks.samples[i] | (chunks.encodings[i] << 16);
}

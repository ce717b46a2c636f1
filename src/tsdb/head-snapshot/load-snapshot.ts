/**
 * Fills an empty head from a snapshot file. The head must have been made with the snapshot's hash seed. Whatever throws
 * leaves a head that is of no use.
 */
import { ByteReader, decodeUtf8 } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { File } from "../../base/fs.ts";
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import {
  Bits,
  Chunk,
  ChunkEntry,
  ChunkPart,
  labelCountMask,
  Purpose,
  Series,
  SeriesFlag,
} from "../../kernels/head-layout.ts";
import type { Histogram } from "../../model/histogram.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Head } from "../head/head.ts";
import { LabelCursor } from "../head/label-bytes.ts";
import { seriesRecord } from "../head/memory.ts";
import type { HeadReplay } from "../head/replay.ts";
import { decodePosition, type SnapshotPosition } from "./position.ts";
import { bytesOf, readSections, type Section, SectionKind } from "./sections.ts";
import { Entry, lateChunkDoubles, OpenKind } from "./series-layout.ts";

/** The position of the snapshot in `file`; nothing else of it is looked at. */
export function readPosition(file: File): SnapshotPosition {
  for (const { kind, words, offset } of readSections(file)) {
    if (kind !== SectionKind.position) break;
    try {
      return decodePosition(decodeUtf8(bytesOf(words)));
    } catch (cause) {
      throw new CorruptionError(file.path, offset, "the position is not the JSON that is expected", {
        cause,
      });
    }
  }
  throw new CorruptionError(file.path, 8, "the first section is not the position");
}

/** What is to be delivered once the series are there. */
export interface LoadedSnapshot {
  readonly series: number;
  /** Records of exemplars, metadata and tombstones. */
  readonly records: readonly Uint8Array[];
}

export function loadSnapshot(file: File, head: Head, replay: HeadReplay): LoadedSnapshot {
  const loader = new Loader(file.path, head, replay);
  const records: Uint8Array[] = [];
  let series = 0;
  for (const section of readSections(file)) {
    const { kind, words, offset } = section;
    if (kind === SectionKind.pairs) loader.pairs(section);
    else if (kind === SectionKind.series) series += loader.series(section);
    else if (kind === SectionKind.records) {
      const reader = new ByteReader(bytesOf(words.subarray(1)), file.path, offset + 4);
      records.push(reader.view(words[0]).slice());
    } else if (kind === SectionKind.expiries) {
      const times = new Float64Array(words.slice().buffer);
      for (let i = 0; i + 1 < times.length; i += 2) head.keepUntil(times[i], times[i + 1]);
    } else if (kind === SectionKind.late) {
      loadLate(new Float64Array(words.slice().buffer), replay);
    } else if (kind === SectionKind.end && words[0] !== series) {
      throw new CorruptionError(file.path, offset, `${words[0]} series expected, ${series} found`);
    }
  }
  loader.finish();
  return { series, records };
}

function loadLate(chunks: Float64Array, replay: HeadReplay): void {
  for (let at = 0; at + lateChunkDoubles <= chunks.length; at += lateChunkDoubles) {
    const [walRef, ref, mint, maxt, size] = chunks.subarray(at, at + lateChunkDoubles);
    replay.lateChunk(walRef, { ref, mint, maxt, samples: size & 0xffff, encoding: size >>> 16 });
  }
}

class Loader {
  readonly #path: string;
  readonly #head: Head;
  readonly #replay: HeadReplay;
  readonly #cursor = new LabelCursor();
  readonly #own = new Uint32Array(labelCountMask);
  readonly #columns = new SampleColumns(256, true);
  #refs = new Float64Array(256);
  /** From the pair ids of the file to those of this head. */
  #ids = new Uint32Array(65536);

  constructor(path: string, head: Head, replay: HeadReplay) {
    this.#path = path;
    this.#head = head;
    this.#replay = replay;
  }

  pairs({ words, offset }: Section): void {
    const bytes = bytesOf(words);
    const cursor = this.#cursor;
    for (let at = 0; at < words.length; ) {
      const id = words[at];
      const length = words[at + 1];
      const start = (at + 2) * 4;
      if (start + length > bytes.length) throw this.#corrupt(offset, at, "a label ends behind its section");
      cursor.reset(bytes, start, start + length);
      if (!cursor.next() || cursor.fieldEnd !== start + length || id >= 2 ** 28)
        throw this.#corrupt(offset, at, "a label is not in canonical form");
      if (id >= this.#ids.length) this.#grow(id);
      this.#ids[id] = this.#head.series.restorePair(cursor);
      at += 2 + Math.ceil(length / 4);
    }
  }

  /** Returns how many there are. */
  series({ words, offset }: Section): number {
    let count = 0;
    for (let at = 0; at < words.length; count++) {
      const labels = words[at + Entry.labels] & 0xffff;
      const idsAt = at + Entry.words;
      const listAt = idsAt + labels;
      const dataAt = listAt + words[at + Entry.listed] * ChunkEntry.words;
      const end = dataAt + words[at + Entry.dataWords];
      if (!(end <= words.length) || labels === 0 || labels > labelCountMask)
        throw this.#corrupt(offset, at, "a series ends behind its section");
      for (let i = 0; i < labels; i++) {
        this.#own[i] = this.#ids[words[idsAt + i]] ?? 0;
        if (this.#own[i] === 0) throw this.#corrupt(offset, at, "a series has an unknown label");
      }
      this.#restore(words, at, labels, listAt, dataAt);
      at = end;
    }
    return count;
  }

  /** Appends what was not settled. */
  finish(): void {
    this.#replay.applyStaged();
  }

  #restore(words: Uint32Array, at: number, labels: number, listAt: number, dataAt: number): void {
    const head = this.#head;
    const walRef = words[at + Entry.walRefHigh] * 0x100000000 + words[at + Entry.walRefLow];
    const ref = head.series.restore(
      this.#own,
      labels,
      walRef,
      words[at + Entry.hashLow],
      words[at + Entry.hashHigh],
    );
    const to = head.memory.words;
    const record = seriesRecord(to, ref);
    const kind = words[at + Entry.labels] >>> 16;
    const listed = words[at + Entry.listed];
    const { stats } = head;
    stats.series++;
    stats.seriesCreated++;
    stats.chunks += listed;
    stats.chunksCreated += listed;
    if (listed > 0) head.lists.restore(record, words[at + Entry.listOrdinal], words, listAt, listed);
    to[record + Series.total] =
      kind === OpenKind.unsettled ? words[at + Entry.openOrdinal] : words[at + Entry.total];
    to[record + Series.lastTime] = words[at + Entry.lastTime];
    to[record + Series.lastTime + 1] = words[at + Entry.lastTime + 1];
    this.#replay.restored(walRef, ref);
    if (kind === OpenKind.unsettled) return this.#append(words, at, dataAt, walRef);
    const flags = words[at + Entry.samples];
    to[record + Series.samples] = flags;
    if ((flags & SeriesFlag.stale) !== 0) stats.staleSeries++;
    to[record + Series.bits] = words[at + Entry.bits];
    to[record + Series.timeDelta] = words[at + Entry.timeDelta];
    for (let i = 0; i < 2; i++) {
      to[record + Series.lastValue + i] = words[at + Entry.lastValue + i];
      to[record + Series.chunkEnd + i] = words[at + Entry.chunkEnd + i];
    }
    if (kind === OpenKind.settled) this.#open(words, at, dataAt, record);
  }

  /** The open chunk, part by part. */
  #open(words: Uint32Array, at: number, dataAt: number, record: number): void {
    const { arena, memory, stats } = this.#head;
    const to = memory.words;
    const count = words[at + Entry.dataWords];
    if (count !== ((words[at + Entry.bits] & Bits.mask) + 31) >>> 5)
      throw this.#corrupt(0, at, `an open chunk of ${count} words does not have the bits that are said`);
    const first = arena.alloc(ChunkPart.words, Purpose.openChunks);
    to[first + Chunk.ordinal] = words[at + Entry.openOrdinal];
    to[first + Chunk.firstTime] = words[at + Entry.firstTime];
    to[first + Chunk.firstTime + 1] = words[at + Entry.firstTime + 1];
    to[first + Chunk.older] = 0;
    to[first + Chunk.next] = 0;
    let part = first;
    let word = first + Chunk.data;
    for (let i = 0; i < count; i++, word++) {
      if (word === part + ChunkPart.words) {
        const next = arena.alloc(ChunkPart.words, Purpose.openChunks);
        to[part + Chunk.next] = next;
        to[next + Chunk.next] = 0;
        part = next;
        word = next + ChunkPart.data;
      }
      to[word] = words[dataAt + i];
    }
    to[record + Series.tail] = word - 1;
    to[record + Series.open] = first;
    stats.chunks++;
    stats.chunksCreated++;
  }

  /** The samples of an unsettled chunk. */
  #append(words: Uint32Array, at: number, dataAt: number, walRef: number): void {
    const columns = this.#columns;
    columns.clear();
    const encoding = words[at + Entry.dataBytes] >>> 24;
    const bytes = bytesOf(words).subarray(4 * dataAt, 4 * dataAt + (words[at + Entry.dataBytes] & 0xffffff));
    const count = words[at + Entry.samples];
    decodeChunk(encoding, bytes, 0, bytes.length, columns, -Infinity, Infinity, count);
    const { n, histograms } = columns;
    if (this.#refs.length < n) this.#refs = new Float64Array(2 * n);
    this.#refs.fill(walRef, 0, n);
    if (histograms === undefined) this.#replay.samples(this.#refs, columns.t, columns.v, n, columns.starts);
    else
      this.#replay.histograms(this.#refs, columns.t, histograms as readonly Histogram[], n, columns.starts);
  }

  #grow(id: number): void {
    const ids = new Uint32Array(2 * id);
    ids.set(this.#ids);
    this.#ids = ids;
  }

  #corrupt(offset: number, word: number, problem: string): CorruptionError {
    return new CorruptionError(this.#path, offset + 4 * word, problem);
  }
}

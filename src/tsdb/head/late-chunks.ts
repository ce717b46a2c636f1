/**
 * Samples that came out of order, from the writer's side (docs/formats/head-memory.md, section 8). They stand apart from
 * the chunks of their series: up to 32 in an open chunk in the shared memory, each with the batch that brought it, so that
 * readers see whole batches; then as a chunk in `chunks_head` with the out-of-order mark. Late chunks of a series overlap.
 */
import { type ChunkEncodings, plainEncodings, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import { chunkSamples } from "../../chunkenc/encoding.ts";
import {
  directoryHeaderWords,
  LateChunk,
  LateFile,
  LateHistogram,
  LateKind,
  LateNode,
  LateSample,
  Purpose,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Slot,
} from "../../kernels/head-layout.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { outOfOrderBit } from "../chunks/head-chunks.ts";
import type { MmapMarker } from "../record/mmap-markers.ts";
import type { Arena } from "./arena.ts";
import type { PersistedChunk } from "./chunk-lists.ts";
import { growDirectory, newDirectory } from "./directory.ts";
import { batchesAfter, nextBatch, oldestBatch } from "./epochs.ts";
import type { ChunkSink } from "./head-log.ts";
import { copyLateChunk, lateRoot, sortedColumns } from "./late-samples.ts";
import { type HeadMemory, seriesRecord } from "./memory.ts";
import type { Retired } from "./retired.ts";
import { walRefOf } from "./series-table.ts";

const capacityMin = 4;
/** Prometheus's --storage.tsdb.out-of-order-cap-max. */
const capMaxDefault = 32;

/** An open chunk that takes no more samples and is written; it goes when every reader sees all of it. */
interface SealedChunk {
  readonly ref: number;
  readonly node: number;
  readonly batch: number;
  readonly chunks: readonly PersistedChunk[];
}

/** A chunk of out-of-order samples in the files. */
export interface LateFileChunk extends PersistedChunk {
  readonly walRef: number;
}

export class LateChunks {
  readonly #memory: HeadMemory;
  readonly #arena: Arena;
  readonly #retired: Retired;
  readonly #sink: ChunkSink;
  readonly #encoder = new SampleEncoder();
  /** Series with late samples. */
  readonly #refs = new Set<number>();
  readonly #sealed: SealedChunk[] = [];
  /** No late sample is older, or newer. */
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** The newest file chunk of all. */
  lastFileRef = 0;
  capMax = capMaxDefault;
  /** Whether the log names series by WAL refs that are not their first ones: a Prometheus wrote it. */
  hasOtherRefs = false;
  /** How often chunks were forgotten because blocks hold them. */
  drops = 0;
  /** Of chunks that are written. */
  encodings: ChunkEncodings = plainEncodings;
  chunksCreated = 0;

  constructor(memory: HeadMemory, arena: Arena, retired: Retired, sink: ChunkSink) {
    this.#memory = memory;
    this.#arena = arena;
    this.#retired = retired;
    this.#sink = sink;
  }

  get isEmpty(): boolean {
    return this.#refs.size === 0;
  }

  has(ref: number): boolean {
    return this.#refs.has(ref);
  }

  /** Whether the next sample of the series begins a new chunk. */
  isFull(ref: number): boolean {
    const { words } = this.#memory;
    const node = this.#open(ref);
    return node !== 0 && words[node + LateChunk.count] >= this.capMax;
  }

  /** Whether the series' open chunk has a sample at `t`: then another is left out, whatever its value. */
  hasTime(ref: number, t: number): boolean {
    const { words, doubles } = this.#memory;
    const node = this.#open(ref);
    if (node === 0) return false;
    const end = node + LateChunk.header + words[node + LateChunk.count] * LateSample.words;
    for (let at = node + LateChunk.header; at < end; at += LateSample.words) {
      if (doubles[(at + LateSample.t) >> 1] === t) return true;
    }
    return false;
  }

  /** Inserts sample `i` of the columns as one of the batch in progress; false where there is one at its time. */
  insert(ref: number, samples: SampleColumns, i: number): boolean {
    const t = samples.t[i];
    if (this.isFull(ref)) this.seal(ref);
    if (this.hasTime(ref, t)) return false;
    const { words, doubles } = this.#memory;
    const histogram = samples.histograms?.[i];
    // As in chunks in order: a histogram loses its start time where its encoding has no place for it.
    if (histogram !== undefined && !this.encodings.histogramStarts) samples.starts?.fill(0, i, i + 1);
    const start = samples.starts?.[i] ?? 0;
    const data = histogram === undefined && start === 0 ? 0 : this.#store(samples, i);
    const node = this.#withRoom(ref);
    const count = words[node + LateChunk.count];
    const at = node + LateChunk.header + count * LateSample.words;
    const bits = new Uint32Array(samples.v.buffer, samples.v.byteOffset + 8 * i, 2);
    doubles[(at + LateSample.t) >> 1] = t;
    words[at + LateSample.v] = bits[0];
    words[at + LateSample.v + 1] = bits[1];
    words[at + LateSample.batch] = nextBatch(words[Root.committed]);
    words[at + LateSample.histogram] = data;
    Atomics.store(words, node + LateChunk.count, count + 1);
    this.#extend(t, t);
    return true;
  }

  /**
   * Writes the open chunk of the series to the files; the next sample begins another. Returns the markers for the log, none
   * where the files cannot be written: then the chunk goes on growing.
   */
  seal(ref: number): MmapMarker[] {
    const node = this.#open(ref);
    if (node === 0) return [];
    let chunks: PersistedChunk[];
    try {
      chunks = this.#write(ref, node);
    } catch {
      return [];
    }
    return this.#sealedAs(ref, node, chunks);
  }

  #write(ref: number, node: number): PersistedChunk[] {
    const walRef = this.#walRef(ref);
    const samples = new SampleColumns(2 * capacityMin, true);
    copyLateChunk(this.#memory, node, undefined, samples);
    const sorted = sortedColumns(samples);
    const chunks: PersistedChunk[] = [];
    const { encodings } = this;
    for (const { encoding, mint, maxt, bytes } of this.#encoder.encode(sorted, 0, sorted.n, encodings)) {
      const ref = this.#sink.append(walRef, mint, maxt, encoding | outOfOrderBit, bytes);
      chunks.push({ ref, mint, maxt, samples: chunkSamples(encoding, bytes), encoding });
    }
    this.#sink.flush();
    return chunks;
  }

  #walRef(ref: number): number {
    const { words } = this.#memory;
    return walRefOf(words, seriesRecord(words, ref));
  }

  /** Begins another open chunk; the one before is in the files. */
  #sealedAs(ref: number, node: number, chunks: readonly PersistedChunk[]): MmapMarker[] {
    const { words } = this.#memory;
    const walRef = this.#walRef(ref);
    for (const chunk of chunks) this.lastFileRef = Math.max(this.lastFileRef, chunk.ref);
    this.#sealed.push({ ref, node, batch: nextBatch(words[Root.committed]), chunks });
    this.#setRoot(ref, this.#newChunk(capacityMin, lateRoot(words, ref)));
    return chunks.map((chunk) => ({ walRef, chunkRef: chunk.ref }));
  }

  /** Seals all that has samples; throws where the files cannot be written. What was sealed before stays so. */
  sealAll(): void {
    for (const ref of this.#refs) {
      if (this.#countOf(ref) === 0) continue;
      const node = this.#open(ref);
      this.#sealedAs(ref, node, this.#write(ref, node));
    }
  }

  /** Whether nothing sealed is in memory any more. */
  get isSettled(): boolean {
    return this.#sealed.length === 0;
  }

  /** Puts chunks in files in the place of sealed ones that every reader sees whole. To be called after a commit. */
  settle(): void {
    if (this.#sealed.length === 0) return;
    const { words } = this.#memory;
    const oldest = oldestBatch(words, Slot.pinned);
    while (this.#sealed.length > 0 && batchesAfter(this.#sealed[0].batch, oldest) <= 0) {
      const { ref, node, chunks } = this.#sealed.shift() as SealedChunk;
      let link = words[node + LateNode.older];
      for (const chunk of chunks) link = this.#newFile(chunk, link);
      this.#relink(ref, node, link);
      this.#retireNode(node);
    }
  }

  /** A chunk that was found in the files at the start. */
  attach(ref: number, chunk: PersistedChunk): void {
    this.#setRoot(ref, this.#newFile(chunk, lateRoot(this.#memory.words, ref)));
    this.lastFileRef = Math.max(this.lastFileRef, chunk.ref);
    this.#extend(chunk.mint, chunk.maxt);
  }

  /** A marker of the log at its replay: what the log had before it is in files. */
  forgetOpen(ref: number): void {
    const { words } = this.#memory;
    const node = this.#open(ref);
    if (node === 0) return;
    this.#setRoot(ref, this.#newChunk(capacityMin, words[node + LateNode.older]));
    this.#retireNode(node);
  }

  /** Forgets chunks in files up to `lastRef`: blocks hold them, and who opened the head before has closed it. */
  dropFiles(lastRef: number): void {
    this.drops++;
    const { words, doubles } = this.#memory;
    this.minTime = Number.POSITIVE_INFINITY;
    this.maxTime = Number.NEGATIVE_INFINITY;
    for (const ref of [...this.#refs]) {
      let newer = 0;
      for (let node = lateRoot(words, ref); node !== 0; ) {
        const older = words[node + LateNode.older];
        const isFile = words[node + LateNode.kind] === LateKind.file;
        const fileRef = words[node + LateFile.refHigh] * 0x100000000 + words[node + LateFile.refLow];
        // A sealed chunk must not become the first one.
        const isEmpty =
          !isFile &&
          words[node + LateChunk.count] === 0 &&
          (older === 0 || words[older + LateNode.kind] === LateKind.file);
        if (isEmpty || (isFile && fileRef <= lastRef)) {
          if (newer === 0) this.#setRoot(ref, older);
          else Atomics.store(words, newer + LateNode.older, older);
          this.#retired.memory(node, Purpose.outOfOrder);
        } else {
          newer = node;
          if (isFile)
            this.#extend(doubles[(node + LateFile.mint) >> 1], doubles[(node + LateFile.maxt) >> 1]);
          else this.#extendBy(node);
        }
        node = older;
      }
      if (newer === 0) this.#refs.delete(ref);
    }
  }

  /** The chunks in files, also of those that readers still see in memory; oldest first. */
  inFiles(): LateFileChunk[] {
    const { words, doubles } = this.#memory;
    const chunks: LateFileChunk[] = [];
    for (const ref of this.#refs) {
      const walRef = this.#walRef(ref);
      for (let node = lateRoot(words, ref); node !== 0; node = words[node + LateNode.older]) {
        if (words[node + LateNode.kind] !== LateKind.file) continue;
        const samples = words[node + LateFile.samples];
        chunks.push({
          walRef,
          ref: words[node + LateFile.refHigh] * 0x100000000 + words[node + LateFile.refLow],
          mint: doubles[(node + LateFile.mint) >> 1],
          maxt: doubles[(node + LateFile.maxt) >> 1],
          samples: samples & 0xffff,
          encoding: samples >>> 16,
        });
      }
    }
    for (const sealed of this.#sealed) {
      const walRef = this.#walRef(sealed.ref);
      for (const chunk of sealed.chunks) chunks.push({ walRef, ...chunk });
    }
    return chunks.sort((a, b) => a.ref - b.ref);
  }

  /** The series is gone. */
  drop(ref: number): void {
    const { words } = this.#memory;
    if (!this.#refs.has(ref)) return;
    let node = lateRoot(words, ref);
    this.#setRoot(ref, 0);
    while (node !== 0) {
      const older = words[node + LateNode.older];
      this.#retireNode(node);
      node = older;
    }
    this.#refs.delete(ref);
    for (let i = this.#sealed.length - 1; i >= 0; i--) {
      if (this.#sealed[i].ref === ref) this.#sealed.splice(i, 1);
    }
  }

  /** The newest node, where it is in memory; 0 where there is none. */
  #open(ref: number): number {
    if (!this.#refs.has(ref)) return 0;
    const { words } = this.#memory;
    const node = lateRoot(words, ref);
    return node !== 0 && words[node + LateNode.kind] === LateKind.open ? node : 0;
  }

  #countOf(ref: number): number {
    const node = this.#open(ref);
    return node === 0 ? 0 : this.#memory.words[node + LateChunk.count];
  }

  #extend(mint: number, maxt: number): void {
    this.minTime = Math.min(this.minTime, mint);
    this.maxTime = Math.max(this.maxTime, maxt);
  }

  #extendBy(node: number): void {
    const { words, doubles } = this.#memory;
    for (let i = 0; i < words[node + LateChunk.count]; i++) {
      const t = doubles[(node + LateChunk.header + i * LateSample.words + LateSample.t) >> 1];
      this.#extend(t, t);
    }
  }

  /** The open chunk of the series, with room for another sample. */
  #withRoom(ref: number): number {
    const { words } = this.#memory;
    const node = this.#open(ref);
    if (node === 0) {
      const root = this.#newChunk(capacityMin, lateRoot(words, ref));
      this.chunksCreated++;
      this.#setRoot(ref, root);
      return root;
    }
    const count = words[node + LateChunk.count];
    if (count < words[node + LateChunk.capacity]) return node;
    const bigger = this.#newChunk(2 * count, words[node + LateNode.older]);
    const from = node + LateChunk.header;
    words.copyWithin(bigger + LateChunk.header, from, from + count * LateSample.words);
    words[bigger + LateChunk.count] = count;
    this.#setRoot(ref, bigger);
    this.#retired.memory(node, Purpose.outOfOrder);
    return bigger;
  }

  #newChunk(capacity: number, older: number): number {
    const { words } = this.#memory;
    const node = this.#arena.alloc(LateChunk.header + capacity * LateSample.words, Purpose.outOfOrder);
    words[node + LateNode.older] = older;
    words[node + LateNode.kind] = LateKind.open;
    words[node + LateChunk.count] = 0;
    words[node + LateChunk.capacity] = capacity;
    return node;
  }

  #newFile(chunk: PersistedChunk, older: number): number {
    const { words, doubles } = this.#memory;
    const node = this.#arena.alloc(LateFile.words, Purpose.outOfOrder);
    words[node + LateNode.older] = older;
    words[node + LateNode.kind] = LateKind.file;
    words[node + LateFile.refLow] = chunk.ref;
    words[node + LateFile.refHigh] = Math.floor(chunk.ref / 0x100000000);
    doubles[(node + LateFile.mint) >> 1] = chunk.mint;
    doubles[(node + LateFile.maxt) >> 1] = chunk.maxt;
    words[node + LateFile.samples] = chunk.samples | (chunk.encoding << 16);
    return node;
  }

  /** Sample `i`, a histogram or a float with a start timestamp, as a chunk of its own. */
  #store(samples: SampleColumns, i: number): number {
    const { words } = this.#memory;
    for (const { encoding, bytes } of this.#encoder.encode(samples, i, i + 1, plainEncodings)) {
      const data = this.#arena.alloc(LateHistogram.data + ((bytes.length + 3) >>> 2), Purpose.outOfOrder);
      words[data + LateHistogram.encoding] = encoding;
      words[data + LateHistogram.bytes] = bytes.length;
      new Uint8Array(words.buffer, 4 * (data + LateHistogram.data), bytes.length).set(bytes);
      return data;
    }
    return 0;
  }

  #relink(ref: number, node: number, by: number): void {
    const { words } = this.#memory;
    let newer = lateRoot(words, ref);
    if (newer === node) return this.#setRoot(ref, by);
    while (newer !== 0 && words[newer + LateNode.older] !== node) newer = words[newer + LateNode.older];
    if (newer !== 0) Atomics.store(words, newer + LateNode.older, by);
  }

  #retireNode(node: number): void {
    const { words } = this.#memory;
    if (words[node + LateNode.kind] === LateKind.open) {
      for (let i = 0; i < words[node + LateChunk.count]; i++) {
        const data = words[node + LateChunk.header + i * LateSample.words + LateSample.histogram];
        if (data !== 0) this.#retired.memory(data, Purpose.outOfOrder);
      }
    }
    this.#retired.memory(node, Purpose.outOfOrder);
  }

  #setRoot(ref: number, node: number): void {
    const { words } = this.#memory;
    if (words[Root.outOfOrder] === 0) {
      Atomics.store(words, Root.outOfOrder, newDirectory(this.#memory, this.#arena));
    }
    const page = ref >>> recordsPerPageBits;
    const directory = growDirectory(this.#memory, this.#arena, this.#retired, Root.outOfOrder, page);
    const entry = directory + directoryHeaderWords + page;
    if (words[entry] === 0) {
      Atomics.store(words, entry, this.#arena.allocZeroed(recordsPerPage, Purpose.outOfOrder));
    }
    Atomics.store(words, words[entry] + (ref & (recordsPerPage - 1)), node);
    if (node !== 0) this.#refs.add(ref);
  }
}

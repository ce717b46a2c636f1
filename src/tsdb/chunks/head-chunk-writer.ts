/**
 * Writes full chunks of the head to `chunks_head/`. One writer per directory.
 *
 * Appended chunks wait in memory until {@link HeadChunkWriter.flush}: one write, after which other threads may read
 * them. A ref must not be published before. Files are synced when they are cut and at close, not at a flush: until a
 * block covers them the WAL holds the same samples.
 *
 * Cut: create (header included) → sync directory; the file before it was written out and synced first.
 */
import { ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { type File, type Fs, makeDurable } from "../../base/fs.ts";
import type { HeadChunkFile } from "./head-chunk-scan.ts";
import {
  entryChecksumBytes,
  entryFixedBytes,
  headChunkFileBytesMax,
  headChunkHeaderBytes,
  headChunkMagic,
  headChunkPath,
  headChunkRef,
  headChunkVersion,
  listHeadChunkFiles,
  outOfOrderBit,
} from "./head-chunks.ts";

/** Kept for ever: nobody said what is in it. */
const unknownFile: HeadChunkFile = { maxt: Number.POSITIVE_INFINITY, lateRef: 0 };

export interface HeadChunkWriterOptions {
  /** Default 128 MiB, as Prometheus. */
  readonly fileBytesMax?: number;
  /** How much may wait in memory before an append flushes by itself. Default 4 MiB. */
  readonly bufferBytesMax?: number;
  /**
   * Called before a file is synced. The log must be synced then: otherwise some series would be further on than others
   * after a power cut, by the chunks that were on the disk before their log.
   */
  readonly beforeSync?: () => void;
}

export class HeadChunkWriter {
  readonly dir: string;
  readonly #fs: Fs;
  readonly #fileBytesMax: number;
  readonly #bufferBytesMax: number;
  readonly #beforeSync: () => void;
  readonly #buffer = new ByteWriter(64 * 1024);
  /** Per file: the newest time in it, of chunks in order. Ascending by file number. */
  readonly #maxt: Map<number, number>;
  /** The last out-of-order chunk of each file that has some that are still needed. */
  readonly #lateRefs: Map<number, number>;
  #file: File | undefined;
  #segment: number;
  /** Bytes of the current file that are written out; the buffer comes after them. */
  #written = 0;
  #closed = false;

  private constructor(
    fs: Fs,
    dir: string,
    segment: number,
    files: ReadonlyMap<number, HeadChunkFile>,
    options: HeadChunkWriterOptions,
  ) {
    this.#fs = fs;
    this.dir = dir;
    this.#segment = segment;
    this.#maxt = new Map([...files].map(([segment, { maxt }]) => [segment, maxt]));
    this.#lateRefs = new Map(
      [...files].filter(([, { lateRef }]) => lateRef > 0).map(([segment, { lateRef }]) => [segment, lateRef]),
    );
    this.#fileBytesMax = options.fileBytesMax ?? headChunkFileBytesMax;
    this.#bufferBytesMax = options.bufferBytesMax ?? 4 * 1024 * 1024;
    this.#beforeSync = options.beforeSync ?? (() => {});
  }

  /**
   * Creates the directory if need be. Never writes into a file that is there already: the first chunk begins a new one.
   * The last one is synced, because its writer may have been killed: after a power cut a series must not have chunks of
   * the new file without those before them, or the samples between would be taken for out of order. `known` says what each file holds, as
   * `scanHeadChunks` returned it; files that it does not name are kept.
   */
  static open(
    env: { readonly fs: Fs },
    dir: string,
    known: ReadonlyMap<number, HeadChunkFile> = new Map(),
    options: HeadChunkWriterOptions = {},
  ): HeadChunkWriter {
    env.fs.makeDir(dir);
    const files = listHeadChunkFiles(env.fs, dir);
    if (files.length > 0) makeDurable(env.fs, headChunkPath(dir, files[files.length - 1]));
    const all = new Map(files.map((segment) => [segment, known.get(segment) ?? unknownFile]));
    return new HeadChunkWriter(env.fs, dir, files.at(-1) ?? 0, all, options);
  }

  /** The number of the newest file; 0 when there never was one. */
  get segment(): number {
    return this.#segment;
  }

  /** The files with what is written of each and what decides when it goes, ascending; undefined while chunks wait for a flush. */
  files(): (HeadChunkFile & { readonly number: number; readonly bytes: number })[] | undefined {
    if (this.#buffer.length > 0) return undefined;
    return [...this.#maxt].map(([number, maxt]) => ({
      number,
      bytes:
        number === this.#segment && this.#file !== undefined
          ? this.#written
          : (this.#fs.stat(headChunkPath(this.dir, number))?.sizeBytes ?? 0),
      maxt,
      lateRef: this.#lateRefs.get(number) ?? 0,
    }));
  }

  /** How many bytes wait for the next flush. */
  get bufferedBytes(): number {
    return this.#buffer.length;
  }

  /**
   * Adds a chunk (a copy is taken) and returns its ref. `encoding` may carry `outOfOrderBit`. When a file has to be cut
   * or the buffer is full this writes; if that throws, the chunk was not added and the call may be repeated.
   */
  append(walRef: number, mint: number, maxt: number, encoding: number, bytes: Uint8Array): number {
    if (this.#closed) throw new TypeError("append to a closed HeadChunkWriter");
    const entryBytes = entryFixedBytes + uvarintBytes(bytes.length) + bytes.length + entryChecksumBytes;
    const end = this.#written + this.#buffer.length + entryBytes;
    if (this.#file === undefined || end > this.#fileBytesMax) this.#cut();
    else if (this.#buffer.length + entryBytes > this.#bufferBytesMax) this.flush();
    const buffer = this.#buffer;
    const start = buffer.length;
    buffer.u64(walRef);
    buffer.i64(mint);
    buffer.i64(maxt);
    buffer.u8(encoding);
    buffer.uvarint(bytes.length);
    buffer.raw(bytes);
    buffer.u32(crc32c(buffer.bytes(), start));
    const ref = headChunkRef(this.#segment, this.#written + start);
    if ((encoding & outOfOrderBit) !== 0) this.#lateRefs.set(this.#segment, ref);
    else if (maxt > (this.#maxt.get(this.#segment) as number)) this.#maxt.set(this.#segment, maxt);
    return ref;
  }

  /** Writes what waits. If it throws, everything still waits: call it again later. */
  flush(): void {
    if (this.#buffer.length === 0) return;
    const file = this.#file as File;
    file.writeAt(this.#buffer.bytes(), this.#written);
    this.#written += this.#buffer.length;
    this.#buffer.clear();
  }

  /** Lets the next chunk begin a new file, if the current one holds any. */
  cut(): void {
    if (this.#file === undefined || this.#written + this.#buffer.length <= headChunkHeaderBytes) return;
    this.#finish();
  }

  /** Out-of-order chunks up to `ref` are in blocks. */
  dropLate(ref: number): void {
    for (const [segment, last] of this.#lateRefs) if (last <= ref) this.#lateRefs.delete(segment);
  }

  /**
   * Removes the oldest files, one after the other, as long as nothing in them is newer than or at `mint`, and cuts the
   * current one. Old files after one that is kept (for its out-of-order chunks, or for ever) are emptied down to their header:
   * where a number is missing, Prometheus takes all that follows for damaged. Returns the number of the oldest file that
   * is left (or that the next chunk will begin). Readers may still have removed files open; tell them.
   */
  truncate(mint: number): number {
    this.cut();
    let oldest: number | undefined;
    for (const [segment, maxt] of this.#maxt) {
      if (
        maxt >= mint ||
        this.#lateRefs.has(segment) ||
        (segment === this.#segment && this.#file !== undefined)
      ) {
        oldest ??= segment;
        if (maxt >= mint && maxt !== Number.POSITIVE_INFINITY) break;
      } else if (oldest === undefined) {
        this.#fs.removeFile(headChunkPath(this.dir, segment));
        this.#maxt.delete(segment);
      } else {
        this.#empty(segment);
      }
    }
    return oldest ?? this.#segment + 1;
  }

  /** The size of all files and of what waits. */
  sizeBytes(): number {
    let total = this.#buffer.length;
    for (const segment of this.#maxt.keys()) {
      total += this.#fs.stat(headChunkPath(this.dir, segment))?.sizeBytes ?? 0;
    }
    return total;
  }

  /** Flushes and syncs. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#finish();
  }

  #empty(segment: number): void {
    const path = headChunkPath(this.dir, segment);
    if ((this.#fs.stat(path)?.sizeBytes ?? 0) <= headChunkHeaderBytes) return;
    const file = this.#fs.open(path, "write");
    try {
      file.truncate(headChunkHeaderBytes);
    } finally {
      file.close();
    }
  }

  #finish(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.flush();
    this.#beforeSync();
    file.sync();
    file.close();
    this.#file = undefined;
  }

  #cut(): void {
    this.#finish();
    const segment = this.#segment + 1;
    const header = new ByteWriter(headChunkHeaderBytes);
    header.u32(headChunkMagic);
    header.u8(headChunkVersion);
    header.zeros(3);
    const file = this.#fs.open(headChunkPath(this.dir, segment), "replace");
    try {
      file.writeAt(header.bytes(), 0);
      this.#fs.syncDir(this.dir);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file = file;
    this.#segment = segment;
    this.#written = headChunkHeaderBytes;
    this.#maxt.set(segment, Number.NEGATIVE_INFINITY);
  }
}

function uvarintBytes(value: number): number {
  let count = 1;
  for (; value >= 128; value = Math.floor(value / 128)) count++;
  return count;
}

/**
 * Reads single chunks of `chunks_head/` by ref. Every thread has its own reader; the files are shared with the writer,
 * which may be appending to the newest one: a ref is readable once the writer has flushed it.
 *
 * Chunks that a query reads one after the other lie close together, so reads go through a small cache of pages; files
 * stay open, a few of them, least recently used ones are closed first.
 */
import { CorruptionError } from "../../base/errors.ts";
import type { File, Fs } from "../../base/fs.ts";
import type { Chunk } from "./chunk.ts";
import {
  entryChecksumBytes,
  entryHeadBytesMax,
  headChunkOffset,
  headChunkPath,
  headChunkSegment,
  newEntryHead,
  outOfOrderBit,
  parseEntryHead,
  verifyEntry,
} from "./head-chunks.ts";

/** A chunk of `chunks_head/`. */
export interface HeadChunk extends Chunk {
  /** The series it belongs to. */
  readonly walRef: number;
  readonly outOfOrder: boolean;
}

export interface HeadChunkReaderOptions {
  /** Default 16. */
  readonly openFilesMax?: number;
  /** Default 256 (4 MiB). */
  readonly cachedPagesMax?: number;
}

const pageBytes = 16 * 1024;

interface Page {
  readonly bytes: Uint8Array;
  /** How many of them were in the file when it was read: the newest file grows. */
  held: number;
}

export class HeadChunkReader {
  readonly #fs: Fs;
  readonly #dir: string;
  readonly #openFilesMax: number;
  readonly #cachedPagesMax: number;
  /** By file number, least recently used first. */
  readonly #files = new Map<number, File>();
  /** By file number * 2^32 + page number, least recently used first. */
  readonly #pages = new Map<number, Page>();
  readonly #head = newEntryHead();
  #scratch = new Uint8Array(1024);

  constructor(env: { readonly fs: Fs }, dir: string, options: HeadChunkReaderOptions = {}) {
    this.#fs = env.fs;
    this.#dir = dir;
    this.#openFilesMax = options.openFilesMax ?? 16;
    this.#cachedPagesMax = options.cachedPagesMax ?? 256;
  }

  /**
   * The chunk at `ref`; its bytes are valid until the next read. Throws a CorruptionError where there is no whole chunk,
   * ENOENT where its file was removed.
   */
  read(ref: number): HeadChunk {
    const segment = headChunkSegment(ref);
    const offset = headChunkOffset(ref);
    const file = this.#open(segment);
    const head = this.#head;
    parseEntryHead(this.#bytes(file, segment, offset, entryHeadBytesMax, false), 0, head, file.path, offset);
    const { walRef, mint, maxt, encodingByte, dataStart, dataBytes } = head;
    const end = dataStart + dataBytes;
    const entry = this.#bytes(file, segment, offset, end + entryChecksumBytes, true);
    verifyEntry(entry, 0, end, file.path, offset);
    return {
      walRef,
      mint,
      maxt,
      encoding: encodingByte & ~outOfOrderBit,
      outOfOrder: (encodingByte & outOfOrderBit) !== 0,
      bytes: entry.subarray(dataStart, end),
    };
  }

  /** Lets go of files with a lower number: after the writer truncated, so that their room on the disk is freed. */
  forgetBefore(segment: number): void {
    for (const [number, file] of this.#files) {
      if (number >= segment) continue;
      file.close();
      this.#files.delete(number);
    }
    for (const key of this.#pages.keys()) if (headChunkSegment(key) < segment) this.#pages.delete(key);
  }

  /** Idempotent. */
  close(): void {
    this.forgetBefore(Number.POSITIVE_INFINITY);
  }

  #open(segment: number): File {
    let file = this.#files.get(segment);
    if (file === undefined) {
      file = this.#fs.open(headChunkPath(this.#dir, segment), "read");
      if (this.#files.size >= this.#openFilesMax) {
        const [oldest, unused] = this.#files.entries().next().value as [number, File];
        unused.close();
        this.#files.delete(oldest);
      }
    } else {
      this.#files.delete(segment);
    }
    this.#files.set(segment, file);
    return file;
  }

  /** `count` bytes at `offset`; with `all` unset fewer at the end of the file. Valid until the next call. */
  #bytes(file: File, segment: number, offset: number, count: number, all: boolean): Uint8Array {
    const pageNumber = Math.floor(offset / pageBytes);
    const start = offset - pageNumber * pageBytes;
    let bytes: Uint8Array;
    if (start + count <= pageBytes) {
      const page = this.#page(file, segment, pageNumber, start + count);
      bytes = page.bytes.subarray(start, Math.min(start + count, Math.max(start, page.held)));
    } else {
      if (all && offset + count > file.size()) throw endsWithin(file, offset);
      if (count > this.#scratch.length) this.#scratch = new Uint8Array(count * 2);
      const into = this.#scratch.subarray(0, count);
      bytes = into.subarray(0, file.readAt(into, offset));
    }
    if (all && bytes.length < count) throw endsWithin(file, offset);
    return bytes;
  }

  /** The page, holding at least `needed` bytes unless the file ends before. */
  #page(file: File, segment: number, pageNumber: number, needed: number): Page {
    const key = segment * 0x100000000 + pageNumber;
    let page = this.#pages.get(key);
    if (page !== undefined) {
      this.#pages.delete(key);
    } else if (this.#pages.size >= this.#cachedPagesMax) {
      const [oldest, unused] = this.#pages.entries().next().value as [number, Page];
      this.#pages.delete(oldest);
      page = { bytes: unused.bytes, held: 0 };
    } else {
      page = { bytes: new Uint8Array(pageBytes), held: 0 };
    }
    this.#pages.set(key, page);
    if (page.held < needed) page.held = file.readAt(page.bytes, pageNumber * pageBytes);
    return page;
  }
}

function endsWithin(file: File, offset: number): CorruptionError {
  return new CorruptionError(file.path, offset, "the file ends within a chunk");
}

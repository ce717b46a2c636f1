/**
 * Reads single chunks of `chunks_head/` by ref. Every thread has its own reader; the files are shared with the writer,
 * which may be appending to the newest one and removes old ones: a ref is readable once the writer has flushed it, for
 * as long as the head names it.
 *
 * Chunks that a query reads one after the other lie close together, so reads go through a page cache. A few files stay
 * open, the least recently used is closed first; removed ones when the next file is opened.
 */
import type { Fs } from "../../base/fs.ts";
import type { PageCache, PagedFile } from "../../base/page-cache.ts";
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
}

export class HeadChunkReader {
  readonly #fs: Fs;
  readonly #cache: PageCache;
  readonly #dir: string;
  readonly #openFilesMax: number;
  /** By file number, least recently used first. */
  readonly #files = new Map<number, PagedFile>();
  readonly #head = newEntryHead();

  constructor(
    env: { readonly fs: Fs; readonly cache: PageCache },
    dir: string,
    options: HeadChunkReaderOptions = {},
  ) {
    this.#fs = env.fs;
    this.#cache = env.cache;
    this.#dir = dir;
    this.#openFilesMax = options.openFilesMax ?? 16;
  }

  /**
   * The chunk at `ref`; its bytes stay valid. Throws a CorruptionError where there is no whole chunk, ENOENT where its
   * file was removed.
   */
  read(ref: number): HeadChunk {
    const file = this.#open(headChunkSegment(ref));
    const offset = headChunkOffset(ref);
    const head = this.#head;
    // Even an entry without data is that long, with its checksum.
    parseEntryHead(file.view(offset, entryHeadBytesMax), 0, head, file.path, offset);
    const { walRef, mint, maxt, encodingByte, dataStart, dataBytes } = head;
    const end = dataStart + dataBytes;
    const entry = file.view(offset, end + entryChecksumBytes);
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

  /** Idempotent. */
  close(): void {
    for (const segment of [...this.#files.keys()]) this.#close(segment);
  }

  #open(segment: number): PagedFile {
    let file = this.#files.get(segment);
    if (file === undefined) {
      file = this.#cache.openGrowing(this.#fs, headChunkPath(this.#dir, segment));
      for (const [other, { path }] of this.#files) if (this.#fs.stat(path) === undefined) this.#close(other);
      for (const other of this.#files.keys()) if (this.#files.size >= this.#openFilesMax) this.#close(other);
    } else {
      this.#files.delete(segment);
    }
    this.#files.set(segment, file);
    return file;
  }

  #close(segment: number): void {
    this.#files.get(segment)?.close();
    this.#files.delete(segment);
  }
}

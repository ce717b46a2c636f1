/** Reads the chunks of a block by their refs (segments.ts has the format). */
import { ByteReader } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import type { FileOpener, PagedFile } from "../../base/page-cache.ts";
import type { Chunk } from "./chunk.ts";
import { chunksMagic, chunksVersion, refOffset, refSegment, segmentHeaderBytes } from "./segments.ts";

/** Most entries are shorter: then one read is enough. */
const guessBytes = 512;
const checksumBytes = 4;

export class SegmentReader {
  readonly #files: readonly PagedFile[];
  #start = 0;

  private constructor(files: readonly PagedFile[]) {
    this.#files = files;
  }

  /** Opens all segments in `dir` and checks their headers; throws a CorruptionError or the system's error. */
  static open(fs: Fs, opener: FileOpener, dir: string): SegmentReader {
    const files: PagedFile[] = [];
    try {
      for (const path of segmentPaths(fs, dir)) {
        const file = opener.open(fs, path);
        files.push(file);
        checkHeader(file);
      }
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
    return new SegmentReader(files);
  }

  /** As {@link SegmentReader.open}, but takes segments whose header is damaged as well, and notes it in `problems`. */
  static openDamaged(fs: Fs, opener: FileOpener, dir: string, problems: string[]): SegmentReader {
    const files = segmentPaths(fs, dir).map((path) => opener.open(fs, path));
    for (const file of files) {
      try {
        checkHeader(file);
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        problems.push(error.message);
      }
    }
    return new SegmentReader(files);
  }

  /**
   * The chunk at `ref`: its encoding byte, then its data. A view that must not be written to. Throws a CorruptionError
   * where there is no sound chunk.
   */
  chunk(ref: number): Uint8Array {
    const entry = this.#entry(ref);
    return entry.subarray(this.#start, entry.length - checksumBytes);
  }

  /** As {@link SegmentReader.chunk}, with all that its entry in the file holds. */
  storedChunk(ref: number, mint: number, maxt: number): Chunk {
    const entry = this.#entry(ref);
    const start = this.#start;
    const bytes = entry.subarray(start + 1, entry.length - checksumBytes);
    return { encoding: entry[start], mint, maxt, bytes, entry };
  }

  /** The entry at `ref`, its checksum verified; its encoding byte is at {@link SegmentReader.#start}. */
  #entry(ref: number): Uint8Array {
    const file = this.#files[refSegment(ref)];
    const offset = refOffset(ref);
    if (file === undefined || offset < segmentHeaderBytes || offset >= file.sizeBytes) {
      const path = file?.path ?? `segment ${refSegment(ref)} of ${this.#files.length}`;
      throw new CorruptionError(path, offset, "the index refers to a chunk that is not there");
    }
    let bytes = file.view(offset, Math.min(guessBytes, file.sizeBytes - offset));
    const reader = new ByteReader(bytes, file.path, offset);
    const length = reader.uvarint();
    const start = reader.position;
    const end = start + 1 + length;
    if (end + checksumBytes > bytes.length) bytes = file.view(offset, end + checksumBytes);
    const wanted =
      ((bytes[end] << 24) | (bytes[end + 1] << 16) | (bytes[end + 2] << 8) | bytes[end + 3]) >>> 0;
    if (crc32c(bytes, start, end) !== wanted) {
      throw new CorruptionError(file.path, offset, "the checksum of a chunk does not match");
    }
    this.#start = start;
    return bytes.subarray(0, end + checksumBytes);
  }

  /** Idempotent. */
  close(): void {
    for (const file of this.#files) file.close();
  }
}

/** The segment files of `dir` in their order; other files are ignored. */
export function segmentPaths(fs: Fs, dir: string): string[] {
  return fs
    .list(dir)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => joinPath(dir, name));
}

function checkHeader(file: PagedFile): void {
  const reader = new ByteReader(file.view(0, segmentHeaderBytes), file.path);
  const magic = reader.u32();
  if (magic !== chunksMagic) {
    throw new CorruptionError(
      file.path,
      0,
      `magic number ${magic.toString(16)}, a chunk segment has 85bd40dd`,
    );
  }
  const version = reader.u8();
  if (version !== chunksVersion) {
    throw new CorruptionError(file.path, 4, `chunk segment version ${version}, only version 1 is known`);
  }
}

/**
 * Files that are read from their start to their end, a large piece at a time, into one buffer. For the chunk files of
 * blocks that are compacted or verified: pages of page-cache.ts would be allocated, filled and thrown away.
 */
import { CorruptionError } from "./errors.ts";
import { type File, type Fs, readWhole } from "./fs.ts";
import type { FileOpener, PagedFile } from "./page-cache.ts";

const defaultBytes = 256 * 1024;

/** The buffer, which belongs to the file that was read last. Not shared between threads. */
export class ReadAhead implements FileOpener {
  bytes: Uint8Array<ArrayBuffer>;
  owner: PagedFile | undefined;

  constructor(bufferBytes = defaultBytes) {
    this.bytes = new Uint8Array(bufferBytes);
  }

  /** A complete file. Its views are valid until the next one of any file of this buffer. */
  open(fs: Fs, path: string): PagedFile {
    return new AheadFile(this, fs.open(path, "read"));
  }
}

class AheadFile implements PagedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #file: File;
  readonly #ahead: ReadAhead;
  /** What the buffer holds of this file while it is the owner. */
  #start = 0;
  #end = 0;

  constructor(ahead: ReadAhead, file: File) {
    this.#ahead = ahead;
    this.#file = file;
    this.path = file.path;
    this.sizeBytes = file.size();
  }

  view(offset: number, length: number): Uint8Array {
    const ahead = this.#ahead;
    if (ahead.owner !== this || offset < this.#start || offset + length > this.#end)
      this.#fill(offset, length);
    const at = offset - this.#start;
    return ahead.bytes.subarray(at, at + length);
  }

  close(): void {
    if (this.#ahead.owner === this) this.#ahead.owner = undefined;
    this.#file.close();
  }

  #fill(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.sizeBytes)) {
      throw new CorruptionError(this.path, offset, `${length} bytes expected in a file of ${this.sizeBytes}`);
    }
    const ahead = this.#ahead;
    ahead.owner = undefined;
    if (length > ahead.bytes.length) ahead.bytes = new Uint8Array(length);
    const wanted = Math.min(ahead.bytes.length, this.sizeBytes - offset);
    const got = readWhole(this.#file, ahead.bytes.subarray(0, wanted), offset);
    if (got < length) throw new CorruptionError(this.path, offset, `${length} bytes expected, ${got} read`);
    this.#start = offset;
    this.#end = offset + got;
    ahead.owner = this;
  }
}

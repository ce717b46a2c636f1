/**
 * A bounded cache of file pages, for the positional reads of index and chunk files (Node has no mmap). One instance
 * per thread and byte budget. Pages are evicted in clock order: a page that was read since the hand last passed
 * survives one round.
 *
 * Only files may be read through it whose bytes never change: complete ones, and growing ones that are only appended to.
 */
import { CorruptionError } from "./errors.ts";
import { type File, type Fs, readWhole } from "./fs.ts";

/** A file that is read by ranges. The bytes handed out must not be written to. */
export interface PagedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Exactly `length` bytes from `offset` on; they stay valid, but keeping them keeps a whole page. Throws a
   * CorruptionError where the file has fewer.
   */
  view(offset: number, length: number): Uint8Array;
  /** Idempotent. */
  close(): void;
}

/** What opens complete files for reading: a page cache, or read-ahead.ts. */
export interface FileOpener {
  open(fs: Fs, path: string): PagedFile;
}

/**
 * Small, because the chunks of one metric lie scattered over files of tens of MiB: with 32 KiB a query over 200 series
 * read nearly the whole head and swept the cache (bench/query.mjs, "range 2h avg gauge": 40 ms of CPU, 12 with 8 KiB,
 * 14 with 4 KiB, where sequential reads take longer).
 */
const pageBytes = 8 * 1024;
/** Larger reads go past the cache: they would sweep it. */
const directBytes = 128 * 1024;

interface Page {
  bytes: Uint8Array;
  /** Read since the hand passed. */
  recent: boolean;
  owner: CachedFile | undefined;
  readonly number: number;
}

export class PageCache {
  #budgetBytes: number;
  #ring: Page[] = [];
  #hand = 0;
  #usedBytes = 0;

  /** At least one page is always kept. */
  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Sets another budget, and evicts what is beyond it. */
  shrinkTo(budgetBytes: number): void {
    this.#budgetBytes = budgetBytes;
    while (this.#usedBytes > budgetBytes && this.#ring.length > 1) this.#evictOne(undefined);
  }

  /** A file that is complete. */
  open(fs: Fs, path: string): PagedFile {
    return new CachedFile(this, fs.open(path, "read"), false);
  }

  /** A file that another thread may be appending to: what was written by the time of a view can be viewed. */
  openGrowing(fs: Fs, path: string): PagedFile {
    return new CachedFile(this, fs.open(path, "read"), true);
  }

  /** For {@link CachedFile}: takes a page in and makes room for it. */
  add(page: Page): void {
    this.#usedBytes += page.bytes.length;
    this.#ring.push(page);
    while (this.#usedBytes > this.#budgetBytes && this.#ring.length > 1) this.#evictOne(page);
  }

  /** For {@link CachedFile}: the file is closed, its pages go. */
  drop(file: CachedFile): void {
    this.#ring = this.#ring.filter((page) => {
      if (page.owner !== file) return true;
      this.#usedBytes -= page.bytes.length;
      return false;
    });
    this.#hand = 0;
  }

  #evictOne(keep: Page | undefined): void {
    const ring = this.#ring;
    for (;;) {
      if (this.#hand >= ring.length) this.#hand = 0;
      const page = ring[this.#hand];
      if (page.recent || page === keep) {
        page.recent = false;
        this.#hand++;
        continue;
      }
      const last = ring.pop() as Page;
      if (last !== page) ring[this.#hand] = last;
      this.#usedBytes -= page.bytes.length;
      page.owner?.forget(page.number);
      return;
    }
  }
}

class CachedFile implements PagedFile {
  readonly path: string;
  sizeBytes: number;
  readonly #cache: PageCache;
  readonly #file: File;
  readonly #isGrowing: boolean;
  readonly #pages = new Map<number, Page>();
  #closed = false;

  constructor(cache: PageCache, file: File, isGrowing: boolean) {
    this.path = file.path;
    this.sizeBytes = file.size();
    this.#cache = cache;
    this.#file = file;
    this.#isGrowing = isGrowing;
  }

  view(offset: number, length: number): Uint8Array {
    if (this.#isGrowing && offset + length > this.sizeBytes) this.#grown();
    if (!(offset >= 0 && length >= 0 && offset + length <= this.sizeBytes)) {
      throw new CorruptionError(this.path, offset, `${length} bytes expected in a file of ${this.sizeBytes}`);
    }
    const number = Math.floor(offset / pageBytes);
    const start = offset - number * pageBytes;
    if (start + length <= pageBytes) return this.#page(number).subarray(start, start + length);
    if (length > directBytes) return this.#read(offset, length);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const from = (offset + at) % pageBytes;
      const part = this.#page(Math.floor((offset + at) / pageBytes)).subarray(from, from + length - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pages.clear();
    this.#cache.drop(this);
    this.#file.close();
  }

  forget(number: number): void {
    this.#pages.delete(number);
  }

  /** The last page may have become longer: the short one is let go, to be evicted in its turn. */
  #grown(): void {
    const last = Math.floor(this.sizeBytes / pageBytes);
    const short = this.#pages.get(last);
    this.sizeBytes = this.#file.size();
    if (short === undefined || short.bytes.length === pageBytes) return;
    short.owner = undefined;
    this.#pages.delete(last);
  }

  #page(number: number): Uint8Array {
    const cached = this.#pages.get(number);
    if (cached !== undefined) {
      cached.recent = true;
      return cached.bytes;
    }
    const offset = number * pageBytes;
    const bytes = this.#read(offset, Math.min(pageBytes, this.sizeBytes - offset));
    const page: Page = { bytes, recent: false, owner: this, number };
    this.#pages.set(number, page);
    this.#cache.add(page);
    return bytes;
  }

  #read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const got = readWhole(this.#file, bytes, offset);
    if (got < length) throw new CorruptionError(this.path, offset, `${length} bytes expected, ${got} read`);
    return bytes;
  }
}

/**
 * Reads the index file of a block, versions 1 and 2 (format.ts, docs/formats/index.md). Holds little in memory: a
 * sample of the symbol table and of the postings offset table; everything else is read where it lies. All methods
 * throw a CorruptionError where the file is damaged.
 */
import { ByteReader } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { PagedFile } from "../../base/page-cache.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { Labels } from "../../model/labels.ts";
import { readHeader, sectionAt, seriesAlignment, type Toc } from "./format.ts";
import { emptyPostings, type Postings } from "./postings.ts";
import { openPostingsTable, type PostingsTable } from "./postings-table.ts";
import { SymbolTable } from "./symbols.ts";

/** A chunk of a series as the index tells of it: three numbers in {@link IndexedSeries.chunks}. */
export const chunkFields = 3;

export interface IndexedSeries {
  readonly labels: Labels;
  /** mint, maxt (both inclusive), chunk ref; and so on for every chunk, in time order. */
  readonly chunks: readonly number[];
}

/** Most series entries are shorter: then one read is enough. */
const guessBytes = 256;

export class IndexReader {
  readonly version: number;
  readonly #file: PagedFile;
  /** The same file, for the entries of series. */
  readonly #entries: PagedFile;
  readonly #toc: Toc;
  readonly #symbols: SymbolTable;
  readonly #table: PostingsTable;

  private constructor(
    file: PagedFile,
    entries: PagedFile,
    version: number,
    toc: Toc,
    symbols: SymbolTable,
    table: PostingsTable,
  ) {
    this.#file = file;
    this.#entries = entries;
    this.version = version;
    this.#toc = toc;
    this.#symbols = symbols;
    this.#table = table;
  }

  /**
   * Reads the tables. The reader owns `file` from here on. `versionOverride` is for blocks whose header is known to
   * name the wrong version (block/meta.ts). `entries`: the same file opened in another way (read-ahead.ts), for who reads
   * all series in their order.
   */
  static open(file: PagedFile, versionOverride?: number, entries = file): IndexReader {
    const header = readHeader(file);
    const version = versionOverride ?? header.version;
    const symbols = SymbolTable.open(file, header.toc.symbols, version);
    const table = openPostingsTable(file, header.toc.postingsTable, version);
    return new IndexReader(file, entries, version, header.toc, symbols, table);
  }

  get path(): string {
    return this.#file.path;
  }

  /** Sorted. */
  labelNames(): string[] {
    return this.#table.names();
  }

  /** How many values a label has. */
  valueCount(name: string): number {
    return this.#table.valueCount(name);
  }

  /**
   * Calls `onValue` with each value of a label that is >= `from`, in order, and a handle for {@link postingsAt};
   * until it returns false.
   */
  forEachValue(name: string, from: string, onValue: (value: string, handle: number) => boolean): void {
    this.#table.forEachValue(name, from, onValue);
  }

  /** The series with this label pair, ascending; the pair of two empty strings: all series. */
  postings(name: string, value: string): Postings {
    const handle = this.#table.find(name, value);
    return handle === undefined ? emptyPostings : this.postingsAt(handle);
  }

  /** A postings list by the handle that {@link forEachValue} gave. */
  postingsAt(handle: number): Postings {
    return postingsList(this.#file, handle);
  }

  /** How many series a postings list has, by its handle; the list itself is neither read nor verified. */
  postingsCountAt(handle: number): number {
    const { start, length } = sectionAt(this.#file, handle);
    const count = new ByteReader(this.#file.view(start, 4), this.path, start).u32();
    if (count * 4 !== length - 4) {
      throw new CorruptionError(this.path, handle, `${count} postings in ${length - 4} bytes`);
    }
    return count;
  }

  /** The value of one label of a series, "" where it has none. */
  labelValue(ref: number, name: string): string {
    const refs = readLabelRefs(this.#entry(ref));
    for (let i = 0; i < refs.length; i += 2) {
      const order = compareUtf8(this.#symbols.get(refs[i]), name);
      if (order === 0) return this.#symbols.get(refs[i + 1]);
      if (order > 0) break;
    }
    return "";
  }

  /** Adds the names of a series' labels to `into`. */
  collectLabelNames(ref: number, into: Set<string>): void {
    const refs = readLabelRefs(this.#entry(ref));
    for (let i = 0; i < refs.length; i += 2) into.add(this.#symbols.get(refs[i]));
  }

  /** A series with those of its chunks that overlap [mint, maxt]; undefined where there are none. */
  series(ref: number, mint: number, maxt: number): IndexedSeries | undefined {
    const entry = this.#entry(ref);
    const refs = readLabelRefs(entry);
    const chunks = readChunks(entry, mint, maxt);
    return chunks.length === 0 ? undefined : { labels: this.#resolve(refs), chunks };
  }

  /** Idempotent. */
  close(): void {
    this.#file.close();
    this.#entries.close();
  }

  /** A cursor at the first byte of a series' content, its checksum verified. */
  #entry(ref: number): ByteReader {
    const file = this.#entries;
    const offset = this.version === 1 ? ref : ref * seriesAlignment;
    if (offset < this.#toc.series || offset >= file.sizeBytes) {
      throw new CorruptionError(file.path, offset, `there is no series ${ref}`);
    }
    return seriesEntry(file, offset);
  }

  #resolve(refs: readonly number[]): Labels {
    return new Labels(refs.map((ref) => this.#symbols.get(ref)));
  }
}

/** The postings list at `offset`, its checksum verified. */
export function postingsList(file: PagedFile, offset: number): Postings {
  const { start, length } = sectionAt(file, offset);
  const bytes = file.view(start, length + 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (length < 4 || crc32c(bytes, 0, length) !== view.getUint32(length)) {
    throw new CorruptionError(file.path, offset, "the checksum of a postings list does not match");
  }
  const count = view.getUint32(0);
  if (count * 4 !== length - 4) {
    throw new CorruptionError(file.path, offset, `${count} postings in ${length - 4} bytes`);
  }
  const refs = new Uint32Array(count);
  for (let i = 0; i < count; i++) refs[i] = view.getUint32(4 + i * 4);
  return refs;
}

/** A cursor at the first byte of the content of the series entry at `offset`, its checksum verified. */
export function seriesEntry(file: PagedFile, offset: number): ByteReader {
  let bytes = file.view(offset, Math.min(guessBytes, file.sizeBytes - offset));
  const length = new ByteReader(bytes, file.path, offset);
  const size = length.uvarint();
  const start = length.position;
  const end = start + size;
  if (end + 4 > bytes.length) bytes = file.view(offset, end + 4);
  const reader = new ByteReader(bytes, file.path, offset, start, end);
  const wanted = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0);
  if (crc32c(bytes, start, end) !== wanted) {
    throw new CorruptionError(file.path, offset, "the checksum of a series does not match");
  }
  return reader;
}

/** Name and value symbol refs, alternating. */
export function readLabelRefs(entry: ByteReader): number[] {
  const count = entry.uvarint();
  if (count * 2 > entry.remaining) throw entry.corrupt(`${count} labels in ${entry.remaining} bytes`);
  const refs: number[] = [];
  for (let i = 0; i < count * 2; i++) refs.push(entry.uvarint());
  return refs;
}

/** mint, maxt, ref of each chunk that overlaps [mint, maxt]. */
export function readChunks(entry: ByteReader, mint: number, maxt: number): number[] {
  const chunks: number[] = [];
  const count = entry.uvarint();
  if (count * chunkFields > entry.remaining)
    throw entry.corrupt(`${count} chunks in ${entry.remaining} bytes`);
  let first = 0;
  let last = 0;
  let ref = 0;
  for (let i = 0; i < count; i++) {
    first = i === 0 ? entry.varint() : last + entry.uvarint();
    last = first + entry.uvarint();
    ref += i === 0 ? entry.uvarint() : entry.varint();
    if (!Number.isSafeInteger(last)) throw entry.corrupt(`chunk ${i} ends at ${last}`);
    if (first > maxt) break;
    if (last >= mint) chunks.push(first, last, ref);
  }
  return chunks;
}

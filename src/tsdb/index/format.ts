/**
 * The index file of a block (docs/formats/index.md): header, symbols, series, postings, postings offset table, table
 * of contents. This file has what the reader and the writer share.
 *
 *   header = magic 0xBAAAD700 · u8 version (1 or 2; only 2 is written)
 *   TOC    = u64 offset of: symbols · series · label indices · label index table · postings · postings offset table
 *            · u32 CRC-32C, at the very end of the file
 *
 * A section that has a length reads: u32 length · content · u32 CRC-32C of the content. A series has a uvarint length.
 * In version 2 a series ref is the offset of its entry / 16 and a symbol ref is its number; in version 1 both are
 * plain offsets.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { PagedFile } from "../../base/page-cache.ts";

export const indexMagic = 0xbaaad700;
export const indexHeaderBytes = 5;
export const seriesAlignment = 16;
/** Postings lists hold series refs as u32: the file ends at 64 GiB. */
export const indexBytesMax = 16 * 0xffffffff;

/** Every so many entries of the symbol table and of the postings offset table are remembered by the reader. */
export const sampling = 32;

/** Where the sections begin; 0 for one that is missing. */
export interface Toc {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelIndexTable: number;
  readonly postings: number;
  readonly postingsTable: number;
}

const tocBytes = 6 * 8 + 4;

export function encodeToc(toc: Toc): Uint8Array {
  const out = new ByteWriter(tocBytes);
  out.u64(toc.symbols);
  out.u64(toc.series);
  out.u64(toc.labelIndices);
  out.u64(toc.labelIndexTable);
  out.u64(toc.postings);
  out.u64(toc.postingsTable);
  out.u32(crc32c(out.bytes()));
  return out.bytes();
}

/** Checks the header and the table of contents. */
export function readHeader(file: PagedFile): { version: number; toc: Toc } {
  const header = new ByteReader(file.view(0, indexHeaderBytes), file.path);
  const magic = header.u32();
  if (magic !== indexMagic) {
    throw new CorruptionError(file.path, 0, `magic number ${magic.toString(16)}, an index has baaad700`);
  }
  const version = header.u8();
  if (version !== 1 && version !== 2) {
    throw new CorruptionError(file.path, 4, `index version ${version}, only versions 1 and 2 are known`);
  }
  return { version, toc: readToc(file) };
}

/** Checks the table of contents. */
export function readToc(file: PagedFile): Toc {
  const start = file.sizeBytes - tocBytes;
  if (start < indexHeaderBytes) throw new CorruptionError(file.path, 0, "too short for a table of contents");
  const bytes = file.view(start, tocBytes);
  const reader = new ByteReader(bytes, file.path, start);
  const [symbols, series, labelIndices, labelIndexTable, postings, postingsTable] = Array.from(
    { length: 6 },
    () => reader.u64(),
  );
  if (crc32c(bytes, 0, tocBytes - 4) !== reader.u32()) {
    throw new CorruptionError(file.path, start, "the checksum of the table of contents does not match");
  }
  return { symbols, series, labelIndices, labelIndexTable, postings, postingsTable };
}

/** How many symbols the index has, without reading them. */
export function symbolCount(file: PagedFile, toc: Toc): number {
  return new ByteReader(file.view(toc.symbols + 4, 4), file.path, toc.symbols + 4).u32();
}

/** The content of a section, without its length and checksum. */
export interface Section {
  readonly start: number;
  readonly length: number;
}

/** Reads a section's length and checks that the file has that much. */
export function sectionAt(file: PagedFile, offset: number): Section {
  const length = new ByteReader(file.view(offset, 4), file.path, offset).u32();
  const start = offset + 4;
  if (start + length + 4 > file.sizeBytes) {
    throw new CorruptionError(
      file.path,
      offset,
      `a section of ${length} bytes in a file of ${file.sizeBytes}`,
    );
  }
  return { start, length };
}

const stepBytes = 256 * 1024;

/** Reads a whole section once and compares its checksum. */
export function verifySection(file: PagedFile, { start, length }: Section, name: string): void {
  let crc = 0;
  for (let at = 0; at < length; at += stepBytes) {
    const bytes = file.view(start + at, Math.min(stepBytes, length - at));
    crc = crc32c(bytes, 0, bytes.length, crc);
  }
  const wanted = new ByteReader(file.view(start + length, 4), file.path, start + length).u32();
  if (crc !== wanted)
    throw new CorruptionError(file.path, start, `the checksum of the ${name} does not match`);
}

/**
 * Calls `onEntry` for each of the next entries of a section, from byte `from` of its content on, until it returns
 * false or `count` entries were read. `onEntry` gets a reader at the entry's first byte and must leave it behind the
 * entry, and the entry's offset in the section. Holds a window of the section, not all of it.
 */
export function scanEntries(
  file: PagedFile,
  section: Section,
  from: number,
  count: number,
  onEntry: (reader: ByteReader, offset: number) => boolean,
  windowBytes = stepBytes,
): void {
  let at = from;
  for (let left = count; left > 0; ) {
    const size = Math.min(windowBytes, section.length - at);
    const reader = new ByteReader(file.view(section.start + at, size), file.path, section.start + at);
    const whole = at + size >= section.length;
    let done = 0;
    while (left > 0) {
      const begin = reader.position;
      try {
        if (!onEntry(reader, at + begin)) return;
      } catch (error) {
        // An entry that ends behind the window: begin the next window with it, larger where it was the first.
        if (whole || !(error instanceof CorruptionError)) throw error;
        done = begin;
        break;
      }
      left--;
      done = reader.position;
    }
    if (done === 0) windowBytes *= 2;
    at += done;
  }
}

/**
 * The files of `chunks_head/`: full chunks of the head, so that they need not stay in memory nor be rebuilt from the
 * WAL. docs/formats/head-chunks.md has the format; this file has its constants and the parsing of one entry.
 *
 * file  = magic 0x0130BC91 u32 | version 1 u8 | 3 zero bytes | entry* | zero bytes (Prometheus preallocates)
 * entry = walRef u64 | mint i64 | maxt i64 | encoding u8 | length uvarint | data | CRC-32C of all before it u32
 *
 * All integers are big-endian. In `encoding` the highest bit marks a chunk of out-of-order samples.
 */
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";

export const headChunkMagic = 0x0130bc91;
export const headChunkVersion = 1;
export const headChunkHeaderBytes = 8;
/** A file is cut before the entry that would grow it past this. */
export const headChunkFileBytesMax = 128 * 1024 * 1024;
/** The bit of the encoding byte that marks out-of-order samples. */
export const outOfOrderBit = 0x80;
/** walRef, mint, maxt, encoding. */
export const entryFixedBytes = 8 + 8 + 8 + 1;
/** The fixed part and the longest length that Prometheus writes. */
export const entryHeadBytesMax = entryFixedBytes + 5;
export const entryChecksumBytes = 4;

/**
 * Where an entry is: file number * 2^32 + offset of its first byte, the number that Prometheus uses too. Exact for file
 * numbers below 2^21.
 */
export function headChunkRef(segment: number, offset: number): number {
  return segment * 0x100000000 + offset;
}

export function headChunkSegment(ref: number): number {
  return Math.floor(ref / 0x100000000);
}

export function headChunkOffset(ref: number): number {
  return ref % 0x100000000;
}

export function headChunkPath(dir: string, segment: number): string {
  return joinPath(dir, String(segment).padStart(6, "0"));
}

/** The numbers of the files in `dir`, ascending; names that are not numbers are somebody else's. */
export function listHeadChunkFiles(fs: Fs, dir: string): number[] {
  return fs
    .list(dir)
    .filter((name) => /^\d{1,15}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** What stands before an entry's data. */
export interface EntryHead {
  walRef: number;
  mint: number;
  maxt: number;
  /** With {@link outOfOrderBit}. */
  encodingByte: number;
  /** The data's first byte, counted from the entry's. */
  dataStart: number;
  dataBytes: number;
}

export function newEntryHead(): EntryHead {
  return { walRef: 0, mint: 0, maxt: 0, encodingByte: 0, dataStart: 0, dataBytes: 0 };
}

/**
 * Parses the head of the entry at `bytes[start]` into `head`; `bytes` must reach to the end of the file or hold at
 * least {@link entryHeadBytesMax} more bytes. `file` and `offset` (of the entry) are for the error.
 */
export function parseEntryHead(
  bytes: Uint8Array,
  start: number,
  head: EntryHead,
  file: string,
  offset: number,
): void {
  if (bytes.length - start < entryFixedBytes + 1) {
    throw new CorruptionError(file, offset, `the file ends within a chunk's header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  head.walRef = view.getUint32(0) * 0x100000000 + view.getUint32(4);
  head.mint = view.getInt32(8) * 0x100000000 + view.getUint32(12);
  head.maxt = view.getInt32(16) * 0x100000000 + view.getUint32(20);
  head.encodingByte = bytes[start + 24];
  let length = 0;
  let scale = 1;
  for (let at = start + entryFixedBytes; ; at++) {
    if (at >= bytes.length) throw new CorruptionError(file, offset, `the file ends within a chunk's length`);
    length += (bytes[at] & 0x7f) * scale;
    scale *= 128;
    if (bytes[at] < 0x80) {
      head.dataStart = at + 1 - start;
      break;
    }
    if (at - start - entryFixedBytes === 4) {
      throw new CorruptionError(file, offset, "a chunk's length is longer than 5 bytes");
    }
  }
  if (length > headChunkFileBytesMax) {
    throw new CorruptionError(
      file,
      offset,
      `a chunk of ${length} bytes, at most ${headChunkFileBytesMax} fit`,
    );
  }
  head.dataBytes = length;
}

/** Throws unless the entry in `bytes[start, end)`, without its checksum, has the checksum that follows at `end`. */
export function verifyEntry(
  bytes: Uint8Array,
  start: number,
  end: number,
  file: string,
  offset: number,
): void {
  const want = ((bytes[end] << 24) | (bytes[end + 1] << 16) | (bytes[end + 2] << 8) | bytes[end + 3]) >>> 0;
  const got = crc32c(bytes, start, end);
  if (got !== want) {
    throw new CorruptionError(
      file,
      offset,
      `a chunk's checksum is ${want.toString(16)}, its bytes give ${got.toString(16)}`,
    );
  }
}

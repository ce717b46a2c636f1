/**
 * WAL segments: names, and the constants of their format. docs/formats/wal.md has the whole of it.
 *
 * segment  = page*                    of 32 KiB; only the last page of the newest segment may be shorter
 * page     = fragment* | zero bytes   a zero where a fragment's type would be: the rest of the page is empty
 * fragment = type u8 | length u16 | CRC-32C of the data u32 | data     big-endian
 *
 * A record is one full fragment or a first, any number of middle and a last one, in pages of the same segment. The type
 * byte has the fragment type in its low 3 bits and says in two more how the record is compressed.
 */
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";

export const pageBytes = 32 * 1024;
export const fragmentHeaderBytes = 7;
export const segmentBytesDefault = 128 * 1024 * 1024;
/** No record may claim to be longer once decompressed. */
export const recordBytesMax = 256 * 1024 * 1024;

export const FragmentType = {
  /** Not a fragment: the rest of the page is empty. */
  padding: 0,
  full: 1,
  first: 2,
  middle: 3,
  last: 4,
} as const;

export const fragmentTypeMask = 0b00000111;
export const snappyBit = 0b00001000;
export const zstdBit = 0b00010000;

export type Compression = "none" | "snappy" | "zstd";

/** A segment's file. */
export interface Segment {
  readonly index: number;
  readonly path: string;
}

export function segmentPath(dir: string, index: number): string {
  return joinPath(dir, String(index).padStart(8, "0"));
}

/** The segments in `dir`, ascending; names that are not numbers are something else. */
export function listSegments(fs: Fs, dir: string): Segment[] {
  return fs
    .list(dir)
    .filter((name) => /^\d{1,15}$/.test(name))
    .map((name) => ({ index: Number(name), path: joinPath(dir, name) }))
    .sort((a, b) => a.index - b.index);
}

/**
 * A segment is damaged. `offset` is where it was noticed; everything before `recordStart` is whole records, so that is
 * where the segment can be cut.
 */
export class WalCorruptionError extends CorruptionError {
  override name = "WalCorruptionError";
  readonly segment: Segment;
  readonly recordStart: number;

  constructor(
    segment: Segment,
    offset: number,
    recordStart: number,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(segment.path, offset, problem, options);
    this.segment = segment;
    this.recordStart = recordStart;
  }
}

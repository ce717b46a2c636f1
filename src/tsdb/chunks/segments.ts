/**
 * The chunk segment files of a block: `chunks/000001`, `chunks/000002` … (docs/formats/chunks.md).
 *
 *   segment = magic 0x85BD40DD · u8 version 1 · 3 zero bytes · entries
 *   entry   = uvarint length of data · u8 encoding · data · u32 CRC-32C of encoding and data
 *
 * A chunk ref is segment * 2^32 + offset of the entry; segments count from 0 in the order of their names.
 */
export const chunksMagic = 0x85bd40dd;
export const chunksVersion = 1;
export const segmentHeaderBytes = 8;

/** The uvarint length, the encoding byte and the checksum around a chunk's data, at most. */
export const entryOverheadBytes = 5 + 1 + 4;

/** Segments end before they would grow past this; a chunk never spans two. */
export const defaultSegmentBytes = 512 * 1024 * 1024;

const twoTo32 = 0x100000000;

export function chunkRef(segment: number, offset: number): number {
  return segment * twoTo32 + offset;
}

export function refSegment(ref: number): number {
  return Math.floor(ref / twoTo32);
}

export function refOffset(ref: number): number {
  return ref % twoTo32;
}

/** `number` counts from 1. */
export function segmentName(number: number): string {
  return String(number).padStart(6, "0");
}

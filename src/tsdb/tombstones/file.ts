/**
 * The `tombstones` file of a block (docs/formats/tombstones.md):
 *
 *   u32 magic 0x0130BA30 · u8 version 1 · { uvarint series ref · varint mint · varint maxt } … · u32 CRC-32C
 *
 * The checksum covers the entries only. A missing file means that nothing is deleted.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { replaceFile } from "../../base/replace-file.ts";
import type { Interval } from "./intervals.ts";
import { Tombstones } from "./tombstones.ts";

export const tombstonesFile = "tombstones";
const magic = 0x0130ba30;
const version = 1;
const headerBytes = 5;
/** Magic and version. */
export const tombstonesHeader = Uint8Array.of(0x01, 0x30, 0xba, 0x30, version);

export function encodeTombstones(tombstones: Tombstones): Uint8Array {
  const out = new ByteWriter();
  out.u32(magic);
  out.u8(version);
  for (const [ref, intervals] of tombstones.entries()) {
    for (const { mint, maxt } of intervals) {
      out.uvarint(ref);
      out.varint(mint);
      out.varint(maxt);
    }
  }
  out.u32(crc32c(out.bytes(), headerBytes));
  return out.bytes();
}

/** `path` is for the messages. */
export function decodeTombstones(bytes: Uint8Array, path: string): Tombstones {
  if (bytes.length < headerBytes + 4) {
    throw new CorruptionError(path, 0, `${bytes.length} bytes are too few for a tombstones file`);
  }
  const end = bytes.length - 4;
  const reader = new ByteReader(bytes, path, 0, 0, end);
  const foundMagic = reader.u32();
  if (foundMagic !== magic) {
    throw new CorruptionError(
      path,
      0,
      `magic number ${foundMagic.toString(16)}, a tombstones file has 130ba30`,
    );
  }
  const foundVersion = reader.u8();
  if (foundVersion !== version) {
    throw new CorruptionError(path, 4, `tombstones version ${foundVersion}, only version 1 is known`);
  }
  if (crc32c(bytes, headerBytes, end) !== new ByteReader(bytes, path, 0, end).u32()) {
    throw new CorruptionError(path, end, "the checksum of the tombstones does not match");
  }
  const bySeries = new Map<number, Interval[]>();
  while (reader.remaining > 0) {
    const ref = reader.uvarint();
    const interval = { mint: reader.varint(), maxt: reader.varint() };
    const known = bySeries.get(ref);
    if (known === undefined) bySeries.set(ref, [interval]);
    else known.push(interval);
  }
  return Tombstones.of(bySeries);
}

/** The tombstones of the block in `dir`, and how many bytes their file has. */
export function readTombstones(fs: Fs, dir: string): { tombstones: Tombstones; sizeBytes: number } {
  const path = joinPath(dir, tombstonesFile);
  if (fs.stat(path) === undefined) return { tombstones: new Tombstones(), sizeBytes: 0 };
  const bytes = fs.readFile(path);
  return { tombstones: decodeTombstones(bytes, path), sizeBytes: bytes.length };
}

/**
 * As {@link readTombstones}; throws a CorruptionError also where the file is missing although `count` deletions were
 * written, as the block's meta.json says.
 */
export function requireTombstones(fs: Fs, dir: string, count: number): Tombstones {
  const path = joinPath(dir, tombstonesFile);
  if (count > 0 && fs.stat(path) === undefined) {
    throw new CorruptionError(path, 0, `the file with ${count} deletions is missing`);
  }
  return readTombstones(fs, dir).tombstones;
}

/** Replaces the tombstones of the block in `dir`, durably and at once. */
export function writeTombstones(fs: Fs, dir: string, tombstones: Tombstones): void {
  replaceFile(fs, dir, tombstonesFile, encodeTombstones(tombstones));
}

/**
 * What a snapshot belongs to: the place in the WAL from which on records are to be replayed over it, the chunk files
 * that its chunk refs point into, and the end of the newest block. All of it is compared with what is found at a start.
 */
import { encodeUtf8 } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import type { HeadChunkFile } from "../chunks/head-chunk-scan.ts";
import { headChunkPath, listHeadChunkFiles } from "../chunks/head-chunks.ts";
import { lastCheckpoint } from "../wal/checkpoint-dir.ts";
import { listSegments, segmentPath } from "../wal/segment.ts";
import type { WalPlace } from "../wal/wal.ts";

/** A chunk file up to where the snapshot knows it; `maxt` is Infinity for one that must be kept. */
export interface ChunkFile extends HeadChunkFile {
  readonly number: number;
  readonly bytes: number;
}

/** What the writer knows at the moment from which on the WAL is replayed. */
export interface SnapshotPlace {
  readonly wal: WalPlace;
  /** Ascending. Chunks behind the last one's `bytes` came later. */
  readonly chunkFiles: readonly ChunkFile[];
  readonly minValidTime: number;
  readonly nextWalRef: number;
}

export interface SnapshotPosition extends SnapshotPlace {
  /** Of the end of what `wal` names. */
  readonly walChecksum: number;
  /** Of the end of each chunk file. */
  readonly chunkChecksums: readonly number[];
  /** Where the newest block of samples in order ends; -Infinity without blocks. */
  readonly blocksEnd: number;
  readonly hashSeed: number;
  readonly chunkRangeMs: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly createdMs: number;
}

/** How much before a place is read for its checksum: a page of the WAL; it holds times and values. */
const checkedBytes = 32 * 1024;

export function checksumBefore(fs: Fs, path: string, offset: number): number {
  const file = fs.open(path, "read");
  try {
    const start = Math.max(0, offset - checkedBytes);
    const bytes = new Uint8Array(offset - start);
    const read = file.readAt(bytes, start);
    return crc32c(bytes, 0, read);
  } finally {
    file.close();
  }
}

/** The checksums of what a place names. */
export function checksumsOf(
  fs: Fs,
  walDir: string,
  chunksDir: string,
  { wal, chunkFiles }: SnapshotPlace,
): { walChecksum: number; chunkChecksums: number[] } {
  return {
    walChecksum: checksumBefore(fs, segmentPath(walDir, wal.segment), wal.offset),
    chunkChecksums: chunkFiles.map(({ number, bytes }) =>
      checksumBefore(fs, headChunkPath(chunksDir, number), bytes),
    ),
  };
}

/** JSON has no infinities: they are texts. */
export function encodePosition(position: SnapshotPosition): Uint8Array {
  return encodeUtf8(
    JSON.stringify(position, (_, value) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    ),
  );
}

/** Throws where it is not what {@link encodePosition} writes. */
export function decodePosition(text: string): SnapshotPosition {
  return JSON.parse(text, (_, value) =>
    value === "Infinity" || value === "-Infinity" ? Number(value) : value,
  );
}

/**
 * Why the snapshot is not of what is on the disk; "" where it is. `ownSegment`: the newest WAL segment that Narthex
 * began, as noted beside the snapshot.
 */
export function mismatchOf(
  fs: Fs,
  dir: string,
  walDirName: string,
  chunksDirName: string,
  position: SnapshotPosition,
  blocksEnd: number,
  ownSegment: number,
): string {
  if (position.blocksEnd !== blocksEnd) {
    return `the newest block ends at ${blocksEnd}, at ${position.blocksEnd} when it was taken`;
  }
  return (
    walMismatch(fs, joinPath(dir, walDirName), position, ownSegment) ||
    chunkFilesMismatch(fs, joinPath(dir, chunksDirName), position)
  );
}

function walMismatch(fs: Fs, walDir: string, position: SnapshotPosition, ownSegment: number): string {
  const { segment, offset } = position.wal;
  if (fs.stat(walDir) === undefined) return "there is no write-ahead log";
  const checkpoint = lastCheckpoint(fs, walDir);
  if (checkpoint !== undefined && checkpoint.index >= segment) {
    return `WAL segment ${segment} was replaced by checkpoint ${checkpoint.index}`;
  }
  const after = listSegments(fs, walDir).filter(({ index }) => index >= segment);
  const gap = after.findIndex(({ index }, i) => index !== segment + i);
  if (after.length === 0 || gap >= 0) return `WAL segment ${segment + Math.max(gap, 0)} is missing`;
  const last = after[after.length - 1].index;
  if (last > ownSegment) {
    return `WAL segment ${last} was begun by another program, ours end at ${ownSegment}`;
  }
  const size = fs.stat(after[0].path)?.sizeBytes ?? 0;
  if (size < offset) return `WAL segment ${segment} has ${size} bytes, ${offset} when it was taken`;
  if (checksumBefore(fs, after[0].path, offset) !== position.walChecksum)
    return `WAL segment ${segment} has other content before byte ${offset}`;
  return "";
}

function chunkFilesMismatch(fs: Fs, chunksDir: string, position: SnapshotPosition): string {
  const { chunkFiles, chunkChecksums } = position;
  const found = fs.stat(chunksDir) === undefined ? [] : listHeadChunkFiles(fs, chunksDir);
  const newest = chunkFiles.at(-1)?.number ?? 0;
  const older = found.filter((number) => number <= newest);
  const unexpected = older.find((number) => !chunkFiles.some((file) => file.number === number));
  if (unexpected !== undefined) return `chunk file ${unexpected} was not there when it was taken`;
  for (let i = 0; i < chunkFiles.length; i++) {
    const { number, bytes } = chunkFiles[i];
    if (!older.includes(number)) return `chunk file ${number} is missing`;
    const path = headChunkPath(chunksDir, number);
    const size = fs.stat(path)?.sizeBytes ?? 0;
    if (size < bytes || (size > bytes && number !== newest)) {
      return `chunk file ${number} has ${size} bytes, ${bytes} when it was taken`;
    }
    if (checksumBefore(fs, path, bytes) !== chunkChecksums[i])
      return `chunk file ${number} has other content before byte ${bytes}`;
  }
  return "";
}

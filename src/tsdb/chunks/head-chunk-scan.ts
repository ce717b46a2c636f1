/**
 * Reads all of `chunks_head/` once, at start, before anything else uses it: every chunk is checked and reported, and
 * what is damaged is cut off so that writing can go on.
 *
 * From the first byte that does not check out nothing can be trusted to be complete, so the file ends there: the rest
 * of it is copied aside, and later files are moved aside whole (last one first, so that a crash in between leaves no
 * gap). Prometheus drops the damaged file whole; keeping its beginning is as safe, since each series keeps a prefix of
 * its chunks and the WAL has the rest.
 */

import type { LogFields, Logger } from "../../base/env.ts";
import { CorruptionError } from "../../base/errors.ts";
import { type File, type Fs, readWhole } from "../../base/fs.ts";
import { type Loss, type QuarantineNote, writeNote } from "../../base/quarantine-note.ts";
import { copyAside, type SetAside, setAside } from "../../base/set-aside.ts";
import { chunkSamples } from "../../chunkenc/encoding.ts";
import {
  entryChecksumBytes,
  entryHeadBytesMax,
  headChunkHeaderBytes,
  headChunkMagic,
  headChunkPath,
  headChunkRef,
  headChunkVersion,
  listHeadChunkFiles,
  newEntryHead,
  outOfOrderBit,
  parseEntryHead,
  verifyEntry,
} from "./head-chunks.ts";
import { legibleChunks } from "./legible-chunks.ts";

/** A chunk as the scan found it. The object is used again for the next one. */
export interface ScannedChunk {
  ref: number;
  walRef: number;
  mint: number;
  maxt: number;
  /** Without the out-of-order bit. */
  encoding: number;
  outOfOrder: boolean;
  sampleCount: number;
}

/** What decides when a file goes. */
export interface HeadChunkFile {
  /** The newest time of chunks in order. */
  readonly maxt: number;
  /** The ref of the last out-of-order chunk; 0 where there is none. */
  readonly lateRef: number;
}

/** Returns what is wrong with a chunk, "" if nothing is. */
export type ChunkVisitor = (chunk: ScannedChunk) => string;

export interface HeadChunkScan {
  readonly chunkCount: number;
  /** What each file holds, for {@link ./head-chunk-writer.ts HeadChunkWriter.open}. */
  readonly files: ReadonlyMap<number, HeadChunkFile>;
  readonly setAside: readonly SetAside[];
}

/**
 * Visits every chunk in `dir` in the order of writing; a missing directory holds none. `visit` returns "", or what is
 * wrong with the chunk (older than the one before it of the same series): then the file is cut there as if its bytes
 * were damaged. `quarantineDir` takes what is cut off, each with a warning in the log. Of the file with the number that
 * `from` names only what follows its first bytes is visited, of those before it nothing.
 */
export function scanHeadChunks(
  env: { readonly fs: Fs; readonly logger: Logger },
  dir: string,
  quarantineDir: string,
  visit: ChunkVisitor,
  from: { readonly number: number; readonly bytes: number } = { number: 0, bytes: headChunkHeaderBytes },
): HeadChunkScan {
  const { fs } = env;
  const known = new Map<number, HeadChunkFile>();
  const aside: SetAside[] = [];
  let chunkCount = 0;
  if (fs.stat(dir) === undefined) return { chunkCount, files: known, setAside: aside };

  const count: ChunkVisitor = (chunk) => {
    const problem = visit(chunk);
    if (problem === "") chunkCount++;
    return problem;
  };
  let files = listHeadChunkFiles(fs, dir);
  if (removeEmptyLast(fs, dir, files)) files = files.slice(0, -1);
  const sequential = files.findIndex((segment, i) => i > 0 && segment !== files[i - 1] + 1);
  let goodCount = sequential < 0 ? files.length : sequential;
  let problem = sequential < 0 ? "" : `the file before it, ${files[sequential] - 1}, is missing`;
  let cut: { path: string; offset: number } | undefined;
  for (let i = 0; i < goodCount; i++) {
    if (files[i] < from.number) continue;
    const start = files[i] === from.number ? from.bytes : headChunkHeaderBytes;
    const scanned = scanFile(fs, headChunkPath(dir, files[i]), files[i], start, count);
    if (scanned.error === undefined) {
      known.set(files[i], scanned);
      continue;
    }
    problem = scanned.error.message;
    goodCount = i;
    if (scanned.error.offset >= headChunkHeaderBytes) {
      cut = { path: headChunkPath(dir, files[i]), offset: scanned.error.offset };
      known.set(files[i], scanned);
      goodCount = i + 1;
    }
  }
  for (const segment of files.slice(goodCount).reverse()) {
    const path = headChunkPath(dir, segment);
    aside.push(setAside(fs, path, quarantineDir, `chunks_head-${nameOf(path)}`, problem));
    fs.syncDir(dir);
  }
  if (cut !== undefined) aside.push(cutTail(fs, cut.path, cut.offset, quarantineDir, problem));
  for (const one of aside) {
    writeNote(fs, one.to, headChunksNote(one, [unproven(fs, one.to)]));
    env.logger.warn("Damaged head chunks set aside", fieldsOf(one));
  }
  return { chunkCount, files: known, setAside: aside };
}

/** What is wrong with one file, undefined where nothing is; a last file of zeros is as it should be. */
export function checkHeadChunkFile(fs: Fs, path: string, segment: number): CorruptionError | undefined {
  const file = fs.open(path, "read");
  try {
    if (isZero(file, 0, file.size())) return undefined;
  } finally {
    file.close();
  }
  return scanFile(fs, path, segment, headChunkHeaderBytes, () => "").error;
}

/** Until it is known what of it the write-ahead log has. */
function unproven(fs: Fs, path: string): Loss {
  const chunks = legibleChunks(fs, path);
  const what = "what the write-ahead log does not have of this file";
  if (chunks.length === 0) return { series: "", mint: -Infinity, maxt: Infinity, what };
  const mint = chunks.reduce((least, one) => Math.min(least, one.mint), Number.POSITIVE_INFINITY);
  const maxt = chunks.reduce((most, one) => Math.max(most, one.maxt), Number.NEGATIVE_INFINITY);
  return { series: "", mint, maxt, what };
}

/** The note for what was set aside; `held` is what it had in it. */
export function headChunksNote(
  { from, reason }: SetAside,
  lost: readonly Loss[],
  held?: readonly Loss[],
): QuarantineNote {
  return { kind: "chunks_head", from, problems: [reason], lost, held, replacedBy: "" };
}

function fieldsOf(aside: SetAside): LogFields {
  return { file: aside.from, movedTo: aside.to, reason: aside.reason };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function cutTail(fs: Fs, path: string, offset: number, quarantineDir: string, problem: string): SetAside {
  const name = `chunks_head-${nameOf(path)}-from-${offset}`;
  const aside = copyAside(fs, path, offset, quarantineDir, name, problem);
  const file = fs.open(path, "write");
  try {
    file.truncate(offset);
    file.sync();
  } finally {
    file.close();
  }
  return aside;
}

/**
 * Files are not synced when they are created, so a crash may leave the last one empty or full of zeros: nothing is lost
 * by removing it, and Prometheus does so too.
 */
function removeEmptyLast(fs: Fs, dir: string, files: readonly number[]): boolean {
  const last = files.at(-1);
  if (last === undefined) return false;
  const path = headChunkPath(dir, last);
  const file = fs.open(path, "read");
  try {
    const size = file.size();
    if (!isZero(file, 0, size)) return false;
  } finally {
    file.close();
  }
  fs.removeFile(path);
  fs.syncDir(dir);
  return true;
}

function isZero(file: File, start: number, end: number): boolean {
  const block = new Uint8Array(Math.min(64 * 1024, end - start));
  for (let at = start; at < end; ) {
    const read = readWhole(file, block.subarray(0, Math.min(block.length, end - at)), at);
    if (read === 0) return true;
    for (let i = 0; i < read; i++) if (block[i] !== 0) return false;
    at += read;
  }
  return true;
}

interface FileScan {
  maxt: number;
  lateRef: number;
  /** Its offset is where the file must be cut: the first entry that is not whole, or 0. */
  error: CorruptionError | undefined;
}

function scanFile(fs: Fs, path: string, segment: number, start: number, visit: ChunkVisitor): FileScan {
  const result: FileScan = { maxt: Number.NEGATIVE_INFINITY, lateRef: 0, error: undefined };
  const file = fs.open(path, "read");
  try {
    readEntries(file, segment, start, (chunk) => {
      const problem = visit(chunk);
      if (problem === "") {
        if (chunk.outOfOrder) result.lateRef = chunk.ref;
        else result.maxt = Math.max(result.maxt, chunk.maxt);
      }
      return problem;
    });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    result.error = error;
  } finally {
    file.close();
  }
  return result;
}

/** Reads ahead in blocks; a block always begins at an entry and is grown for one that does not fit. */
function readEntries(file: File, segment: number, from: number, visit: ChunkVisitor): void {
  const { path } = file;
  const fileEnd = file.size();
  checkHeader(file, fileEnd);
  let block = new Uint8Array(Math.min(1024 * 1024, fileEnd));
  let held = 0;
  let start = 0;
  const head = newEntryHead();
  const chunk: ScannedChunk = {
    ref: 0,
    walRef: 0,
    mint: 0,
    maxt: 0,
    encoding: 0,
    outOfOrder: false,
    sampleCount: 0,
  };

  /** Makes block[start, start + needed) hold bytes from file offset `at`, as far as the file goes. */
  const fill = (at: number, needed: number): void => {
    if (held - start >= needed || at + held - start >= fileEnd) return;
    if (needed > block.length) {
      const bigger = new Uint8Array(Math.min(needed * 2, fileEnd - at));
      bigger.set(block.subarray(start, held));
      block = bigger;
    } else {
      block.copyWithin(0, start, held);
    }
    held -= start;
    start = 0;
    held += readWhole(file, block.subarray(held), at + held);
  };

  for (let at = from; at < fileEnd; ) {
    fill(at, entryHeadBytesMax);
    if (fileEnd - at < entryHeadBytesMax + entryChecksumBytes && isZero(file, at, fileEnd)) return;
    parseEntryHead(block.subarray(0, held), start, head, path, at);
    // WAL refs begin at 1: this is the preallocated rest of a file that was not closed.
    if (head.walRef === 0 && head.mint === 0 && head.maxt === 0) return;
    const entryBytes = head.dataStart + head.dataBytes + entryChecksumBytes;
    if (at + entryBytes > fileEnd) {
      throw new CorruptionError(
        path,
        at,
        `the file ends within a chunk (${entryBytes} bytes, ${fileEnd - at} left)`,
      );
    }
    fill(at, entryBytes);
    verifyEntry(block, start, start + entryBytes - entryChecksumBytes, path, at);
    const data = start + head.dataStart;
    chunk.ref = headChunkRef(segment, at);
    chunk.walRef = head.walRef;
    chunk.mint = head.mint;
    chunk.maxt = head.maxt;
    chunk.encoding = head.encodingByte & ~outOfOrderBit;
    chunk.outOfOrder = (head.encodingByte & outOfOrderBit) !== 0;
    chunk.sampleCount = chunkSamples(chunk.encoding, block, data, data + head.dataBytes);
    const problem = visit(chunk);
    if (problem !== "") throw new CorruptionError(path, at, problem);
    at += entryBytes;
    start += entryBytes;
  }
}

function checkHeader(file: File, fileEnd: number): void {
  const header = new Uint8Array(headChunkHeaderBytes);
  if (fileEnd < headChunkHeaderBytes || readWhole(file, header, 0) < headChunkHeaderBytes) {
    throw new CorruptionError(file.path, 0, `a file of ${fileEnd} bytes has no room for its header`);
  }
  const magic = new DataView(header.buffer).getUint32(0);
  if (magic !== headChunkMagic) {
    throw new CorruptionError(file.path, 0, `the magic number is ${magic.toString(16)}, 130bc91 expected`);
  }
  if (header[4] !== headChunkVersion) {
    throw new CorruptionError(file.path, 4, `format version ${header[4]}, only ${headChunkVersion} is known`);
  }
}

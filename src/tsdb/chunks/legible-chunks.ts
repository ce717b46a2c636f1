/** What can still be read of a file of `chunks_head`, or of its end, that was set aside because it is damaged. */
import { crc32c } from "../../base/crc32c.ts";
import { changedByte } from "../../base/crc32c-correct.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import { chunkSamples } from "../../chunkenc/encoding.ts";
import {
  entryChecksumBytes,
  headChunkHeaderBytes,
  headChunkMagic,
  newEntryHead,
  outOfOrderBit,
  parseEntryHead,
} from "./head-chunks.ts";

/** Which samples a chunk held. */
export interface LegibleChunk {
  readonly walRef: number;
  readonly mint: number;
  readonly maxt: number;
  readonly samples: number;
  readonly outOfOrder: boolean;
}

/**
 * The chunks of the file at `path`, which begins with a header or with a chunk. Where one byte of a chunk was changed, the
 * checksum says which; else its head is believed where the next chunk, or the end of the file, is where it says. What
 * follows where it is not so is left out.
 */
export function legibleChunks(fs: Fs, path: string): LegibleChunk[] {
  const bytes = fs.readFile(path);
  // A damaged header does not look like a chunk that another one follows.
  const begins = isHeader(bytes) ? [headChunkHeaderBytes] : [0, headChunkHeaderBytes];
  for (const at of begins) {
    const chunks = walk(bytes, path, at);
    if (chunks.length > 0) return chunks;
  }
  return [];
}

function isHeader(bytes: Uint8Array): boolean {
  if (bytes.length < headChunkHeaderBytes) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === headChunkMagic;
}

function walk(bytes: Uint8Array, path: string, begin: number): LegibleChunk[] {
  const chunks: LegibleChunk[] = [];
  let doubtful: LegibleChunk | undefined;
  for (let at = begin; at < bytes.length; ) {
    const entry = entryAt(bytes, path, at);
    if (entry === undefined || (entry.isDoubtful && doubtful !== undefined)) return chunks;
    if (doubtful !== undefined) chunks.push(doubtful);
    doubtful = entry.isDoubtful ? entry.chunk : undefined;
    if (!entry.isDoubtful) chunks.push(entry.chunk);
    at = entry.end;
  }
  if (doubtful !== undefined) chunks.push(doubtful);
  return chunks;
}

interface Entry {
  readonly chunk: LegibleChunk;
  readonly end: number;
  readonly isDoubtful: boolean;
}

/** Undefined where there can be none. A changed byte is put right in `bytes`. */
function entryAt(bytes: Uint8Array, path: string, at: number): Entry | undefined {
  const head = newEntryHead();
  try {
    parseEntryHead(bytes, at, head, path, at);
    const dataEnd = at + head.dataStart + head.dataBytes;
    const end = dataEnd + entryChecksumBytes;
    if (end > bytes.length) return undefined;
    const isDoubtful = !isSound(bytes, at, dataEnd);
    parseEntryHead(bytes, at, head, path, at);
    const { walRef, mint, maxt, encodingByte } = head;
    if (walRef === 0 || mint > maxt) return undefined;
    const samples = chunkSamples(encodingByte & ~outOfOrderBit, bytes, at + head.dataStart, dataEnd);
    const outOfOrder = (encodingByte & outOfOrderBit) !== 0;
    return { chunk: { walRef, mint, maxt, samples, outOfOrder }, end, isDoubtful };
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return undefined;
  }
}

/** Whether what [start, end) holds is known; a changed byte is put right. */
function isSound(bytes: Uint8Array, start: number, end: number): boolean {
  const want = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end);
  if (crc32c(bytes, start, end) === want) return true;
  const changed = changedByte(bytes, start, end, want);
  if (changed === undefined) return false;
  if (changed.at < end) bytes[changed.at] ^= changed.xor;
  return true;
}

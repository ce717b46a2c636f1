/**
 * How the head comes back at a start: from its snapshot and the WAL's tail where they fit together, otherwise, and
 * whatever goes wrong with the snapshot, from all of `chunks_head` and the whole WAL.
 */
import { CorruptionError } from "../base/errors.ts";
import { bytesBelow, type File, type Fs, joinPath, makeDurable } from "../base/fs.ts";
import { PageCache } from "../base/page-cache.ts";
import { setAside } from "../base/set-aside.ts";
import type { ChunkEncodings } from "../chunkenc/encode-samples.ts";
import type { HeadKernel } from "../kernels/head-kernel.ts";
import { HeadChunkReader } from "./chunks/head-chunk-reader.ts";
import { type ScannedChunk, scanHeadChunks } from "./chunks/head-chunk-scan.ts";
import { HeadChunkWriter } from "./chunks/head-chunk-writer.ts";
import type { PersistedChunk } from "./head/chunk-lists.ts";
import { Head } from "./head/head.ts";
import type { ChunkSink } from "./head/head-log.ts";
import { HeadMemory } from "./head/memory.ts";
import { HeadReplay, type UnknownRefs } from "./head/replay.ts";
import { ReplayChunks } from "./head/replay-chunks.ts";
import {
  headSnapshotDir,
  notedSegment,
  noteSegment,
  removeSnapshots,
  snapshotPath,
} from "./head-snapshot/files.ts";
import { loadSnapshot, readPosition } from "./head-snapshot/load-snapshot.ts";
import { mismatchOf, type SnapshotPosition } from "./head-snapshot/position.ts";
import { restoreRecords } from "./head-snapshot/writer-part.ts";
import { noteHeadChunks, unjudged } from "./note-head-chunks.ts";
import { listSegments } from "./wal/segment.ts";
import { Wal, type WalEnv, type WalOptions } from "./wal/wal.ts";
import type { WalSink } from "./wal/wal-sink.ts";

export const walDir = "wal";
/** The log of samples that come out of order; in Prometheus too it is replayed after the WAL. */
export const wblDir = "wbl";
export const headChunksDir = "chunks_head";
/** Takes what is damaged and what contradicts our writes; nothing in it is ever read again. */
export const quarantineDir = "quarantine";

const noteCacheBytes = 1024 * 1024;

export interface RecoveryOptions {
  readonly blockRangeMs: number;
  readonly samplesPerChunk: number;
  readonly exemplarsMax: number;
  readonly encodings?: ChunkEncodings;
  readonly keepsStarts?: boolean;
  readonly kernel?: (memory: WebAssembly.Memory) => HeadKernel;
  readonly wal: Omit<WalOptions, "quarantineDir" | "from" | "neededFrom" | "onSegment">;
  /** Only a full replay will do. */
  readonly thorough: boolean;
  readonly hashSeed: number;
  /** The end of the newest block of samples in order. */
  readonly blocksEnd: number;
  /** What the head writes chunks through. */
  readonly guarded: (chunks: HeadChunkWriter) => ChunkSink;
  readonly sink: (replay: HeadReplay) => WalSink;
  /** As `sink`, for the WBL. */
  readonly lateSink: (replay: HeadReplay) => WalSink;
  readonly onLateSync?: (seconds: number) => void;
  /** The WBL, once it is open. */
  readonly wbl: () => Wal | undefined;
}

export interface Recovered {
  readonly head: Head;
  readonly chunks: HeadChunkWriter;
  readonly wal: Wal;
  /** Undefined where the directory has none; `openWbl` begins it. */
  readonly wbl: Wal | undefined;
  readonly openWbl: (sink: WalSink) => Wal;
  readonly unknownRefs: UnknownRefs;
  /** How many series came from the snapshot; undefined where none was used. */
  readonly snapshotSeries: number | undefined;
  /** There was a snapshot that could not be used. */
  readonly snapshotRefused: boolean;
  /** Damaged files of `chunks_head`. */
  readonly chunkDamages: number;
}

export function recover(env: WalEnv, dir: string, options: RecoveryOptions): Recovered {
  const hasSnapshot = !options.thorough && env.fs.stat(snapshotPath(dir)) !== undefined;
  const quick = hasSnapshot ? fromSnapshot(env, dir, options) : undefined;
  return quick ?? { ...replayed(env, dir, options), snapshotRefused: hasSnapshot };
}

function fromSnapshot(env: WalEnv, dir: string, options: RecoveryOptions): Recovered | undefined {
  const { fs, logger } = env;
  const path = snapshotPath(dir);
  let file: File | undefined;
  let reason: string;
  let damaged = false;
  try {
    file = fs.open(path, "read");
    const position = readPosition(file);
    reason =
      position.chunkRangeMs === options.blockRangeMs
        ? mismatchOf(fs, dir, walDir, headChunksDir, position, options.blocksEnd, notedSegment(fs, dir))
        : `it was taken with blocks of ${position.chunkRangeMs} ms`;
    if (reason === "") return replayed(env, dir, options, { file, position });
  } catch (error) {
    damaged = error instanceof CorruptionError && error.file === path;
    reason = error instanceof Error ? error.message : String(error);
  } finally {
    file?.close();
  }
  logger.warn("The head snapshot is not used: all of the write-ahead log is replayed, which takes longer", {
    file: path,
    reason,
  });
  try {
    if (damaged) setAside(fs, path, joinPath(dir, quarantineDir), `${headSnapshotDir}-head`, reason);
    removeSnapshots(fs, dir);
  } catch (error) {
    logger.warn("The head snapshot that is not used could not be removed", { file: path, error });
  }
  return undefined;
}

/** Throws, where there is a snapshot, whatever keeps it from being used. */
function replayed(
  env: WalEnv,
  dir: string,
  options: RecoveryOptions,
  snapshot?: { readonly file: File; readonly position: SnapshotPosition },
): Recovered {
  const position = snapshot?.position;
  syncLastSegment(env.fs, joinPath(dir, walDir));
  syncLastSegment(env.fs, joinPath(dir, wblDir));
  // While the log is replayed there is nothing in it that is not on the disk.
  let opened: Wal | undefined;
  const minValidTime = Math.max(options.blocksEnd, position?.minValidTime ?? Number.NEGATIVE_INFINITY);
  const replayChunks = new ReplayChunks(minValidTime, snapshot !== undefined);
  const { chunks, damages: chunkDamages } = openChunks(env, dir, replayChunks, position, () => {
    // The WBL has the WAL synced before.
    (options.wbl() ?? opened)?.sync();
  });
  try {
    const memory = HeadMemory.create({ hashSeed: position?.hashSeed ?? options.hashSeed });
    const head = new Head(memory, options.guarded(chunks), {
      chunkRangeMs: options.blockRangeMs,
      samplesPerChunk: options.samplesPerChunk,
      exemplarsMax: options.exemplarsMax,
      encodings: options.encodings,
      keepsStarts: options.keepsStarts,
      kernel: options.kernel?.(memory.memory),
    });
    const replay = new HeadReplay(head, minValidTime, replayChunks);
    let snapshotSeries: number | undefined;
    if (snapshot !== undefined) {
      head.minTime = snapshot.position.minTime;
      head.maxTime = snapshot.position.maxTime;
      head.nextWalRef = snapshot.position.nextWalRef;
      const loaded = loadSnapshot(snapshot.file, head, replay);
      snapshotSeries = loaded.series;
      restoreRecords(loaded.records, replay);
      replay.attachLaterChunks();
    }
    const wal = Wal.open(
      env,
      joinPath(dir, walDir),
      {
        ...options.wal,
        quarantineDir: joinPath(dir, quarantineDir),
        from: position?.wal,
        neededFrom: minValidTime,
        onSegment: (index) => tryNoteSegment(env, dir, index),
      },
      options.sink(replay),
    );
    opened = wal;
    replay.attachLate();
    const openWbl = (sink: WalSink) =>
      Wal.open(
        env,
        joinPath(dir, wblDir),
        {
          ...options.wal,
          onSync: options.onLateSync,
          quarantineDir: joinPath(dir, quarantineDir),
          syncFirst: wal,
        },
        sink,
      );
    const wbl = hasWbl(env.fs, dir) ? openWbl(options.lateSink(replay)) : undefined;
    // Series of which nothing is left still have their labels.
    noteChunks(env, dir, head, replay);
    replay.finish();
    const walRefMax = Math.max(wal.replayed.walRefMax, wbl?.replayed.walRefMax ?? 0, replayChunks.walRefMax);
    head.nextWalRef = Math.max(head.nextWalRef, walRefMax + 1);
    return {
      ...{ head, chunks, wal, wbl, openWbl, unknownRefs: replay.unknown },
      ...{ snapshotSeries, snapshotRefused: false, chunkDamages },
    };
  } catch (error) {
    chunks.close();
    throw error;
  }
}

function hasWbl(fs: Fs, dir: string): boolean {
  const path = joinPath(dir, wblDir);
  return fs.stat(path) !== undefined && bytesBelow(fs, path) > 0;
}

/** What a killed writer left in the log has to be on the disk before what it left in the chunk files. */
function syncLastSegment(fs: Fs, dir: string): void {
  if (fs.stat(dir) === undefined) return;
  const last = listSegments(fs, dir).at(-1);
  if (last !== undefined) makeDurable(fs, last.path);
}

/** Reads the chunk files, those behind `position` only where there is one, and begins to write behind them. */
function openChunks(
  env: WalEnv,
  dir: string,
  replayChunks: ReplayChunks,
  position: SnapshotPosition | undefined,
  beforeSync: () => void,
): { chunks: HeadChunkWriter; damages: number } {
  const chunksDir = joinPath(dir, headChunksDir);
  const quarantine = joinPath(dir, quarantineDir);
  const scan = scanHeadChunks(
    env,
    chunksDir,
    quarantine,
    (chunk) =>
      chunk.outOfOrder
        ? replayChunks.addLate(chunk.walRef, persisted(chunk))
        : replayChunks.add(chunk.walRef, persisted(chunk)),
    position?.chunkFiles.at(-1),
  );
  const files = new Map(scan.files);
  for (const { number, maxt, lateRef } of position?.chunkFiles ?? []) {
    const known = files.get(number);
    files.set(number, {
      maxt: Math.max(maxt, known?.maxt ?? maxt),
      lateRef: Math.max(lateRef, known?.lateRef ?? 0),
    });
  }
  const chunks = HeadChunkWriter.open(env, chunksDir, files, { beforeSync });
  return { chunks, damages: scan.setAside.length };
}

/** What fails here is tried again by the next start. */
function noteChunks({ fs, logger }: WalEnv, dir: string, head: Head, replay: HeadReplay): void {
  const setAside = unjudged(fs, joinPath(dir, quarantineDir));
  if (setAside.length === 0) return;
  replay.applyStaged();
  head.publish();
  const store = new HeadChunkReader(
    { fs, cache: new PageCache(noteCacheBytes) },
    joinPath(dir, headChunksDir),
  );
  try {
    noteHeadChunks(fs, setAside, { head, store, refOf: (walRef) => replay.refOf(walRef) });
  } catch (error) {
    logger.warn("What damaged head chunk files held could not be found out", {
      reason: (error as Error).message,
    });
  } finally {
    store.close();
  }
}

function persisted(chunk: ScannedChunk): PersistedChunk {
  const { ref, mint, maxt, sampleCount, encoding } = chunk;
  return { ref, mint, maxt, samples: sampleCount, encoding };
}

/** What is not noted costs the next start the snapshot. */
function tryNoteSegment({ fs, logger }: WalEnv, dir: string, index: number): void {
  try {
    noteSegment(fs, dir, index);
  } catch (error) {
    logger.warn("The newest WAL segment could not be noted: the next start will not use the head snapshot", {
      segment: index,
      error,
    });
  }
}

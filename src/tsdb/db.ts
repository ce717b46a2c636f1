/**
 * The writable part of a data directory: head, WAL and `chunks_head`, in one thread. Blocks are read elsewhere
 * (block/block-set.ts) and written elsewhere (compact/); this class says when, and forgets what they have taken over.
 *
 * A head compaction, whoever drives it:
 *   headCompactionDue → (write a block of that range) → (let queries see it) → truncateHead
 * and then a checkpoint:
 *   planCheckpoint → (write it) → finishCheckpoint
 */
import type { Codecs } from "../base/codec.ts";
import type { Clock, Logger, Random } from "../base/env.ts";
import { NarthexError } from "../base/errors.ts";
import { type Fs, joinPath } from "../base/fs.ts";
import type { ChunkEncodings } from "../chunkenc/encode-samples.ts";
import type { HeadKernel } from "../kernels/head-kernel.ts";
import { Root, Slot } from "../kernels/head-layout.ts";
import type { Histogram } from "../model/histogram.ts";
import type { Matcher } from "../model/matcher.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { endOfBlocks } from "./block/end-of-blocks.ts";
import type { HeadChunkWriter } from "./chunks/head-chunk-writer.ts";
import { removeLeftovers } from "./compact/delete-block.ts";
import { DiskGuard, type DiskGuardOptions } from "./disk-guard.ts";
import { earlyCut } from "./early-cut.ts";
import { HeadAppender } from "./head/appender.ts";
import type { CollectionState } from "./head/collection.ts";
import { deleteSamples } from "./head/delete-samples.ts";
import { batchesAfter, oldestBatch } from "./head/epochs.ts";
import type { Head } from "./head/head.ts";
import type { ChunkSink } from "./head/head-log.ts";
import type { HeadReplay, UnknownRefs } from "./head/replay.ts";
import type { SnapshotPlace } from "./head-snapshot/position.ts";
import type { WriterPart } from "./head-snapshot/write-snapshot.ts";
import { writerPart } from "./head-snapshot/writer-part.ts";
import { HeadTruncation } from "./head-truncation.ts";
import { headChunksDir, quarantineDir, recover } from "./recover.ts";
import { checkBlocks } from "./salvage/check-blocks.ts";
import type { BlockRepair } from "./salvage/repair-block.ts";
import { setForeignStateAside } from "./wal/foreign-state.ts";
import type { Compression } from "./wal/segment.ts";
import type { CheckpointPlan, Wal, WalSync } from "./wal/wal.ts";
import { WalLog } from "./wal/wal-log.ts";
import type { WalSink } from "./wal/wal-sink.ts";

export { headChunksDir, quarantineDir, walDir, wblDir } from "./recover.ts";

export interface DbEnv {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly codecs: Codecs;
}

export interface DbOptions {
  readonly blockRangeMs: number;
  readonly samplesPerChunk: number;
  readonly walSegmentBytes: number;
  readonly walCompression: Compression;
  readonly walSync: WalSync;
  /** 0: no exemplars are kept. */
  readonly exemplarsMax: number;
  /** Of chunks that are begun. Default: those that Prometheus 3.5 can read. */
  readonly encodings?: ChunkEncodings;
  /** Whether start times are logged and kept. Default: they are dropped. */
  readonly keepsStarts?: boolean;
  /** Makes the kernel for the head's memory. Default: its TypeScript twin. */
  readonly kernel?: (memory: WebAssembly.Memory) => HeadKernel;
  /** Called before each WAL segment is replayed. */
  readonly onReplay?: (segment: number, first: number, last: number) => void;
  /** Called once the blocks are known: the time from which on samples may be in the head only. */
  readonly onBlocks?: (endMs: number) => void;
  /** Told how long each sync of the WAL took, in seconds. */
  readonly onSync?: (seconds: number) => void;
  /** The same for the WBL. */
  readonly onLateSync?: (seconds: number) => void;
  /** As `syncFull` of WalOptions. */
  readonly syncFull?: (path: string) => Promise<void>;
  /** All blocks are read through, and all of the WAL is replayed, head snapshot or not. Default: false. */
  readonly verifyOnStart?: boolean;
  /** Default: no reserve is kept. */
  readonly disk?: DiskGuardOptions;
}

/** What the writer's thread gives to a head snapshot. */
export interface HeadSnapshotBegin {
  readonly place: SnapshotPlace;
  readonly chunkRangeMs: number;
  readonly part: WriterPart;
  /** For {@link Db.headSnapshotStands}. */
  readonly removals: string;
}

/** Milliseconds; both inclusive. */
export interface TimeRange {
  readonly mint: number;
  readonly maxt: number;
}

/** A range of the head that is ready to become a block. */
export interface HeadCut extends TimeRange {
  /** Less than a whole block range, because memory is short or too many series are stale: it is urgent. */
  readonly early: boolean;
}

/** Out-of-order samples that are to become blocks. */
export interface LateCompaction extends TimeRange {
  readonly lastFileRef: number;
  /** Nothing in segments before it is needed afterwards. */
  readonly wblSegment: number;
}

/** For the lists of chunks that replace those in memory. */
const lateReservePages = 64;

export class Db {
  readonly head: Head;
  readonly appender: HeadAppender;
  readonly wal: Wal;
  /** Says whether anything is stored at present. */
  readonly disk: DiskGuard;
  readonly #chunks: HeadChunkWriter;
  /** How long the start took: chunk files, then the WAL. */
  readonly replaySeconds: number;
  readonly unknownRefs: UnknownRefs;
  /** Blocks, WAL segments and head chunk files that were damaged. */
  readonly damageCount: number;
  /** How many series the start took from the head snapshot; undefined where all of the WAL was replayed. */
  readonly snapshotSeries: number | undefined;
  /** There was a head snapshot that the start could not use. */
  readonly snapshotRefused: boolean;
  /** Files of `chunks_head` that were damaged. */
  readonly chunkDamages: number;
  /** What was found wrong with blocks at the start, and what became of them. */
  readonly blockRepairs: readonly BlockRepair[];
  readonly #log: WalLog;
  readonly #openWbl: (sink: WalSink) => Wal;
  /** The log of out-of-order samples; there once the window was open, and as long as the directory has one. */
  #wbl: Wal | undefined;
  /** The batch since which no reader may begin with out-of-order samples that are about to go. */
  #lateAnnounced: number | undefined;
  readonly truncation: HeadTruncation;
  #staleSeriesThreshold = 0;
  #closed = false;

  /**
   * Opens the directory, which is created if need be and which the caller has locked: removes leftovers of unfinished
   * work, brings the head back (recover.ts). What is damaged is cut off and kept in `quarantine/`.
   */
  constructor(env: DbEnv, dir: string, options: DbOptions) {
    const { fs, clock, logger } = env;
    const begunMs = clock.monotonicMs();
    fs.makeDir(dir);
    const quarantine = joinPath(dir, quarantineDir);
    removeLeftovers(env, dir);
    setForeignStateAside(env, dir, quarantine);

    this.blockRepairs = checkBlocks(env, dir, quarantine, { thorough: options.verifyOnStart ?? false });
    const blocksEnd = endOfBlocks(fs, dir);
    options.onBlocks?.(blocksEnd);
    this.disk = new DiskGuard(env, dir, options.disk ?? { reserveBytes: 0 });
    const recovered = recover(env, dir, {
      blockRangeMs: options.blockRangeMs,
      samplesPerChunk: options.samplesPerChunk,
      exemplarsMax: options.exemplarsMax,
      encodings: options.encodings,
      keepsStarts: options.keepsStarts,
      kernel: options.kernel,
      wal: {
        compression: options.walCompression,
        segmentBytes: options.walSegmentBytes,
        sync: options.walSync,
        onFailure: (cause) => this.disk.failed(cause),
        onSync: options.onSync,
        syncFull: options.syncFull,
      },
      thorough: options.verifyOnStart ?? false,
      hashSeed: env.random.u32(),
      blocksEnd,
      guarded: (chunks) => guarded(chunks, this.disk),
      sink: (replay) => replaySink(replay, options.onReplay),
      lateSink,
      onLateSync: options.onLateSync,
      wbl: () => this.#wbl,
    });
    this.head = recovered.head;
    this.wal = recovered.wal;
    this.#wbl = recovered.wbl;
    this.#openWbl = recovered.openWbl;
    this.#chunks = recovered.chunks;
    this.truncation = new HeadTruncation(this.head, this.#chunks, clock);
    this.snapshotSeries = recovered.snapshotSeries;
    this.snapshotRefused = recovered.snapshotRefused;
    this.chunkDamages = recovered.chunkDamages;
    this.unknownRefs = recovered.unknownRefs;
    warnAboutUnknownRefs(logger, recovered.unknownRefs);
    this.#log = new WalLog(this.wal);
    this.appender = new HeadAppender(this.head, this.#log);
    if (this.#wbl !== undefined) this.appender.lateLog = new WalLog(this.#wbl);
    this.damageCount =
      this.blockRepairs.length + damagesOf(this.wal) + damagesOf(this.#wbl) + recovered.chunkDamages;
    this.disk.start();
    this.replaySeconds = (clock.monotonicMs() - begunMs) / 1000;
  }

  /**
   * The range of the head that is ready to become a block; undefined when there is none. In rushed mode, and where too
   * many series are stale, that may be less than a whole block range: an early cut.
   */
  headCompactionDue(): HeadCut | undefined {
    const { head } = this;
    if (!head.isCompactable) {
      const cut = this.#earlyCut();
      return cut && { ...cut, early: true };
    }
    const mint = head.minTime;
    return { mint, maxt: mint - (mint % head.chunkRangeMs) + head.chunkRangeMs - 1, early: false };
  }

  /** The share of series that may be stale before the head is cut early; 0: any. */
  set staleSeriesThreshold(share: number) {
    this.#staleSeriesThreshold = share;
  }

  /** Whether memory is so short that the logs leave the disk alone; as {@link Wal.rushed}. */
  set rushed(rushed: boolean) {
    this.wal.rushed = rushed;
    if (this.#wbl !== undefined) this.#wbl.rushed = rushed;
  }

  get wbl(): Wal | undefined {
    return this.#wbl;
  }

  /** How late samples may come; 0: not at all. What came late before stays. */
  set outOfOrderWindowMs(windowMs: number) {
    if (windowMs > 0 && this.#wbl === undefined) {
      this.#wbl = this.#openWbl(noRecords);
      this.#wbl.rushed = this.wal.rushed;
      this.appender.lateLog = new WalLog(this.#wbl);
    }
    this.head.outOfOrderWindowMs = windowMs;
  }

  /**
   * Writes all out-of-order samples to `chunks_head` and says which are to become blocks, and which segment of the WBL has
   * those that follow. Undefined where there are none. Then {@link settleLate} until it says so, blocks of the range, and {@link truncateLate}.
   */
  planLateCompaction(): LateCompaction | undefined {
    const { late } = this.head;
    if (late.isEmpty) return undefined;
    this.head.arena.reserve(lateReservePages);
    try {
      late.sealAll();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `samples that came late cannot be written to ${headChunksDir}: ${reason}`;
      throw new NarthexError("STORAGE", message, { cause });
    }
    const wblSegment = this.#wbl?.cut() ?? 0;
    this.head.publish();
    return { mint: late.minTime, maxt: late.maxTime, lastFileRef: late.lastFileRef, wblSegment };
  }

  /** Whether no reader needs the samples in memory any more that the plan is about. */
  settleLate(): boolean {
    this.head.publish();
    this.head.late.settle();
    return this.head.late.isSettled;
  }

  /** Forgets what blocks hold now; false where queries have to end first. */
  truncateLate({ lastFileRef, wblSegment }: LateCompaction): boolean {
    const { head } = this;
    const { words } = head.memory;
    if (this.#lateAnnounced === undefined) {
      head.publish();
      this.#lateAnnounced = words[Root.committed];
    }
    if (batchesAfter(this.#lateAnnounced, oldestBatch(words, Slot.opened)) > 0) return false;
    this.#lateAnnounced = undefined;
    head.late.dropFiles(lastFileRef);
    head.publish();
    this.#wbl?.dropBefore(wblSegment);
    head.late.hasOtherRefs = false;
    this.#chunks.dropLate(lastFileRef);
    this.#chunks.truncate(head.minTime);
    return true;
  }

  /** Takes over how far the arena may grow, and judges how urgent it is; returns whether rushed mode changed. */
  judgeMemory(arenaPages: number): boolean {
    const { budget, arena } = this.head;
    budget.pages = Math.min(arenaPages, arena.pageCount);
    // Known series may use what is kept from new ones, also where the limit came down under what is taken.
    arena.pagesMax = Math.max(
      budget.pages,
      Math.min(arena.pagesTaken + budget.pagesKept, budget.pages * 1.06),
    );
    return budget.urgency.update(budget.score());
  }

  /** What was stale by the end of the cut leaves the head with it. */
  #earlyCut(): TimeRange | undefined {
    const { head } = this;
    const { series, staleSeries } = head.stats;
    const threshold = this.#staleSeriesThreshold;
    const stale = threshold > 0 && series > 0 && staleSeries / series >= threshold;
    if (!head.isInitialized || !(head.budget.urgency.rushed || stale)) return undefined;
    return earlyCut(head.minTime, head.appendableMinValidTime(), head.chunkRangeMs);
  }

  /** All that the head holds, for a snapshot; undefined when it is empty. */
  headRange(): TimeRange | undefined {
    const { head } = this;
    return head.isInitialized && head.maxTime >= head.minTime
      ? { mint: head.minTime, maxt: head.maxTime }
      : undefined;
  }

  /**
   * A slice of the truncation of everything before `mint`, which a block has taken over; batches may be committed
   * between slices. Returns "done" when it is finished, "waiting" when running queries have to end first.
   */
  truncateHead(mint: number, isOver: () => boolean): CollectionState {
    return this.truncation.step(mint, isOver);
  }

  /** Deletes samples of the head; as deleteSamples of head/delete-samples.ts. */
  deleteSamples(mint: number, maxt: number, matchers: readonly Matcher[], owner: number): number {
    return deleteSamples(this.head, this.#log, owner, mint, maxt, matchers);
  }

  /** As {@link Wal.planCheckpoint}, with the WAL refs of removed series that the checkpoint has to keep. */
  planCheckpoint(mint: number): { plan: CheckpointPlan; mint: number; kept: Float64Array } | undefined {
    const plan = this.wal.planCheckpoint();
    if (plan === undefined) return undefined;
    const kept = [...this.head.walExpiries].filter(([, until]) => until >= mint).map(([walRef]) => walRef);
    return { plan, mint, kept: Float64Array.from(kept) };
  }

  /** The checkpoint is written: what it covers goes. */
  finishCheckpoint(mint: number): void {
    this.wal.dropCovered();
    this.head.checkpointWritten(mint);
  }

  /**
   * What a head snapshot needs of this thread: the place from which on the WAL is to be replayed over it, and what is not
   * in the shared memory. To be asked for before the head is read. Undefined while chunks wait to be written, and while
   * the WBL names series otherwise than the snapshot would.
   */
  beginHeadSnapshot(): HeadSnapshotBegin | undefined {
    const { head } = this;
    const chunkFiles = this.#chunks.files();
    if (chunkFiles === undefined || head.cuts.waiting > 0 || this.truncation.isUnderWay) return undefined;
    if (head.late.hasOtherRefs) return undefined;
    return {
      place: {
        wal: this.wal.position,
        chunkFiles,
        minValidTime: head.minValidTime,
        nextWalRef: head.nextWalRef,
      },
      chunkRangeMs: head.chunkRangeMs,
      part: writerPart(head),
      removals: this.#removals,
    };
  }

  /** Whether nothing was taken from the head since the snapshot was begun: otherwise it may show what is gone. */
  headSnapshotStands(removals: string): boolean {
    return !this.truncation.isUnderWay && removals === this.#removals;
  }

  get #removals(): string {
    const { seriesRemoved, chunksRemoved, truncations } = this.head.stats;
    return `${seriesRemoved} ${chunksRemoved} ${truncations} ${this.head.late.drops} ${this.head.minTime}`;
  }

  /** Bytes of WAL, WBL and `chunks_head`. */
  sizeBytes(): { readonly wal: number; readonly wbl: number; readonly headChunks: number } {
    const wbl = this.#wbl?.sizeBytes() ?? 0;
    return { wal: this.wal.sizeBytes(), wbl, headChunks: this.#chunks.sizeBytes() };
  }

  /** Writes out and syncs everything. Idempotent. Where the chunk files fail, the WAL has all that is in them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.disk.close();
    try {
      this.#chunks.close();
    } finally {
      try {
        this.#wbl?.close();
      } finally {
        this.wal.close();
      }
    }
  }
}

/** Damaged segments, and missing ones. */
function damagesOf(log: Wal | undefined): number {
  return log === undefined ? 0 : log.replayed.setAside.length + log.replayed.gaps.length;
}

/** Chunk files whose failures stop the storing. */
function guarded(chunks: ChunkSink, disk: DiskGuard): ChunkSink {
  const run = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      disk.failed(error);
      throw error;
    }
  };
  return {
    append: (walRef, mint, maxt, encoding, bytes) =>
      run(() => chunks.append(walRef, mint, maxt, encoding, bytes)),
    flush: () => run(() => chunks.flush()),
  };
}

function replaySink(replay: HeadReplay, onReplay: DbOptions["onReplay"]): WalSink {
  return {
    series(cursor) {
      while (cursor.next()) replay.series(cursor.walRef, cursor.labels());
    },
    samples: ({ walRefs, t, v, n, starts }) => replay.samples(walRefs, t, v, n, starts),
    histograms: ({ walRefs, t, histograms, n, starts }) =>
      replay.histograms(walRefs, t, histograms, n, starts),
    tombstones(entries) {
      for (const { walRef, mint, maxt } of entries) replay.tombstone(walRef, mint, maxt);
    },
    exemplars(entries) {
      for (const entry of entries) replay.exemplar(entry);
    },
    metadata(entries) {
      for (const { walRef, metadata } of entries) replay.metadata(walRef, metadata);
    },
    progress: (segment, first, last) => onReplay?.(segment, first, last),
  };
}

/** The WBL has samples and markers only. */
const noRecords: WalSink = {
  series: () => {},
  samples: () => {},
  histograms: () => {},
  tombstones: () => {},
  exemplars: () => {},
  metadata: () => {},
  progress: () => {},
};

function lateSink(replay: HeadReplay): WalSink {
  return {
    ...noRecords,
    samples({ walRefs, t, v, starts, n }) {
      replay.lateSamples(walRefs, columnsOf(t, v, starts, undefined, n));
    },
    histograms({ walRefs, t, starts, histograms, n }) {
      replay.lateSamples(walRefs, columnsOf(t, new Float64Array(n), starts, histograms, n));
    },
    mmapMarkers: (entries) => replay.lateMarkers(entries),
  };
}

function columnsOf(
  t: Float64Array,
  v: Float64Array,
  starts: Float64Array | undefined,
  histograms: Histogram[] | undefined,
  n: number,
): SampleColumns {
  const columns = new SampleColumns(0);
  columns.t = t;
  columns.v = v;
  columns.starts = starts;
  columns.histograms = histograms;
  columns.n = n;
  return columns;
}

function warnAboutUnknownRefs(logger: Logger, unknown: UnknownRefs): void {
  const { samples, exemplars, histograms, metadata, tombstones } = unknown;
  if (samples + exemplars + histograms + metadata + tombstones === 0) return;
  logger.warn("The write-ahead log has records of series that it does not name; they were left out", {
    ...unknown,
  });
}

/** The messages between the main thread and the others: what each thread can be asked. See rpc.ts. */
import type { Answer, ExemplarsRequest, QueryAnswer, QueryRequest, WriteHeaders } from "../api/services.ts";
import type { FamilyMetadata, ScrapedPage, ScrapeReport, TargetSettings } from "../scrape/sink.ts";
import type { BlockDescription } from "../tsdb/block/meta.ts";
import type { Culprit } from "../tsdb/budget/refused-series.ts";
import type { HeadCut, HeadSnapshotBegin, LateCompaction } from "../tsdb/db.ts";
import type { SeriesLimits } from "../tsdb/head/head-budget.ts";
import type { HeadHandle } from "../tsdb/head/memory.ts";
import type { SnapshotSummary } from "../tsdb/head-snapshot/write-snapshot.ts";
import type { IndexStatus } from "../tsdb/index/cardinality.ts";
import type { CheckpointPlan } from "../tsdb/wal/wal.ts";
import type { ObservedChunks } from "./chunk-histograms.ts";
import type { ChunkSettings, QuerySettings, RetentionSettings, StorageSettings } from "./settings.ts";

/** Counters and gauges by name, for /metrics. */
export type ThreadStats = Readonly<Record<string, number>>;

/** What a reload of the configuration may change for the writer. */
export interface WriterSettings {
  readonly exemplarsMax: number;
  readonly seriesLimits: SeriesLimits;
  /** `storage.tsdb.stale_series_compaction_threshold` */
  readonly staleSeriesThreshold: number;
  /** `storage.tsdb.out_of_order_time_window` */
  readonly outOfOrderWindowMs: number;
  /** Of chunks that are begun. */
  readonly encodings: ChunkSettings;
}

/** Milliseconds; both inclusive. */
export interface TimeRange {
  readonly mint: number;
  readonly maxt: number;
}

export interface WriterData {
  readonly storage: StorageSettings;
  readonly settings: WriterSettings;
  readonly control: SharedArrayBuffer;
}

/** What the writer says once the WAL is replayed. */
export interface WriterReady {
  readonly head: HeadHandle;
}

export interface WriterMethods {
  /** Answered when replay has ended. */
  ready(): WriterReady;
  /**
   * A remote-write request. Its body comes back, so that its memory is freed where it came from: the writer makes so
   * little garbage that it would be collected late.
   */
  write(request: { body: Uint8Array; headers: WriteHeaders }): { answer: Answer; body: Uint8Array };
  openTarget(settings: TargetSettings): void;
  deliver(request: { id: number; page: ScrapedPage }): ScrapeReport;
  closeTarget(request: { id: number; staleAt: number | undefined }): void;
  metadata(id: number): readonly FamilyMetadata[];
  exemplars(request: ExemplarsRequest): QueryAnswer;
  /** Takes over what a reload of the configuration may change. */
  configure(settings: WriterSettings): void;
  /** Who was refused new series, most first. */
  culprits(limit: number): readonly Culprit[];
  /** A range of the head that is ready to become a block; undefined when there is none. */
  headCompactionDue(): HeadCut | undefined;
  /** A block with everything before `maxt + 1` is in place: forget that part of the head. */
  truncateHead(maxt: number): void;
  /** Writes out-of-order samples to files, so that blocks can be made of them; undefined when there are none. */
  planLateCompaction(): LateCompaction | undefined;
  /** Blocks have them: forget them. */
  truncateLate(compaction: LateCompaction): void;
  planCheckpoint(mint: number): CheckpointJob | undefined;
  /** The checkpoint is written: remove what it covers. */
  finishCheckpoint(mint: number): void;
  /** The writer's part of a head snapshot; undefined while it cannot be taken. */
  beginHeadSnapshot(): HeadSnapshotBegin | undefined;
  /** Whether a snapshot that was begun may be used. */
  headSnapshotStands(removals: string): boolean;
  /** Where the head's samples are, for a snapshot. */
  headRange(): TimeRange | undefined;
  /** Deletes samples of the head; returns of how many series. */
  deleteSamples(request: Deletion): number;
  stats(): ThreadStats;
  /** Writes out everything and closes the files; nothing may be asked afterwards. */
  close(): void;
}

/** Samples to be deleted: those of any of the sets of matchers, within [mint, maxt] (ms, inclusive). */
export interface Deletion extends TimeRange {
  /** Series selectors, as the API got them. */
  readonly matches: readonly string[];
}

export interface CheckpointJob {
  readonly plan: CheckpointPlan;
  readonly mint: number;
  /** WAL refs of series that are gone but still have samples in the WAL. */
  readonly kept: Float64Array;
}

/** What the writer posts without being asked. */
export type WriterNotice =
  | { readonly notice: "replay"; readonly segment: number; readonly first: number; readonly last: number }
  | { readonly notice: "compactable" }
  /** Storing stopped, for this reason, or resumed (""). */
  | { readonly notice: "disk"; readonly problem: string }
  /** What the start found damaged and repaired. */
  | { readonly notice: "damage"; readonly problem: string };

export interface QueryData {
  readonly storage: StorageSettings;
  readonly queries: QuerySettings;
  readonly control: SharedArrayBuffer;
  /** Undefined while the WAL is replayed. */
  readonly head: HeadHandle | undefined;
  /** The number of this query thread: its cancellation word and the owner of its reader slots. */
  readonly thread: number;
}

/** What a block's index tells; its chunks are counted in its meta.json. */
export type BlockStatus = IndexStatus & { readonly chunkCount: number };

export interface QueryMethods {
  answer(request: { request: QueryRequest; queuedMs: number }): QueryAnswer;
  /** There is a (new) head. */
  attach(head: HeadHandle): void;
  configure(queries: QuerySettings): void;
  headStatus(limit: number): IndexStatus;
  /** The meta.json of the blocks that queries see, by minTime. */
  blockMetas(): readonly object[];
  /** Undefined where there is no such block. */
  blockStatus(request: { readonly block: string; readonly limit: number }): BlockStatus | undefined;
}

export interface CompactionData {
  readonly storage: StorageSettings;
  readonly control: SharedArrayBuffer;
  readonly head: HeadHandle | undefined;
  /** Whether this thread may take what is unfinished for leftovers: the first one, when no other runs. */
  readonly sweeps: boolean;
}

/** What a compaction thread posts without being asked: chunks of the head that are in a block now. */
export interface CompactionNotice {
  readonly notice: "chunks";
  readonly chunks: ObservedChunks;
}

/** What a compaction of blocks did. */
export interface CompactionResult {
  /** The new block; undefined where nothing was left. */
  readonly block: BlockDescription | undefined;
  readonly overlapping: boolean;
  readonly seconds: number;
}

export interface CompactionRequest {
  /** Of the blocks that become one. */
  readonly names: readonly string[];
  readonly rules: RetentionSettings["rules"];
  /** Of chunks that overlap and are encoded anew. */
  readonly encodings: ChunkSettings;
}

/** A block that was or would be written anew without what a retention rule does not keep. */
export interface RewrittenBlock extends BlockDescription {
  readonly sizeBytes: number;
  readonly freedBytes: number;
}

export interface BlockDeletions {
  readonly deleted: readonly string[];
  readonly expired: number;
  readonly outsized: number;
  /** Blocks that cannot be read. */
  readonly unreadable: number;
}

export interface CompactionMethods {
  /** Cuts a block from the head into `dir`; undefined when there is nothing in the range. */
  writeHeadBlock(request: TimeRange & { dir: string }): BlockDescription | undefined;
  /** Blocks of out-of-order samples, one for each block range that has some. */
  writeLateBlocks(
    request: LateCompaction & { readonly encodings: ChunkSettings },
  ): readonly BlockDescription[];
  /** Returns its size in bytes. */
  writeCheckpoint(job: CheckpointJob): number;
  /** Names of the blocks of each compaction that is due; disjoint, so that they may run at once. */
  planCompactions(request: { ranges: readonly number[] }): readonly (readonly string[])[];
  compactBlocks(request: CompactionRequest): CompactionResult;
  /** Writes the next block that a retention rule wants series out of anew; undefined when there is none left. */
  applyRetentionRule(rules: RetentionSettings["rules"]): RewrittenBlock | undefined;
  /** What that would free, of all blocks. Writes nothing. */
  tryRetentionRules(rules: RetentionSettings["rules"]): readonly RewrittenBlock[];
  /** Deletes samples of the blocks; returns of how many series, each block counted for itself. */
  deleteSamples(request: Deletion): number;
  /** Writes the next block that has tombstones anew without what they delete; undefined when there is none left. */
  cleanNext(): { readonly cleaned: string } | undefined;
  /** Deletes blocks beyond the retention and those that others replaced. */
  deleteBlocks(retention: RetentionSettings): BlockDeletions;
  /** Writes a head snapshot, not yet in its place. */
  takeHeadSnapshot(begin: HeadSnapshotBegin): SnapshotSummary;
  publishHeadSnapshot(): void;
  /** Links all blocks into a directory. */
  snapshotBlocks(dir: string): void;
}

/**
 * One start of the storage in one thread, with all that the threads of a server do to a data directory. It notes what it
 * acknowledges, so that the tests know what must be there after whatever they do to the disk.
 */
import { type Fs, joinPath } from "../../src/base/fs.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { Histogram } from "../../src/model/histogram.ts";
import { Labels } from "../../src/model/labels.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { mergeQueriers } from "../../src/storage/merge.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import type { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { cleanBlock, compactBlocks } from "../../src/tsdb/compact/compact-blocks.ts";
import { removeLeftovers } from "../../src/tsdb/compact/delete-block.ts";
import { deleteSamples } from "../../src/tsdb/compact/delete-samples.ts";
import { withoutEarlyLate } from "../../src/tsdb/compact/plan.ts";
import { deleteObsoleteBlocks } from "../../src/tsdb/compact/retention.ts";
import { snapshotBlocks } from "../../src/tsdb/compact/snapshot.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { Db, type DbOptions, quarantineDir } from "../../src/tsdb/db.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { liveWalRefs } from "../../src/tsdb/head/head-status.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { stage } from "../head/fixture.ts";
import { readAll } from "../tsdb/block-dir.ts";
import { compactLate } from "../tsdb/late-blocks.ts";
import { codecs } from "../tsdb/wal-world.ts";
import { type Found, Knowledge, type Row } from "./knowledge.ts";

export const dir = "data";
export const t0 = 1_700_000_000_000;
export const blockRangeMs = 1000;
/** The out-of-order window of a storage that has one. */
export const lateWindowMs = 2500;
/** So that out-of-order chunks fill up. */
const lateSamplesPerChunk = 4;

const every = [new Matcher("=~", "i", ".+")];
const headOwner = 1;
const writerOwner = 2;

export const usualOptions: DbOptions = {
  blockRangeMs,
  samplesPerChunk: 4,
  walSegmentBytes: 1 << 15,
  walCompression: "none",
  walSync: "always",
  exemplarsMax: 0,
};

export interface LifeOptions extends DbOptions {
  /** Default 0. */
  readonly outOfOrderWindowMs: number;
}

export class Life {
  /** What a failed round left to the next one, as in runtime/maintenance.ts. */
  #lateFailed = false;
  #checkpointDue: number | undefined;
  readonly db: Db;
  readonly env;
  readonly known: Knowledge;
  readonly blocks: BlockSet;
  readonly #head: HeadReader;
  readonly #hasWindow: boolean;

  constructor(fs: Fs, random: SeededRandom, known = new Knowledge(), options: Partial<LifeOptions> = {}) {
    this.known = known;
    this.env = { fs, codecs, clock: new ManualClock(), random, logger: new RecordingLogger() };
    this.db = new Db(this.env, dir, {
      ...usualOptions,
      ...options,
      onSync: () => {
        known.synced = known.acknowledged.length;
      },
      onLateSync: () => {
        known.syncedLate = known.acknowledged.length;
      },
    });
    const { outOfOrderWindowMs = 0 } = options;
    this.#hasWindow = outOfOrderWindowMs > 0;
    if (this.#hasWindow) {
      this.db.outOfOrderWindowMs = outOfOrderWindowMs;
      this.db.head.late.capMax = lateSamplesPerChunk;
    }
    const cache = new PageCache(1 << 20);
    this.blocks = BlockSet.open({ ...this.env, cache }, dir);
    const store = new HeadChunkReader({ fs, cache }, joinPath(dir, "chunks_head"));
    this.#head = new HeadReader(HeadMemory.attach(this.db.head.handle), store, headOwner);
  }

  append(rows: readonly Row[]): void {
    const { db, known } = this;
    const { appender } = db;
    const lateBefore = this.#lateCount();
    const floats = rows.filter(({ isHistogram }) => isHistogram !== true);
    const outcomes = stage(
      appender,
      floats.map(({ i, t, v }) => [{ i }, t, v]),
    );
    const taken = new Set(floats.filter((_, k) => outcomes[k] === 0));
    for (const row of rows) {
      if (row.isHistogram !== true) continue;
      const ref = appender.series(Labels.of({ i: row.i }));
      if (appender.appendHistogram(ref, row.t, histogramWithSum(row.v)) === 0) taken.add(row);
    }
    known.pending = rows.filter((row) => taken.has(row));
    try {
      db.appender.commit();
    } catch (error) {
      known.doubtful.push(...known.pending);
      known.pending = [];
      throw error;
    }
    const late = known.pending.filter(({ isLate }) => isLate === true).length;
    if (this.#hasWindow && this.#lateCount() - lateBefore !== late) {
      throw new Error(
        `of a batch with ${late} late samples ${this.#lateCount() - lateBefore} came out of order`,
      );
    }
    known.acknowledged.push(...known.pending);
    known.pending = [];
  }

  #lateCount(): number {
    const { lateAppended, lateHistogramsAppended } = this.db.head.stats;
    return lateAppended + lateHistogramsAppended;
  }

  /** As a query thread reads: the head first, then the blocks. */
  read(): Found {
    const head = this.#head.querier(-Infinity, Infinity);
    try {
      this.blocks.reload();
    } catch (error) {
      head.close();
      throw error;
    }
    const querier = mergeQueriers([...this.blocks.queriers(-Infinity, Infinity), head]);
    try {
      return readAll(querier, every);
    } finally {
      querier.close();
    }
  }

  /** Cuts all blocks that are due; returns the end of the last one. */
  cutHead(between: () => void = () => {}): number | undefined {
    const { db, env } = this;
    let end: number | undefined;
    for (let range = db.headCompactionDue(); range !== undefined; range = db.headCompactionDue()) {
      const { mint, maxt } = range;
      between();
      env.clock.advance(1);
      writeBlock(env, dir, this.#head.chunkSource(mint, maxt), { mint, maxt: maxt + 1 });
      between();
      end = maxt + 1;
      while (db.truncateHead(end, () => true) !== "done") between();
    }
    return end;
  }

  /** Makes blocks of the samples that came out of order. */
  compactLate(between: () => void = () => {}): void {
    compactLate(this.env, dir, this.db, this.#head, between);
  }

  checkpoint(mint: number, between: () => void = () => {}): void {
    const { db, env } = this;
    const job = db.planCheckpoint(mint);
    between();
    if (job === undefined) return;
    const needed = liveWalRefs(db.head.memory, headOwner);
    for (const walRef of job.kept) needed.add(walRef);
    const keep = (walRef: number) => needed.has(walRef);
    writeCheckpoint(env, joinPath(dir, "wal"), job.plan, { mint: job.mint, keep });
    between();
    db.finishCheckpoint(job.mint);
  }

  /** A round of maintenance; `between` is called wherever batches and queries may come in. */
  maintain(between: () => void = () => {}): void {
    const end = this.cutHead(between);
    if (end !== undefined || this.#lateFailed) {
      this.#lateFailed = true;
      this.compactLate(between);
      this.#lateFailed = false;
    }
    this.#checkpointDue = end ?? this.#checkpointDue;
    if (this.#checkpointDue === undefined) return;
    this.checkpoint(this.#checkpointDue, between);
    this.#checkpointDue = undefined;
  }

  /** Makes one block of all but the newest. */
  compactBlocks(): void {
    this.blocks.reload();
    const blocks = withoutEarlyLate(this.blocks.blocks);
    const older = blocks.sort((a, b) => a.meta.minTime - b.meta.minTime).slice(0, -1);
    this.env.clock.advance(1);
    if (older.length > 1) compactBlocks(this.env, dir, older, { encodings: this.db.head.encodings });
    this.deleteObsolete(0);
  }

  /** Deletes blocks that others replaced, and those that end `timeMs` before the newest one ends; 0: none for its age. */
  deleteObsolete(timeMs: number): void {
    this.blocks.reload();
    const limits = { timeMs, sizeBytes: 0, headBytes: 0 };
    deleteObsoleteBlocks(this.env, dir, this.blocks, limits, joinPath(dir, quarantineDir));
  }

  /** The retention by time: only whole blocks go, so that what is too old may be there for a while. */
  retain(timeMs: number): void {
    const newest = Math.max(...this.known.acknowledged.map(({ t }) => t));
    this.known.deletions.push({ covers: ({ t }) => t < newest - timeMs, done: false });
    this.deleteObsolete(timeMs);
  }

  /** What a compaction thread does at its start. */
  sweep(): void {
    removeLeftovers(this.env, dir);
  }

  /** Deletes the samples of one series in [mint, maxt]. */
  deleteSeries(i: string, mint: number, maxt: number): void {
    const { db, env } = this;
    const matchers = [new Matcher("=", "i", i)];
    this.#deleting(
      (row) => row.i === i && row.t >= mint && row.t <= maxt,
      () => {
        this.compactLate();
        db.deleteSamples(mint, maxt, matchers, writerOwner);
        this.blocks.reload();
        this.blocks.requireAll("the deletion");
        for (const block of this.blocks.blocks) deleteSamples(env.fs, block, mint, maxt, matchers);
        this.blocks.reload();
      },
    );
  }

  /** Writes every block with deletions anew. */
  cleanTombstones(): void {
    for (;;) {
      this.blocks.reload();
      this.blocks.requireAll("cleaning");
      const block = this.blocks.blocks.find(({ meta }) => meta.stats.numTombstones > 0);
      if (block === undefined) return;
      this.env.clock.advance(1);
      cleanBlock(this.env, dir, block, {});
      this.deleteObsolete(0);
    }
  }

  /** All blocks, and the head as a block, in a directory of their own. */
  snapshot(target: string): void {
    this.compactLate();
    this.blocks.reload();
    this.blocks.requireAll("the snapshot");
    snapshotBlocks(this.env.fs, this.blocks.blocks, target);
    const range = this.db.headRange();
    if (range === undefined) return;
    this.env.clock.advance(1);
    const { mint, maxt } = range;
    writeBlock(this.env, target, this.#head.chunkSource(mint, maxt), { mint, maxt: maxt + 1 });
  }

  close(): void {
    this.db.close();
    this.blocks.close();
  }

  #deleting(covers: (row: Row) => boolean, run: () => void): void {
    const deletion = { covers, done: false };
    this.known.deletions.push(deletion);
    run();
    deletion.done = true;
  }
}

/** Histograms with this sum and above have so many buckets that a few of them fill a segment. */
export const bulkySum = 1e6;

/** Its buckets come and go with the sum, so that chunks are recoded and cut. */
function histogramWithSum(sum: number): Histogram {
  const length = 1 + (Math.floor(sum) % 3) + (sum >= bulkySum ? 6000 : 0);
  return new Histogram({
    isFloat: false,
    schema: 0,
    sum,
    count: 2 * length,
    positiveSpans: [{ offset: 1, length }],
    positiveBuckets: new Float64Array(length).fill(2),
  });
}

/**
 * Samples of the series that are always there, as if they had come some time ago, with a few of a batch that is in order.
 * `isLate` says whether a series has a newer sample, and none at this time.
 */
export function lateBatch(random: SeededRandom, t: number, isLate: (i: string, t: number) => boolean): Row[] {
  const rows: Row[] = random.below(3) === 0 ? batch(random, t) : [];
  const count = 1 + random.below(9);
  for (let k = 0; k < count; k++) {
    const i = random.pick(["0", "1", "2", "h"]);
    const past = t - 100 - random.below(lateWindowMs - 200);
    if (!isLate(i, past)) continue;
    // A series may get both, in either order of their times.
    const isHistogram = i === "h" || random.below(4) === 0;
    rows.push({ i, t: past, v: random.below(1000) / 3, isHistogram, isLate: true });
  }
  return rows;
}

/** Batches whose series come and go, some for longer than a block. */
export function batch(random: SeededRandom, t: number): Row[] {
  const phase = Math.floor((t - t0) / 1700);
  const rows: Row[] = [];
  for (let i = 0; i < 8; i++) {
    const lives = i < 3 || ((phase + i) * 2654435761) % 3 === 0;
    if (lives && random.below(10) > 0) rows.push({ i: `${i}`, t: t + i, v: random.below(1000) / 3 });
  }
  if (random.below(4) > 0) rows.push({ i: "h", t: t + 8, v: random.below(1000) / 3, isHistogram: true });
  return rows;
}

/** What a snapshot holds, opened as a data directory of blocks. */
export function readSnapshot(fs: Fs, target: string): Found {
  const env = { fs, cache: new PageCache(1 << 20), logger: new RecordingLogger() };
  const blocks = BlockSet.open(env, target);
  const querier = mergeQueriers([...blocks.queriers(-Infinity, Infinity)]);
  try {
    return readAll(querier, every);
  } finally {
    querier.close();
    blocks.close();
  }
}

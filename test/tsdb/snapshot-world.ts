// One start of a storage that takes head snapshots, on a file system of the test's, in one thread.
import type { Fs } from "../../src/base/fs.ts";
import { joinPath } from "../../src/base/fs.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { Labels } from "../../src/model/labels.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { mergeQueriers } from "../../src/storage/merge.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { endOfBlocks } from "../../src/tsdb/block/end-of-blocks.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { Db, type DbOptions } from "../../src/tsdb/db.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { liveWalRefs } from "../../src/tsdb/head/head-status.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import { publishSnapshot } from "../../src/tsdb/head-snapshot/files.ts";
import { takeSnapshot } from "../../src/tsdb/head-snapshot/take-snapshot.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { stage } from "../head/fixture.ts";
import { readAll } from "./block-dir.ts";
import { compactLate } from "./late-blocks.ts";
import { codecs } from "./wal-world.ts";

export const dataDir = "data";
export const startTime = 1_700_000_000_000;

export const snapshotOptions: DbOptions = {
  blockRangeMs: 1000,
  samplesPerChunk: 8,
  walSegmentBytes: 1 << 15,
  walCompression: "none",
  walSync: "always",
  exemplarsMax: 12,
};

export interface Row {
  readonly i: string;
  readonly t: number;
  readonly v: number;
}

export class SnapshotWorld {
  readonly db: Db;
  readonly env;
  readonly #reader: HeadReader;
  readonly #store: HeadChunkReader;
  readonly #blocks: BlockSet;

  constructor(fs: Fs, options: Partial<DbOptions> = {}, seed = 1) {
    const random = new SeededRandom(seed);
    this.env = { fs, codecs, clock: new ManualClock(), random, logger: new RecordingLogger() };
    this.db = new Db(this.env, dataDir, { ...snapshotOptions, ...options });
    const cache = new PageCache(1 << 20);
    this.#blocks = BlockSet.open({ ...this.env, cache }, dataDir);
    this.#store = new HeadChunkReader({ fs, cache }, joinPath(dataDir, "chunks_head"));
    this.#reader = new HeadReader(HeadMemory.attach(this.db.head.handle), this.#store, 1);
  }

  append(rows: readonly Row[]): void {
    stage(
      this.db.appender,
      rows.map(({ i, t, v }) => [{ i, job: "x" }, t, v]),
    );
    const { appender, head } = this.db;
    for (const { i, t, v } of rows) {
      if (t % 7 !== 0) continue;
      const ref = appender.series(Labels.of({ i, job: "x" }));
      const labels = Labels.of({ trace: `${t}` });
      appender.appendExemplar(ref, { labels, value: v, t, hasTimestamp: true });
      if (t % 3 === 0) appender.setMetadata(ref, { type: "gauge", unit: "", help: `${head.metadata.size}` });
    }
    appender.commit();
  }

  delete(i: string, mint: number, maxt: number): void {
    this.db.deleteSamples(mint, maxt, [new Matcher("=", "i", i)], 1);
  }

  /** Whether one was taken. `during` runs once the writer has given its part. */
  snapshot(during: () => void = () => {}): boolean {
    const begin = this.db.beginHeadSnapshot();
    if (begin === undefined) return false;
    const { removals, ...request } = begin;
    during();
    const { fs } = this.env;
    const dirs = { wal: "wal", wbl: "wbl", chunks: "chunks_head" };
    const memory = HeadMemory.attach(this.db.head.handle);
    takeSnapshot(fs, dataDir, dirs, memory, this.#store, 1, {
      ...request,
      blocksEnd: endOfBlocks(fs, dataDir),
      createdMs: startTime,
    });
    if (!this.db.headSnapshotStands(removals)) return false;
    publishSnapshot(fs, dataDir);
    return true;
  }

  /** Makes blocks of what came out of order. */
  compactLate(): void {
    compactLate(this.env, dataDir, this.db, this.#reader);
  }

  /** Cuts blocks, truncates, checkpoints. */
  maintain(): void {
    const { db, env } = this;
    let cutTo: number | undefined;
    for (let range = db.headCompactionDue(); range !== undefined; range = db.headCompactionDue()) {
      const { mint, maxt } = range;
      env.clock.advance(1);
      writeBlock(env, dataDir, this.#reader.chunkSource(mint, maxt), { mint, maxt: maxt + 1 });
      cutTo = maxt + 1;
      while (db.truncateHead(cutTo, () => true) !== "done");
    }
    if (cutTo === undefined) return;
    const job = db.planCheckpoint(cutTo);
    if (job === undefined) return;
    const needed = liveWalRefs(db.head.memory, 1);
    for (const walRef of job.kept) needed.add(walRef);
    writeCheckpoint(env, `${dataDir}/wal`, job.plan, { mint: job.mint, keep: (ref) => needed.has(ref) });
    db.finishCheckpoint(job.mint);
  }

  /** All that can be asked: samples, exemplars, metadata, and what the head says of itself. */
  read() {
    const head = this.#reader.querier(-Infinity, Infinity);
    this.#blocks.reload();
    const querier = mergeQueriers([...this.#blocks.queriers(-Infinity, Infinity), head]);
    const samples = readAll(querier, [new Matcher("=~", "i", ".+")]);
    querier.close();
    const { db } = this;
    return {
      samples,
      exemplars: db.head.exemplars.select(-Infinity, Infinity, [[]]),
      metadata: [...db.head.metadata]
        .filter(([ref]) => db.head.series.isLive(ref))
        .map(([ref, metadata]) => [String(db.head.labels(ref)), metadata])
        .sort(),
      minTime: db.head.minTime,
      maxTime: db.head.maxTime,
      series: db.head.stats.series,
      chunks: db.head.stats.chunks,
      stale: db.head.stats.staleSeries,
    };
  }
}

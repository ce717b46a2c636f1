/**
 * The threads of a server, wired together: one writer, query threads, a compaction thread while there is work for it.
 * Lives in the main thread, which asks it for everything that is slow.
 *
 * Order of a start: lock → control block → query threads (blocks can be read) → writer (replays the WAL) → maintenance.
 * Closing goes the other way; the writer ends last, after the WAL was written out.
 */
import { availableParallelism } from "node:os";
import { failure } from "../api/answer.ts";
import type {
  AdminService,
  Answer,
  MemoryFacts,
  MemoryStatus,
  QueryAnswer,
  QueryRequest,
  QueryService,
  StorageStatus,
  TsdbStatus,
  WalReplay,
  WriteHeaders,
  WriteService,
} from "../api/services.ts";
import { NarthexError } from "../base/errors.ts";
import { formatSize } from "../config/size.ts";
import { nodeFs } from "../node/fs.ts";
import { isUlid } from "../tsdb/block/ulid.ts";
import { divideMemory } from "../tsdb/budget/shares.ts";
import { queriesRefusedFrom } from "../tsdb/budget/urgency.ts";
import { snapshotName, snapshotsDir } from "../tsdb/compact/snapshot.ts";
import { releaseOwner } from "../tsdb/head/epochs.ts";
import { type HeadHandle, HeadMemory } from "../tsdb/head/memory.ts";
import { Appends } from "./appends.ts";
import { ChunkHistograms } from "./chunk-histograms.ts";
import { CompactionThreads } from "./compaction-threads.ts";
import { Control } from "./control.ts";
import { HeadSnapshots } from "./head-snapshots.ts";
import { Maintenance } from "./maintenance.ts";
import { MemoryMeter } from "./memory-meter.ts";
import type {
  BlockDeletions,
  CompactionData,
  CompactionMethods,
  Deletion,
  RewrittenBlock,
  ThreadStats,
  WriterData,
  WriterMethods,
  WriterNotice,
  WriterSettings,
} from "./protocol.ts";
import { QueryPool } from "./query-pool.ts";
import type { RuntimeEnv, RuntimeOptions } from "./runtime-options.ts";
import type { QuerySettings, RetentionSettings } from "./settings.ts";
import { Thread } from "./thread.ts";
import { compactionOwner, queryOwner } from "./thread-storage.ts";

/** What a reload of the configuration may change. */
export interface RuntimeChange {
  readonly queries: QuerySettings;
  readonly retention: RetentionSettings;
  readonly writer: WriterSettings;
}

/** Bounds of the threads' JavaScript heaps, MiB. Samples do not count: they are in shared memory and typed arrays. */
const writerHeapMiB = 1024;
const queryHeapMiB = 2048;
/** What a query builds is short-lived: collections are cheaper with some room. The others make little garbage. */
const queryYoungMiB = 16;
const otherYoungMiB = 6;

export class Runtime implements QueryService, WriteService, AdminService, StorageStatus {
  readonly maintenance: Maintenance;
  readonly headSnapshots: HeadSnapshots;
  readonly appends: Appends;
  readonly #options: RuntimeOptions;
  readonly #env: RuntimeEnv;
  readonly #control = new Control();
  readonly #pool: QueryPool;
  readonly #meter: MemoryMeter;
  #queriesRefused = 0;
  readonly #writer: Thread<WriterMethods>;
  readonly #compactors: CompactionThreads;
  readonly #chunkHistograms = new ChunkHistograms();
  #queries: QuerySettings;
  #retention: RetentionSettings;
  #writerSettings: WriterSettings;
  #head: HeadHandle | undefined;
  #replay: WalReplay = { min: 0, max: 0, current: 0 };
  #ready: Promise<void>;
  /** The retention and the names of all blocks when they were last looked through. */
  #blocksSeen = "";
  /** The names of all blocks when there was nothing to compact. */
  #blocksCompacted = "none yet";
  /** The retention rules and the names of all blocks when no rule wanted any series out of a block. */
  #blocksRuled = "";
  /** How often tombstones were cleaned, and how long that took. */
  readonly tombstoneCleanups = { count: 0, seconds: 0 };
  /** Why nothing is stored at present, or "". */
  #diskProblem = "";
  #closing = false;

  constructor(options: RuntimeOptions, env: RuntimeEnv) {
    this.#options = options;
    this.#env = env;
    this.#queries = options.queries;
    this.#retention = options.retention;
    const { storage } = options;
    this.#writerSettings = options.writer;
    const control = this.#control.buffer;
    this.#compactors = new CompactionThreads(
      options.compactionParallelism,
      (sweeps): CompactionData => ({ storage, control, head: this.#head, sweeps }),
      {
        firstEnded: () => this.#readerEnded(compactionOwner),
        chunksWritten: (chunks) => this.#chunkHistograms.add(chunks),
      },
      env,
    );
    const threadsMax = Math.max(1, Math.min(options.queryConcurrencyMax, availableParallelism()));
    this.#meter = new MemoryMeter(
      {
        clock: env.clock,
        residentBytes: () => process.memoryUsage.rss(),
        threadsToCome: () =>
          threadsMax -
          (this.#pool?.threadCount ?? 0) +
          options.compactionParallelism -
          this.#compactors.count,
      },
      divideMemory(storage.memoryLimitBytes, threadsMax, options.compactionParallelism),
      this.#control.memory,
    );
    this.#pool = new QueryPool(
      {
        threadsMax,
        heapLimitMiB: queryHeapMiB,
        youngLimitMiB: queryYoungMiB,
        timeoutMs: () => this.#queries.timeoutMs,
        data: (thread) => ({ storage, queries: this.#queries, control, head: this.#head, thread }),
        onEnd: (thread) => this.#readerEnded(queryOwner(thread)),
      },
      this.#control,
      env.clock,
      env.logger,
    );
    this.#writer = new Thread<WriterMethods>(
      {
        name: "writer",
        module: new URL("./writer-thread.js", import.meta.url),
        data: (): WriterData => ({
          storage: { ...storage, exemplarsMax: this.#writerSettings.exemplarsMax },
          settings: this.#writerSettings,
          control,
        }),
        heapLimitMiB: writerHeapMiB,
        youngLimitMiB: otherYoungMiB,
        onMessage: (message) => this.#notice(message as WriterNotice),
        // It reads the head of the writer that died, and what it is about to write would be swept away by the next.
        onEnd: () => void this.#compactors.end(),
      },
      env.clock,
      env.logger,
      () => {
        this.#ready = this.#attach();
        // A writer that dies again is replaced again; who waits for this is told.
        this.#ready.catch(() => {});
      },
    );
    this.maintenance = new Maintenance(
      {
        headCompactionDue: () => this.#writer.call("headCompactionDue", undefined as never),
        writeHeadBlock: (range) => this.#compactor().call("writeHeadBlock", { ...range, dir: storage.dir }),
        truncateHead: async (maxt) => {
          await this.#writer.call("truncateHead", maxt);
          this.headSnapshots.soon();
        },
        planLateCompaction: () => this.#writer.call("planLateCompaction", undefined as never),
        writeLateBlocks: (compaction) =>
          this.#compactor().call("writeLateBlocks", {
            ...compaction,
            encodings: this.#writerSettings.encodings,
          }),
        truncateLate: (compaction) => this.#writer.call("truncateLate", compaction),
        planCheckpoint: (mint) => this.#writer.call("planCheckpoint", mint),
        writeCheckpoint: (job) => this.#compactor().call("writeCheckpoint", job),
        finishCheckpoint: (mint) => this.#writer.call("finishCheckpoint", mint),
        planCompactions: () => this.#planCompactions(),
        compactBlocks: (names) =>
          this.#compactors.compactBlocks({
            names,
            rules: this.#retention.rules,
            encodings: this.#writerSettings.encodings,
          }),
        deleteBlocks: () => this.#deleteBlocks(),
        applyRetentionRule: () => this.#applyRetentionRule(),
        idle: () => this.#compactors.end(),
      },
      this.#control,
      env.clock,
      env.logger,
      options.maintenance,
    );
    this.headSnapshots = new HeadSnapshots(
      {
        between: (action) => this.maintenance.between(action),
        begin: () => this.#writer.call("beginHeadSnapshot", undefined as never),
        take: (begin) => this.#compactor().call("takeHeadSnapshot", begin),
        stands: (removals) => this.#writer.call("headSnapshotStands", removals),
        publish: () => this.#compactor().call("publishHeadSnapshot", undefined as never),
        idle: () => this.#compactors.end(),
      },
      env.clock,
      env.logger,
      storage.headSnapshotIntervalMs,
    );
    this.appends = new Appends(this.#writer, this, env.clock, this.#meter.shares.spareBytes);
    this.#ready = this.#attach();
  }

  /** Whether the WAL has been replayed. */
  get isReady(): boolean {
    return this.#control.headReady;
  }

  /** Resolves when the WAL has been replayed; rejects when the storage cannot be opened. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  answer(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    if (request.kind === "exemplars") return this.#writer.call("exemplars", request);
    if (this.#control.memory.score >= queriesRefusedFrom) return Promise.resolve(this.#refuseQuery());
    return this.#pool.answer(request, signal);
  }

  write(body: Uint8Array, headers: WriteHeaders): Promise<Answer> {
    return this.appends.write(body, headers);
  }

  walReplay(): WalReplay {
    return this.#replay;
  }

  async tsdbStatus(limit: number, block: string): Promise<TsdbStatus | undefined> {
    if (block !== "") {
      const found = await this.#pool.blockStatus(block, limit);
      return found && { ...found, minTimeMs: found.minTime, maxTimeMs: found.maxTime };
    }
    const [{ minTime, maxTime, ...tables }, stats] = await Promise.all([
      this.#pool.headStatus(limit),
      this.writerStats(),
    ]);
    return { ...tables, chunkCount: stats.chunks, minTimeMs: minTime, maxTimeMs: maxTime };
  }

  blockMetas(): Promise<readonly object[]> {
    return this.#pool.blockMetas();
  }

  /** Links all blocks and writes the head as a block into `snapshots/<name>`; resolves to the name. */
  async snapshot(skipHead: boolean): Promise<string> {
    await this.#ready;
    const name = snapshotName(this.#env.clock, this.#env.random);
    const dir = `${this.#options.storage.dir}/${snapshotsDir}/${name}`;
    await this.maintenance.between(async () => {
      const range = skipHead ? undefined : await this.#writer.call("headRange", undefined as never);
      try {
        await this.#compactor().call("snapshotBlocks", dir);
        if (range !== undefined) await this.#compactor().call("writeHeadBlock", { ...range, dir });
      } catch (error) {
        // Half a snapshot would be taken for a whole one.
        nodeFs.removeDir(dir);
        throw error;
      } finally {
        await this.#compactors.end();
      }
    }, !skipHead);
    return name;
  }

  /** Deletes samples of all blocks and of the head: none of them is seen by queries that begin afterwards. */
  async deleteSeries(deletion: Deletion): Promise<void> {
    await this.#ready;
    await this.maintenance.between(async () => {
      const inBlocks = await this.#compactor().call("deleteSamples", deletion);
      const inHead = await this.#writer.call("deleteSamples", deletion);
      this.#control.blocksChanged();
      // So much may be deleted that a block is to be written anew.
      this.#blocksCompacted = "";
      await this.#compactors.end();
      this.#env.logger.info("Samples were deleted", {
        ...deletion,
        seriesOfBlocks: inBlocks,
        seriesOfHead: inHead,
      });
    }, true);
  }

  /** Writes every block that has tombstones anew, without what they delete: one after the other. */
  async cleanTombstones(): Promise<void> {
    await this.#ready;
    const begunMs = this.#env.clock.monotonicMs();
    await this.maintenance.between(async () => {
      for (let done = 1; ; done++) {
        const next = await this.#compactor().call("cleanNext", undefined as never);
        if (next === undefined) break;
        this.#control.blocksChanged();
        this.#blocksSeen = "";
        await this.#deleteBlocks();
        this.#control.blocksChanged();
        this.#env.logger.info("A block was written anew without its deleted samples", {
          block: next.cleaned,
          done,
        });
      }
      await this.#compactors.end();
    });
    this.tombstoneCleanups.count++;
    this.tombstoneCleanups.seconds += (this.#env.clock.monotonicMs() - begunMs) / 1000;
  }

  /** What retention rules would free now, block by block. Writes nothing. */
  async tryRetentionRules(rules = this.#retention.rules): Promise<readonly RewrittenBlock[]> {
    await this.#ready;
    return this.maintenance.between(async () => {
      try {
        return await this.#compactor().call("tryRetentionRules", rules);
      } finally {
        await this.#compactors.end();
      }
    });
  }

  /** Takes over what a reload of the configuration may change; a new retention holds from the next round on. */
  async configure(changed: RuntimeChange): Promise<void> {
    this.#queries = changed.queries;
    this.#retention = changed.retention;
    this.#writerSettings = changed.writer;
    await this.#pool.configure(changed.queries);
    // A writer that is being replaced starts with the new number, one that replays the WAL takes it over afterwards.
    const told = this.#writer.call("configure", changed.writer).catch(() => {});
    if (this.isReady) await told;
  }

  /** Counters and gauges of the storage for /metrics; empty while the writer is not ready. */
  async writerStats(): Promise<ThreadStats> {
    if (!this.isReady) return {};
    const stats = await this.#writer.call("stats", undefined as never);
    const { writes, scrapes } = this.appends.refused;
    return {
      ...stats,
      remoteWriteRefused: (stats.remoteWriteRefused ?? 0) + writes,
      scrapeScrapesSkipped: (stats.scrapeScrapesSkipped ?? 0) + scrapes,
      appendsOpen: this.appends.openCount,
    };
  }

  /** The parts of the process's memory and how near their limit is; sizes in bytes. */
  get memory(): MemoryFacts {
    const { score, rushed, heldBytes } = this.#control.memory;
    const { limitBytes } = this.#meter.shares;
    const queriesRefused = this.#queriesRefused;
    return { ...this.#meter.parts, limitBytes, score, rushed, heldBytes, queriesRefused };
  }

  async memoryStatus(limit: number): Promise<MemoryStatus> {
    const [stats, culprits] = await Promise.all([
      this.writerStats(),
      this.isReady ? this.#writer.call("culprits", limit) : [],
    ]);
    return { ...this.memory, series: stats.series ?? 0, seriesRefused: stats.seriesRefused ?? 0, culprits };
  }

  /** Counters and gauges of maintenance and compaction for /metrics. */
  get maintenanceStats(): ThreadStats {
    const { stats, durations } = this.maintenance;
    return { ...stats, ...durations.stats("compactionSeconds"), ...this.#chunkHistograms.stats() };
  }

  /** Threads that run, and how many died and were replaced. */
  get threads(): { readonly running: number; readonly deaths: number; readonly queries: number } {
    const running = 2 + this.#pool.threadCount + this.#compactors.count;
    return { running, deaths: this.#writer.deaths + this.#pool.deaths, queries: this.#pool.active };
  }

  /** Ends all threads in order; what was acknowledged is on its way to the disk. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#meter.stop();
    await this.headSnapshots.close();
    await this.maintenance.close();
    await this.#pool.close();
    await this.#compactors.end();
    try {
      if (this.isReady) await this.#writer.call("close", undefined as never);
    } finally {
      await this.#writer.close();
    }
  }

  /** Waits for the writer's replay and tells everybody about its head. */
  async #attach(): Promise<void> {
    this.#control.headReady = false;
    const { head } = await this.#writer.call("ready", undefined as never);
    this.#meter.start();
    this.#head = head;
    await this.#compactors.end();
    await this.#pool.attach(head);
    this.#control.headReady = true;
    this.maintenance.trigger();
    this.headSnapshots.start();
  }

  /** Before the head's memory is full: what queries need is for the samples then. */
  #refuseQuery(): QueryAnswer {
    this.#queriesRefused++;
    const { score } = this.#control.memory;
    const limit = formatSize(this.#meter.shares.limitBytes);
    return {
      ...failure(
        "unavailable",
        `queries are refused while the memory limit (--storage.tsdb.memory-limit=${limit}) is so near: ` +
          `its urgency score is ${score.toFixed(2)}, from ${queriesRefusedFrom} on no query is begun; try again later`,
      ),
      status: 503,
    };
  }

  /**
   * Looks for blocks that may go; does nothing where neither the blocks nor the retention changed since last time. (The
   * size of the head changes all the time: it counts when the next block is there.)
   */
  async #deleteBlocks(): Promise<BlockDeletions | undefined> {
    const now = this.#blockNames();
    if (`${JSON.stringify(this.#retention)} ${now}` === this.#blocksSeen) return undefined;
    this.#control.blocksChanged();
    if (now === "") return undefined;
    const deletions = await this.#compactor().call("deleteBlocks", this.#retention);
    // One that cannot be read may be one that is being copied here: it is looked at again in the next round.
    this.#blocksSeen =
      deletions.unreadable > 0 ? "" : `${JSON.stringify(this.#retention)} ${this.#blockNames()}`;
    return deletions;
  }

  /** Does not start a thread to find out that the blocks are those for which nothing was to be done. */
  async #planCompactions(): Promise<readonly (readonly string[])[]> {
    const now = this.#blockNames();
    if (now === this.#blocksCompacted) return [];
    const { blockRanges, storage } = this.#options;
    const groups = await this.#compactor().call("planCompactions", { ranges: blockRanges });
    // Uploads go on without any sign in the names.
    this.#blocksCompacted = groups.length === 0 && storage.delayCompactFile === "" ? now : "";
    return groups;
  }

  /** As {@link Runtime.#planCompactions}. What a rule says changes with the end of the newest block. */
  async #applyRetentionRule(): Promise<RewrittenBlock | undefined> {
    const { rules } = this.#retention;
    const now = `${JSON.stringify(rules)} ${this.#blockNames()}`;
    if (rules.length === 0 || now === this.#blocksRuled) return undefined;
    const rewritten = await this.#compactor().call("applyRetentionRule", rules);
    if (rewritten === undefined) this.#blocksRuled = now;
    return rewritten;
  }

  #blockNames(): string {
    return nodeFs.list(this.#options.storage.dir).filter(isUlid).join(" ");
  }

  /** A thread that died may have been reading the head: the writer must not wait for it. */
  #readerEnded(owner: number): void {
    this.#control.memory.forget(owner - 1);
    if (this.#head !== undefined) releaseOwner(HeadMemory.attach(this.#head), owner);
  }

  #notice(notice: WriterNotice): void {
    if (notice.notice === "replay") {
      this.#replay = { min: notice.first, max: notice.last, current: notice.segment };
    } else if (notice.notice === "compactable") this.maintenance.trigger();
    else if (notice.notice === "damage") this.#env.notify("damage", notice.problem);
    else if (notice.notice === "disk") this.#diskChanged(notice.problem);
  }

  /** Whether it just became full, and with it room for a round, or there is room again: maintenance may do something. */
  #diskChanged(problem: string): void {
    const changed = problem !== this.#diskProblem;
    this.#diskProblem = problem;
    this.#env.notify("disk", problem);
    if (changed && this.isReady) this.maintenance.diskChanged();
  }

  /** The first compaction thread, started if need be. */
  #compactor(): Thread<CompactionMethods> {
    if (this.#closing) throw new NarthexError("UNAVAILABLE", "The server is stopping.");
    return this.#compactors.first();
  }
}

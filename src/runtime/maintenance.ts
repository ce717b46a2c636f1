/**
 * Keeps the storage in shape: cuts blocks from the head, checkpoints the WAL, compacts blocks with each other, deletes old
 * ones, notices blocks that appeared in the data directory. Runs in the main thread and lets others do the work: compaction
 * threads read the head and write files, the writer truncates.
 *
 * One round at a time: once a minute, and as soon as the writer says that the head has grown enough. A step that fails
 * is logged, counted, and tried again in the next round; one that goes on failing, later and later.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import type { BlockDescription } from "../tsdb/block/meta.ts";
import type { HeadCut, LateCompaction } from "../tsdb/db.ts";
import { Backoff } from "./backoff.ts";
import type { Control } from "./control.ts";
import { exponentialBounds, HistogramCounts } from "./histogram-counts.ts";
import type {
  BlockDeletions,
  CheckpointJob,
  CompactionResult,
  RewrittenBlock,
  TimeRange,
} from "./protocol.ts";

/** What the rounds are made of; see WriterMethods and CompactionMethods in protocol.ts. */
export interface MaintenanceSteps {
  headCompactionDue(): Promise<HeadCut | undefined>;
  writeHeadBlock(range: TimeRange): Promise<BlockDescription | undefined>;
  truncateHead(maxt: number): Promise<void>;
  planLateCompaction(): Promise<LateCompaction | undefined>;
  writeLateBlocks(compaction: LateCompaction): Promise<readonly BlockDescription[]>;
  truncateLate(compaction: LateCompaction): Promise<void>;
  planCheckpoint(mint: number): Promise<CheckpointJob | undefined>;
  /** Resolves to the checkpoint's size in bytes. */
  writeCheckpoint(job: CheckpointJob): Promise<number>;
  finishCheckpoint(mint: number): Promise<void>;
  /** Names of the blocks of each compaction that is due; they may run at once. */
  planCompactions(): Promise<readonly (readonly string[])[]>;
  compactBlocks(names: readonly string[]): Promise<CompactionResult>;
  /** Undefined where there was nothing to look for. */
  deleteBlocks(): Promise<BlockDeletions | undefined>;
  /** Writes a block anew without what retention rules do not keep; undefined where there was none. */
  applyRetentionRule(): Promise<RewrittenBlock | undefined>;
  /** Nothing more to do for now. */
  idle(): Promise<void>;
}

/** Counters for /metrics. */
export interface MaintenanceStats {
  rounds: number;
  /** Rounds in which a block could not be read, or what is to go could not be deleted. */
  roundsFailed: number;
  headCompactions: number;
  /** Of blocks with each other. */
  blockCompactions: number;
  /** Of these, those of blocks that overlapped. */
  verticalCompactions: number;
  compactionsFailed: number;
  /** Times that blocks were not compacted, or the head not cut, because the last tries had failed: a pause goes on. */
  compactionsSkipped: number;
  /** Blocks that are being written now. */
  compactionsRunning: number;
  checkpoints: number;
  checkpointsFailed: number;
  /** 1 while one is written. */
  checkpointing: number;
  checkpointSeconds: number;
  checkpointLastSeconds: number;
  checkpointLastBytes: number;
  /** How long all checkpoints took together with the removal of what they cover. */
  walTruncateSeconds: number;
  blocksDeleted: number;
  /** Times that blocks had to go for their age, and for the room they took. */
  timeRetentions: number;
  sizeRetentions: number;
  /** Blocks that were written anew for retention rules, and what that freed. */
  ruleRewrites: number;
  ruleFreedBytes: number;
}

const nothingDeleted: BlockDeletions = { deleted: [], expired: 0, outsized: 0, unreadable: 0 };

/** Of the durations of compactions, as in Prometheus. */
export const compactionSecondsBounds = exponentialBounds(1, 2, 14);

export interface MaintenanceTimes {
  /** Between two rounds: Prometheus's --storage.tsdb.block-reload-interval. */
  readonly intervalMs: number;
  /** How long a block of the head that is due waits, unless it is urgent. */
  readonly headCutDelayMs: number;
}

const defaultTimes: MaintenanceTimes = { intervalMs: 60_000, headCutDelayMs: 0 };

export class Maintenance {
  readonly stats: MaintenanceStats = {
    rounds: 0,
    roundsFailed: 0,
    headCompactions: 0,
    blockCompactions: 0,
    verticalCompactions: 0,
    compactionsFailed: 0,
    compactionsSkipped: 0,
    compactionsRunning: 0,
    checkpoints: 0,
    checkpointsFailed: 0,
    checkpointing: 0,
    checkpointSeconds: 0,
    checkpointLastSeconds: 0,
    checkpointLastBytes: 0,
    walTruncateSeconds: 0,
    blocksDeleted: 0,
    timeRetentions: 0,
    sizeRetentions: 0,
    ruleRewrites: 0,
    ruleFreedBytes: 0,
  };
  /** Seconds; of the cuts and compactions that succeeded. */
  readonly durations = new HistogramCounts(compactionSecondsBounds);
  readonly #steps: MaintenanceSteps;
  readonly #control: Control;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #times: MaintenanceTimes;
  /** Since when a block of the head is due. */
  #cutDueMs: number | undefined;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #lateFailed = false;
  #roundFailed = false;
  /** Everything before this is in blocks, and a checkpoint that says so is still to be written. */
  #checkpointDue: number | undefined;
  readonly #cutBackoff: Backoff;
  readonly #checkpointBackoff: Backoff;
  readonly #compactionBackoff: Backoff;
  readonly #rulesBackoff: Backoff;
  #closed = false;

  constructor(steps: MaintenanceSteps, control: Control, clock: Clock, logger: Logger, times = defaultTimes) {
    this.#steps = steps;
    this.#control = control;
    this.#clock = clock;
    this.#logger = logger;
    const { intervalMs } = times;
    this.#times = times;
    this.#cutBackoff = new Backoff(clock, intervalMs);
    this.#checkpointBackoff = new Backoff(clock, intervalMs);
    this.#compactionBackoff = new Backoff(clock, intervalMs);
    this.#rulesBackoff = new Backoff(clock, intervalMs);
  }

  /** Begins with a round at once. */
  start(): void {
    this.trigger();
  }

  /** A round soon: now, or after the one that is running. */
  trigger(): void {
    if (this.#closed) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#round = this.#run().finally(() => {
      this.#round = undefined;
      this.#schedule(this.#again ? 0 : this.#times.intervalMs);
    });
  }

  /** There is more room on the disk than before: what failed for want of it is tried again at once. */
  diskChanged(): void {
    this.#cutBackoff.reset();
    this.#checkpointBackoff.reset();
    this.#compactionBackoff.reset();
    this.#rulesBackoff.reset();
    this.trigger();
  }

  /**
   * Runs `action` while no round is running; with `lateInBlocks` once what came out of order is in blocks, where it can be
   * deleted and linked. A round that becomes due meanwhile comes right after it.
   */
  async between<T>(action: () => Promise<T>, lateInBlocks = false): Promise<T> {
    while (this.#round !== undefined) await this.#round;
    const result = lateInBlocks ? this.#cutLate().then(action) : action();
    const end = () => {
      this.#round = undefined;
      if (this.#again) this.#schedule(0);
    };
    this.#round = result.then(end, end);
    return result;
  }

  /** Waits for the round that is running. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#again = false;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delayMs, () => this.trigger());
  }

  async #run(): Promise<void> {
    this.stats.rounds++;
    this.#roundFailed = false;
    const cut = await this.#cutHead();
    if (cut !== undefined || this.#lateFailed) await this.#compactLate();
    this.#checkpointDue = cut ?? this.#checkpointDue;
    if (this.#checkpointDue !== undefined) await this.#checkpoint(this.#checkpointDue);
    await this.#deleteBlocks();
    await this.#compactBlocks();
    await this.#applyRetentionRules();
    if (this.#roundFailed) this.stats.roundsFailed++;
    await this.#steps.idle();
  }

  /** Cuts blocks until the head is small enough; returns the end of the last one. */
  async #cutHead(): Promise<number | undefined> {
    let end: number | undefined;
    if (this.#isSkipped(this.#cutBackoff)) return end;
    try {
      for (;;) {
        const cut = await this.#steps.headCompactionDue();
        if (cut === undefined) this.#cutDueMs = undefined;
        if (cut === undefined || this.#closed || this.#isDelayed(cut)) return end;
        const range = { mint: cut.mint, maxt: cut.maxt };
        const startedMs = this.#clock.monotonicMs();
        this.#logger.info("Head compaction started", { ...range });
        const block = await this.#timed(() => this.#steps.writeHeadBlock(range));
        // Queries must see the block before the head forgets what it holds.
        this.#control.blocksChanged();
        await this.#steps.truncateHead(range.maxt + 1);
        end = range.maxt + 1;
        this.stats.headCompactions++;
        this.#cutBackoff.reset();
        this.#logger.info("Head compaction completed", {
          block: block?.ulid ?? "none: the range was empty",
          durationMs: Math.round(this.#clock.monotonicMs() - startedMs),
        });
      }
    } catch (error) {
      this.stats.compactionsFailed++;
      this.#cutBackoff.failed();
      this.#logger.error(
        "Cutting a block from the head failed; its samples stay in the head and in the WAL",
        { error },
      );
      return end;
    }
  }

  /** Only the first one of several that are due at once is delayed. */
  #isDelayed(cut: HeadCut): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#cutDueMs ??= nowMs;
    return !cut.early && nowMs < this.#cutDueMs + this.#times.headCutDelayMs;
  }

  /** Out-of-order samples become blocks after every cut of the head, as in Prometheus. */
  async #compactLate(): Promise<void> {
    this.#lateFailed = false;
    try {
      await this.#cutLate();
    } catch (error) {
      this.#lateFailed = true;
      this.stats.compactionsFailed++;
      this.#logger.error(
        "Cutting blocks of out-of-order samples failed; they stay in the head and in the WBL, and it is tried again in a minute",
        { error },
      );
    }
  }

  async #cutLate(): Promise<void> {
    const plan = await this.#steps.planLateCompaction();
    if (plan === undefined || this.#closed) return;
    const blocks = await this.#timed(() => this.#steps.writeLateBlocks(plan));
    // Queries must see the blocks before the head forgets what they hold.
    this.#control.blocksChanged();
    await this.#steps.truncateLate(plan);
    this.stats.headCompactions += blocks.length;
    this.#logger.info("Out-of-order compaction completed", { blocks: blocks.map(({ ulid }) => ulid) });
  }

  /** Compacts until there is nothing more to do, or the head has grown again: its block comes first. */
  async #compactBlocks(): Promise<void> {
    if (this.#isSkipped(this.#compactionBackoff)) return;
    try {
      for (;;) {
        const groups = await this.#steps.planCompactions();
        if (groups.length === 0 || this.#closed || this.#again) return;
        const outcomes = await Promise.allSettled(groups.map((group) => this.#compactGroup(group)));
        this.#control.blocksChanged();
        await this.#deleteBlocks();
        const failed = outcomes.find((outcome) => outcome.status === "rejected");
        if (failed !== undefined) throw failed.reason;
        this.#compactionBackoff.reset();
      }
    } catch (error) {
      this.#compactionBackoff.failed();
      this.#logger.error("Compacting blocks failed; they stay as they are, and it is tried again later", {
        error,
      });
    }
  }

  /** A block at a time: the old one goes before the next is begun, so that there is never more than one twice. */
  async #applyRetentionRules(): Promise<void> {
    if (this.#rulesBackoff.isWaiting) return;
    try {
      while (!this.#closed && !this.#again) {
        const rewritten = await this.#steps.applyRetentionRule();
        if (rewritten === undefined) return;
        this.stats.ruleRewrites++;
        this.stats.ruleFreedBytes += rewritten.freedBytes;
        this.#control.blocksChanged();
        await this.#deleteBlocks();
        this.#logger.info("A block was written anew without what the retention rules do not keep", {
          ...rewritten,
        });
        this.#rulesBackoff.reset();
      }
    } catch (error) {
      this.#rulesBackoff.failed();
      this.#logger.error(
        "Applying the retention rules failed; the block stays as it is, and it is tried again later",
        {
          error,
        },
      );
    }
  }

  async #compactGroup(names: readonly string[]): Promise<void> {
    try {
      const { block, overlapping, seconds } = await this.#timed(() => this.#steps.compactBlocks(names));
      this.stats.blockCompactions++;
      if (overlapping) this.stats.verticalCompactions++;
      this.#logger.info("Block compaction completed", {
        sources: names.join(" "),
        block: block?.ulid ?? "none: nothing was left",
        seconds: seconds.toFixed(3),
      });
    } catch (error) {
      this.stats.compactionsFailed++;
      throw error;
    }
  }

  async #writeCheckpoint(job: CheckpointJob): Promise<void> {
    const begunMs = this.#clock.monotonicMs();
    this.stats.checkpointing = 1;
    try {
      this.stats.checkpointLastBytes = await this.#steps.writeCheckpoint(job);
      this.stats.checkpointLastSeconds = (this.#clock.monotonicMs() - begunMs) / 1000;
      this.stats.checkpointSeconds += this.stats.checkpointLastSeconds;
    } finally {
      this.stats.checkpointing = 0;
    }
  }

  #isSkipped(backoff: Backoff): boolean {
    if (backoff.isWaiting) this.stats.compactionsSkipped++;
    return backoff.isWaiting;
  }

  /** Counts the time of a block that is being written. */
  async #timed<T>(write: () => Promise<T>): Promise<T> {
    const begunMs = this.#clock.monotonicMs();
    this.stats.compactionsRunning++;
    try {
      const written = await write();
      this.durations.observe((this.#clock.monotonicMs() - begunMs) / 1000);
      return written;
    } finally {
      this.stats.compactionsRunning--;
    }
  }

  async #checkpoint(mint: number): Promise<void> {
    if (this.#checkpointBackoff.isWaiting) return;
    const begunMs = this.#clock.monotonicMs();
    try {
      const job = await this.#steps.planCheckpoint(mint);
      if (this.#closed) return;
      if (job === undefined) {
        this.#checkpointDue = undefined;
        return;
      }
      const { from, to } = job.plan;
      this.#logger.info("WAL checkpoint started", { firstSegment: from, lastSegment: to });
      await this.#writeCheckpoint(job);
      this.#checkpointDue = undefined;
      this.stats.checkpoints++;
      await this.#finishCheckpoint(mint);
      this.stats.walTruncateSeconds += (this.#clock.monotonicMs() - begunMs) / 1000;
      this.#checkpointBackoff.reset();
      this.#logger.info("WAL checkpoint completed", { firstSegment: from, lastSegment: to });
    } catch (error) {
      this.stats.checkpointsFailed++;
      this.#checkpointBackoff.failed();
      this.#logger.error(
        "Writing a WAL checkpoint failed; the WAL keeps its segments until the next one succeeds",
        { error },
      );
    }
  }

  /** What is left goes with the next checkpoint; until then nothing reads it. */
  async #finishCheckpoint(mint: number): Promise<void> {
    try {
      await this.#steps.finishCheckpoint(mint);
    } catch (error) {
      this.#logger.error(
        "What a WAL checkpoint stands for could not be removed; it is tried again after the next one",
        { error },
      );
    }
  }

  async #deleteBlocks(): Promise<void> {
    try {
      const { deleted, expired, outsized, unreadable } = (await this.#steps.deleteBlocks()) ?? nothingDeleted;
      if (unreadable > 0) this.#roundFailed = true;
      if (deleted.length === 0) return;
      this.stats.blocksDeleted += deleted.length;
      if (expired > 0) this.stats.timeRetentions++;
      if (outsized > 0) this.stats.sizeRetentions++;
      this.#control.blocksChanged();
    } catch (error) {
      this.#roundFailed = true;
      this.#logger.error("Deleting old blocks failed; it is tried again in a minute", { error });
    }
  }
}

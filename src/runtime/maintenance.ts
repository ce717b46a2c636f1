/**
 * Keeps the storage in shape: cuts blocks from the head, checkpoints the WAL, deletes old blocks, notices blocks that
 * appeared in the data directory. Runs in the main thread and lets others do the work: the compaction thread reads the
 * head and writes files, the writer truncates.
 *
 * One round at a time: once a minute, and as soon as the writer says that the head has grown enough. A step that fails
 * is logged, counted, and tried again in the next round.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import type { BlockDescription } from "../tsdb/block/meta.ts";
import type { Control } from "./control.ts";
import type { CheckpointJob, TimeRange } from "./protocol.ts";

/** What the rounds are made of; see WriterMethods and CompactionMethods in protocol.ts. */
export interface MaintenanceSteps {
  headCompactionDue(): Promise<TimeRange | undefined>;
  writeHeadBlock(range: TimeRange): Promise<BlockDescription | undefined>;
  truncateHead(maxt: number): Promise<void>;
  planCheckpoint(mint: number): Promise<CheckpointJob | undefined>;
  writeCheckpoint(job: CheckpointJob): Promise<void>;
  finishCheckpoint(mint: number): Promise<void>;
  deleteBlocks(): Promise<readonly string[]>;
  /** Nothing more to do for now. */
  idle(): Promise<void>;
}

/** Counters for /metrics. */
export interface MaintenanceStats {
  rounds: number;
  headCompactions: number;
  headCompactionsFailed: number;
  headCompactionSeconds: number;
  checkpoints: number;
  checkpointsFailed: number;
  blocksDeleted: number;
}

/** Prometheus's --storage.tsdb.block-reload-interval. */
const defaultIntervalMs = 60_000;

export class Maintenance {
  readonly stats: MaintenanceStats = {
    rounds: 0,
    headCompactions: 0,
    headCompactionsFailed: 0,
    headCompactionSeconds: 0,
    checkpoints: 0,
    checkpointsFailed: 0,
    blocksDeleted: 0,
  };
  readonly #steps: MaintenanceSteps;
  readonly #control: Control;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  /** Everything before this is in blocks, and a checkpoint that says so is still to be written. */
  #checkpointDue: number | undefined;
  #closed = false;

  constructor(
    steps: MaintenanceSteps,
    control: Control,
    clock: Clock,
    logger: Logger,
    intervalMs = defaultIntervalMs,
  ) {
    this.#steps = steps;
    this.#control = control;
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalMs = intervalMs;
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
      this.#schedule(this.#again ? 0 : this.#intervalMs);
    });
  }

  /** Runs `action` while no round is running. A round that becomes due meanwhile comes right after it. */
  async between<T>(action: () => Promise<T>): Promise<T> {
    while (this.#round !== undefined) await this.#round;
    const result = action();
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
    this.#checkpointDue = (await this.#cutHead()) ?? this.#checkpointDue;
    if (this.#checkpointDue !== undefined) await this.#checkpoint(this.#checkpointDue);
    await this.#deleteBlocks();
    await this.#steps.idle();
  }

  /** Cuts blocks until the head is small enough; returns the end of the last one. */
  async #cutHead(): Promise<number | undefined> {
    let end: number | undefined;
    const begun = this.#clock.monotonicMs();
    try {
      for (;;) {
        const range = await this.#steps.headCompactionDue();
        if (range === undefined || this.#closed) return end;
        const startedMs = this.#clock.monotonicMs();
        this.#logger.info("Head compaction started", { ...range });
        const block = await this.#steps.writeHeadBlock(range);
        // Queries must see the block before the head forgets what it holds.
        this.#control.blocksChanged();
        await this.#steps.truncateHead(range.maxt + 1);
        end = range.maxt + 1;
        this.stats.headCompactions++;
        this.#logger.info("Head compaction completed", {
          block: block?.ulid ?? "none: the range was empty",
          durationMs: Math.round(this.#clock.monotonicMs() - startedMs),
        });
      }
    } catch (error) {
      this.stats.headCompactionsFailed++;
      this.#logger.error(
        "Cutting a block from the head failed; its samples stay in the head and in the WAL",
        { error },
      );
      return end;
    } finally {
      this.stats.headCompactionSeconds += (this.#clock.monotonicMs() - begun) / 1000;
    }
  }

  async #checkpoint(mint: number): Promise<void> {
    try {
      const job = await this.#steps.planCheckpoint(mint);
      if (this.#closed) return;
      if (job === undefined) {
        this.#checkpointDue = undefined;
        return;
      }
      const { from, to } = job.plan;
      this.#logger.info("WAL checkpoint started", { firstSegment: from, lastSegment: to });
      await this.#steps.writeCheckpoint(job);
      await this.#steps.finishCheckpoint(mint);
      this.#checkpointDue = undefined;
      this.stats.checkpoints++;
      this.#logger.info("WAL checkpoint completed", { firstSegment: from, lastSegment: to });
    } catch (error) {
      this.stats.checkpointsFailed++;
      this.#logger.error(
        "Writing a WAL checkpoint failed; the WAL keeps its segments until the next one succeeds",
        { error },
      );
    }
  }

  async #deleteBlocks(): Promise<void> {
    try {
      const deleted = await this.#steps.deleteBlocks();
      if (deleted.length === 0) return;
      this.stats.blocksDeleted += deleted.length;
      this.#control.blocksChanged();
    } catch (error) {
      this.#logger.error("Deleting old blocks failed; it is tried again in a minute", { error });
    }
  }
}

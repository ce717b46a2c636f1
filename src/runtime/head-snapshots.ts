/**
 * When head snapshots are taken: on an interval, soon after a start that found none, and after the head was cut, which
 * makes the one before useless. Never in a maintenance round, and never so often that it takes more than half the time.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import type { HeadSnapshotBegin } from "../tsdb/db.ts";
import type { SnapshotSummary } from "../tsdb/head-snapshot/write-snapshot.ts";

export interface HeadSnapshotSteps {
  /** Runs something while no maintenance round is running. */
  between<T>(action: () => Promise<T>): Promise<T>;
  /** The writer's part; undefined while none can be taken. */
  begin(): Promise<HeadSnapshotBegin | undefined>;
  /** Writes it, not yet in its place. */
  take(begin: HeadSnapshotBegin): Promise<SnapshotSummary>;
  /** Whether what it shows is still there. */
  stands(removals: string): Promise<boolean>;
  publish(): Promise<void>;
  /** Nothing more to do for now. */
  idle(): Promise<void>;
}

/** Counters and gauges for /metrics. */
export interface HeadSnapshotStats {
  snapshots: number;
  snapshotsFailed: number;
  snapshotSeconds: number;
  snapshotLastSeconds: number;
  snapshotLastBytes: number;
  snapshotsRunning: number;
}

/** A start that replayed everything would have to do so again. */
const firstMs = 5000;

export class HeadSnapshots {
  readonly stats: HeadSnapshotStats = {
    snapshots: 0,
    snapshotsFailed: 0,
    snapshotSeconds: 0,
    snapshotLastSeconds: 0,
    snapshotLastBytes: 0,
    snapshotsRunning: 0,
  };
  readonly #steps: HeadSnapshotSteps;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #earliestMs = Number.NEGATIVE_INFINITY;
  #said = "";
  /** What the last one is of. */
  #lastPlace = "";
  #closed = false;

  /** `intervalMs` 0: none are taken. */
  constructor(steps: HeadSnapshotSteps, clock: Clock, logger: Logger, intervalMs: number) {
    this.#steps = steps;
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalMs = intervalMs;
  }

  /** To be called when the head is ready. */
  start(): void {
    this.soon();
  }

  /** The one that there is, if any, has become useless. */
  soon(): void {
    this.#schedule(Math.min(firstMs, this.#intervalMs));
  }

  /** Waits for the one that is being taken. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#intervalMs === 0) return;
    this.#timer?.cancel();
    const wait = Math.max(delayMs, this.#earliestMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.after(wait, () => {
      this.#running ??= this.#take().finally(() => {
        this.#running = undefined;
        this.#schedule(this.#intervalMs);
      });
    });
  }

  /** Undefined where there is nothing to be taken, or it did not stand. */
  async #takeOne(): Promise<SnapshotSummary | undefined> {
    const steps = this.#steps;
    const begin = await steps.begin();
    if (begin === undefined) return undefined;
    const { segment, offset } = begin.place.wal;
    const place = `${segment} ${offset} ${begin.removals}`;
    if (place === this.#lastPlace) return undefined;
    try {
      const summary = await steps.take(begin);
      if (!(await steps.stands(begin.removals))) return undefined;
      await steps.publish();
      this.#lastPlace = place;
      return summary;
    } finally {
      await steps.idle();
    }
  }

  async #take(): Promise<void> {
    const { stats } = this;
    const begunMs = this.#clock.monotonicMs();
    stats.snapshotsRunning = 1;
    try {
      const summary = await this.#steps.between(() => this.#takeOne());
      if (summary === undefined) return;
      stats.snapshots++;
      stats.snapshotLastBytes = summary.sizeBytes;
      this.#said = "";
      this.#logger.debug("A head snapshot was taken", { ...summary });
    } catch (error) {
      stats.snapshotsFailed++;
      const reason = error instanceof Error ? error.message : String(error);
      // What keeps one from being taken mostly keeps the next from it too.
      if (reason !== this.#said && !this.#closed) {
        this.#logger.warn(
          "No head snapshot could be taken: the next start replays more of the write-ahead log and takes longer",
          { reason },
        );
      }
      this.#said = reason;
    } finally {
      const tookMs = this.#clock.monotonicMs() - begunMs;
      stats.snapshotsRunning = 0;
      stats.snapshotSeconds += tookMs / 1000;
      stats.snapshotLastSeconds = tookMs / 1000;
      this.#earliestMs = this.#clock.monotonicMs() + tookMs;
    }
  }
}

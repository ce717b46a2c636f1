/**
 * The write-ahead log: every change of the head, in segments, before it is acknowledged.
 *
 * Open (which replays) → log … → close. Acknowledged means written to the segment's file; {@link WalSync} says when it
 * is on the disk too. As in Prometheus every start begins a new segment.
 *
 * Log: write. With sync "always": write → sync. Cut: write padding → create next → sync directory → sync full segment.
 */
import type { Codecs } from "../../base/codec.ts";
import type { Clock, Logger, Timer } from "../../base/env.ts";
import { NarthexError } from "../../base/errors.ts";
import { type File, type Fs, makeDurable } from "../../base/fs.ts";
import {
  deleteCheckpoints,
  deleteTemporaryCheckpoints,
  lastCheckpoint,
  listCheckpoints,
} from "./checkpoint-dir.ts";
import { type ReplayResult, replayWal } from "./replay.ts";
import { type Compression, listSegments, segmentBytesDefault } from "./segment.ts";
import { SegmentWriter, type SegmentWriterStats } from "./segment-writer.ts";
import type { WalSink } from "./wal-sink.ts";

/**
 * When written records are made durable: "segment" when their segment is full (Prometheus's way), "interval" also a
 * moment after they were written, "always" before they are acknowledged. "adaptive" is "interval", except that nothing
 * is synced in rushed mode ({@link Wal.rushed}): then the disk's time belongs to what frees memory.
 */
export type WalSync = "segment" | "interval" | "always" | "adaptive";

export interface WalEnv {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly codecs: Codecs;
}

export interface WalOptions {
  /** Takes what had to be cut off, see repair.ts. On the same file system as the WAL. */
  readonly quarantineDir: string;
  /** Default "snappy". */
  readonly compression?: Compression;
  /** Default 128 MiB; a multiple of 32 KiB. */
  readonly segmentBytes?: number;
  /** Default "segment". */
  readonly sync?: WalSync;
  /** For "interval" and "adaptive": how long a record waits at most. Default 1 s. */
  readonly syncIntervalMs?: number;
  /** As {@link ReplayOptions}. */
  readonly from?: WalPlace;
  readonly neededFrom?: number;
  /** Called with the number of each segment that was begun. Must not throw. */
  readonly onSegment?: (index: number) => void;
  /**
   * Another log whose records this one's refer to: it is synced before this one, so that after a power cut no record is
   * there without what it refers to. With "always" it is logged to before, and so is durable already.
   */
  readonly syncFirst?: Wal;
  /** Told what a {@link Wal.log} failed with. */
  readonly onFailure?: (cause: unknown) => void;
  /** Told how long each sync took. */
  readonly onSync?: (seconds: number) => void;
  /**
   * Syncs a full segment elsewhere, so that the writer need not wait for the disk: opens the file at `path`, syncs it,
   * and says when that is done. Not used with "always" nor at close. Default: the writer does it.
   */
  readonly syncFull?: (path: string) => Promise<void>;
}

/** A place between two records. */
export interface WalPlace {
  readonly segment: number;
  readonly offset: number;
}

/** The segments that a checkpoint is to replace, both inclusive. */
export interface CheckpointPlan {
  readonly from: number;
  readonly to: number;
}

export class Wal {
  readonly dir: string;
  readonly replayed: ReplayResult;
  readonly #env: WalEnv;
  readonly #options: WalOptions;
  readonly #writer: SegmentWriter;
  /** Full segments whose sync was begun elsewhere and has not ended. */
  readonly #syncing = new Set<string>();
  /** Full segments that rushed mode left unsynced. */
  readonly #postponed = new Set<string>();
  #rushed = false;
  #timer: Timer | undefined;
  #isClosed = false;
  /** Syncs that failed. */
  syncsFailed = 0;
  /** How often {@link Wal.dropBefore} went about removing segments, and {@link Wal.dropCovered} older checkpoints. */
  readonly removals = {
    truncations: 0,
    truncationsFailed: 0,
    checkpointDeletions: 0,
    checkpointDeletionsFailed: 0,
  };

  private constructor(env: WalEnv, dir: string, options: WalOptions, replayed: ReplayResult) {
    this.#env = env;
    this.dir = dir;
    this.#options = options;
    this.replayed = replayed;
    this.#writer = SegmentWriter.create(env, dir, replayed.nextSegment, {
      compression: options.compression ?? "snappy",
      segmentBytes: options.segmentBytes ?? segmentBytesDefault,
      finish: (file) => this.#finish(file),
      sync: (file) => this.#timed(() => file.sync()),
      begun: options.onSegment,
    });
  }

  /**
   * Creates the directory if need be, replays what is in it into `sink`, and begins a new segment. The last one is
   * synced, because its writer may have been killed: damage in it would cost all that comes after it.
   */
  static open(env: WalEnv, dir: string, options: WalOptions, sink: WalSink): Wal {
    const { fs } = env;
    fs.makeDir(dir);
    deleteTemporaryCheckpoints(fs, dir);
    const replayed = replayWal(env, dir, options, sink);
    const last = listSegments(fs, dir).at(-1);
    if (last !== undefined) makeDurable(fs, last.path);
    return new Wal(env, dir, options, replayed);
  }

  get stats(): SegmentWriterStats {
    return this.#writer.stats;
  }

  /** The segment that is written to, and how far it is filled. */
  get position(): WalPlace {
    return { segment: this.#writer.index, offset: this.#writer.offset };
  }

  /**
   * Writes records as one unit: when this returns they are acknowledged, when it throws (a STORAGE error) none of them
   * is in the log.
   */
  log(records: readonly Uint8Array[]): void {
    if (this.#isClosed) throw new TypeError("log to a closed Wal");
    if (records.length === 0) return;
    try {
      this.#writer.write(records, this.#options.sync === "always");
    } catch (cause) {
      this.#options.onFailure?.(cause);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new NarthexError("STORAGE", `write-ahead log ${this.dir}: ${reason}`, { cause });
    }
    this.#syncSoon();
  }

  /** Whether memory is so short that "adaptive" leaves the disk alone. What waited is synced when this ends. */
  get rushed(): boolean {
    return this.#rushed;
  }

  set rushed(rushed: boolean) {
    if (this.#rushed === rushed) return;
    this.#rushed = rushed;
    if (this.#isClosed || this.#options.sync !== "adaptive") return;
    if (rushed) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    for (const path of this.#postponed) this.#syncPath(path);
    this.#postponed.clear();
    this.#syncSoon();
  }

  /** Makes durable what is acknowledged. */
  sync(): void {
    this.#writer.sync();
  }

  /** Begins a new segment; returns its number. */
  cut(): number {
    return this.#writer.cut();
  }

  /** Removes the segments before number `index`. */
  dropBefore(index: number): void {
    const { fs } = this.#env;
    this.removals.truncations++;
    try {
      for (const segment of listSegments(fs, this.dir)) {
        if (segment.index >= index) break;
        fs.removeFile(segment.path);
        this.#postponed.delete(segment.path);
      }
    } catch (error) {
      this.removals.truncationsFailed++;
      throw error;
    }
  }

  /**
   * Begins a new segment and says which ones a checkpoint should replace: the older two thirds of those before it, as
   * Prometheus does, because a block has just been written of the older part of the head. Undefined while there are too
   * few. What somebody removed between the last checkpoint and the first segment is taken as covered. Then `writeCheckpoint`, in any thread, and {@link Wal.dropCovered}.
   */
  planCheckpoint(): CheckpointPlan | undefined {
    const covered = lastCheckpoint(this.#env.fs, this.dir)?.index ?? -1;
    const segments = listSegments(this.#env.fs, this.dir).filter(({ index }) => index > covered);
    this.#writer.cut();
    if (segments.length === 0) return undefined;
    const from = covered < 0 ? segments[0].index : covered + 1;
    const to = from + Math.floor(((segments[segments.length - 1].index - 1 - from) * 2) / 3);
    return to > from ? { from, to } : undefined;
  }

  /**
   * Removes the segments that the last checkpoint stands for, and older checkpoints. Leftovers of an interrupted removal
   * go too. Returns the number of the oldest segment that is left.
   */
  dropCovered(): number {
    const { fs } = this.#env;
    const { removals } = this;
    const checkpoint = lastCheckpoint(fs, this.dir);
    if (checkpoint === undefined) return listSegments(fs, this.dir)[0].index;
    this.dropBefore(checkpoint.index + 1);
    removals.checkpointDeletions++;
    try {
      deleteCheckpoints(fs, this.dir, checkpoint.index);
    } catch (error) {
      removals.checkpointDeletionsFailed++;
      throw error;
    }
    return checkpoint.index + 1;
  }

  /** The size of all segments and checkpoints. */
  sizeBytes(): number {
    const { fs } = this.#env;
    let total = 0;
    const dirs = [this.dir, ...listCheckpoints(fs, this.dir).map(({ path }) => path)];
    for (const dir of dirs) {
      for (const { path } of listSegments(fs, dir)) total += fs.stat(path)?.sizeBytes ?? 0;
    }
    return total;
  }

  /** Fills the last page, syncs and closes. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const path of [...this.#postponed, ...this.#syncing]) this.#syncPath(path);
    this.#writer.close();
  }

  #syncSoon(): void {
    const { sync, syncIntervalMs = 1000 } = this.#options;
    if (this.#timer !== undefined || (sync !== "interval" && (sync !== "adaptive" || this.#rushed))) return;
    this.#timer = this.#env.clock.after(syncIntervalMs, () => {
      this.#timer = undefined;
      this.#logged(() => this.#writer.sync());
    });
  }

  #timed(sync: () => void): void {
    if (this.#options.sync !== "always") this.#options.syncFirst?.sync();
    const start = this.#env.clock.monotonicMs();
    sync();
    this.#options.onSync?.((this.#env.clock.monotonicMs() - start) / 1000);
  }

  /** A sync that nobody waits for: what fails is logged and counted, as Prometheus does. */
  #trySync(sync: () => void): void {
    this.#logged(() => this.#timed(sync));
  }

  #logged(sync: () => void): void {
    try {
      sync();
    } catch (error) {
      this.#syncFailed(error);
    }
  }

  #finish(file: File): void {
    const { sync } = this.#options;
    if (sync === "adaptive" && this.#rushed && !this.#isClosed) this.#postponed.add(file.path);
    else if (sync === "always") this.#trySync(() => file.sync());
    else this.#syncPath(file.path, file);
  }

  /** Syncs a segment that is not written to any more; elsewhere, where that is possible. */
  #syncPath(path: string, file?: File): void {
    const { syncFull } = this.#options;
    if (syncFull === undefined || this.#isClosed) {
      return this.#trySync(() => (file === undefined ? makeDurable(this.#env.fs, path) : file.sync()));
    }
    const start = this.#env.clock.monotonicMs();
    this.#syncing.add(path);
    const { syncFirst } = this.#options;
    const synced =
      syncFirst === undefined ? syncFull(path) : syncFull(syncFirst.#writer.path).then(() => syncFull(path));
    synced
      .then(
        () => this.#options.onSync?.((this.#env.clock.monotonicMs() - start) / 1000),
        (error) => this.#syncFailed(error),
      )
      .finally(() => this.#syncing.delete(path));
  }

  #syncFailed(error: unknown): void {
    this.syncsFailed++;
    this.#env.logger.error(
      "The write-ahead log could not be synced: what was acknowledged since the last sync is only in the system's memory",
      { dir: this.dir, error: error instanceof Error ? error.message : String(error) },
    );
  }
}

/**
 * Stops storing when the disk refuses, and begins again by itself. In between every batch is refused before anything of
 * it is begun, so that none is stored by half and what is there stays as it is; queries go on.
 *
 * - full (ENOSPC, EDQUOT): the reserve is released, for what frees space. Storing resumes when there is room for it again
 *   and for a margin beside it.
 * - read-only (EROFS) and failing (EIO and whatever else): storing resumes when a small file can be written and synced.
 *
 * After each resumption that did not last the next attempt comes later.
 */
import type { Clock, Logger, Random, Timer } from "../base/env.ts";
import { type Fs, joinPath } from "../base/fs.ts";
import { DiskReserve } from "./disk-reserve.ts";

export type DiskState = "ok" | "full" | "readOnly" | "failing";

export interface DiskGuardEnv {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface DiskGuardOptions {
  /** 0: no reserve is kept. */
  readonly reserveBytes: number;
  /** What is free, where the system tells: spares attempts that cannot succeed. */
  readonly freeBytes?: () => number | undefined;
  /** Told whenever storing stops or resumes: why nothing is stored, or "". */
  readonly onChange?: (problem: string) => void;
}

const probeFile = "narthex-probe";
const probeBytes = 4096;
/** The start has better things to do. */
const firstGrowthMs = 10_000;
const sliceMs = 5;
const pauseFirstMs = 5000;
const pauseMaxMs = 60_000;
/** A resumption that lasted so long was one. */
const lastingMs = 30_000;
const retryReserveMs = 60_000;

export class DiskGuard {
  readonly #env: DiskGuardEnv;
  readonly #dir: string;
  readonly #options: DiskGuardOptions;
  readonly #reserve: DiskReserve;
  #state: DiskState = "ok";
  #problem = "";
  #cause = "";
  #timer: Timer | undefined;
  #pauseMs = pauseFirstMs;
  #stoppedMs = 0;
  #resumedMs = Number.NEGATIVE_INFINITY;
  #saidNoRoom = false;
  #closed = false;
  /** Failed writes by what they failed with, and how often storing stopped. */
  readonly stats = { full: 0, readOnly: 0, failing: 0, stops: 0 };

  constructor(env: DiskGuardEnv, dir: string, options: DiskGuardOptions) {
    this.#env = env;
    this.#dir = dir;
    this.#options = options;
    this.#reserve = new DiskReserve(env, dir, options.reserveBytes);
  }

  /** Begins to keep the reserve. */
  start(): void {
    this.#options.onChange?.(this.#problem);
    if (this.#state === "ok" && this.#needsReserve) this.#after(firstGrowthMs);
  }

  get state(): DiskState {
    return this.#state;
  }

  /** Why nothing is stored and what to do about it; "" while everything is. */
  get problem(): string {
    return this.#problem;
  }

  /** How long a sender should wait before it tries again, in seconds. */
  get retryAfterSeconds(): number {
    return Math.ceil(this.#pauseMs / 1000);
  }

  get reserveBytes(): number {
    return this.#reserve.heldBytes;
  }

  /** A write of the storage failed. Errors that are not the disk's are none of our business. */
  failed(error: unknown): void {
    const state = stateOf(error);
    if (state === undefined || this.#closed) return;
    this.stats[state]++;
    if (this.#state !== "ok") return;
    const { clock, logger } = this.#env;
    const now = clock.monotonicMs();
    const lasted = now - this.#resumedMs >= lastingMs;
    this.#pauseMs = lasted ? pauseFirstMs : Math.min(2 * this.#pauseMs, pauseMaxMs);
    this.#stoppedMs = now;
    this.#state = state;
    this.#cause = diskError(error)?.message ?? "";
    this.#problem = problemText(
      state,
      this.#dir,
      this.#cause,
      this.#reserve.sizeBytes + this.#reserve.marginBytes,
    );
    this.stats.stops++;
    logger.error(this.#problem, { error: this.#cause });
    if (state === "full") this.#release();
    this.#options.onChange?.(this.#problem);
    this.#after(this.#pauseMs);
  }

  /** The reserve stays for the next start. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#reserve.close();
  }

  get #needsReserve(): boolean {
    return this.#reserve.heldBytes !== this.#reserve.sizeBytes;
  }

  #after(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#env.clock.after(delayMs, () => this.#work());
  }

  #work(): void {
    if (this.#closed) return;
    try {
      if (this.#state === "readOnly" || this.#state === "failing") this.#probe();
      else if (!this.#growReserve()) return;
    } catch (error) {
      this.#notYet(error);
      return;
    }
    if (this.#state !== "ok") this.#resume();
    if (this.#needsReserve) this.#after(sliceMs);
  }

  /** The next slice. False when the rest comes later. */
  #growReserve(): boolean {
    const free = this.#options.freeBytes?.();
    if (free !== undefined && free < this.#reserve.missingBytes) {
      throw new Error(`${free} bytes are free, ${this.#reserve.missingBytes} are needed`);
    }
    if (this.#reserve.grow()) return true;
    this.#after(sliceMs);
    return false;
  }

  /** Writes, syncs and removes a small file. */
  #probe(): void {
    const { fs } = this.#env;
    const path = joinPath(this.#dir, probeFile);
    const file = fs.open(path, "replace");
    try {
      file.writeAt(new Uint8Array(probeBytes), 0);
      file.sync();
    } finally {
      file.close();
    }
    fs.removeFile(path);
  }

  #notYet(error: unknown): void {
    const err = (error as Error).message;
    if (this.#state !== "ok") {
      this.#env.logger.debug("Storing cannot be resumed yet", { err });
      this.#after(this.#pauseMs);
      return;
    }
    if (!this.#saidNoRoom) {
      this.#saidNoRoom = true;
      this.#env.logger.warn(
        "There is no room for the reserve that helps when the disk is full; free some space, or set --storage.tsdb.reserve-size",
        { file: this.#reserve.path, bytes: this.#reserve.sizeBytes, err },
      );
    }
    this.#after(retryReserveMs);
  }

  #release(): void {
    try {
      this.#reserve.release();
    } catch (error) {
      this.#env.logger.warn("The reserve cannot be removed", {
        file: this.#reserve.path,
        err: (error as Error).message,
      });
    }
  }

  #resume(): void {
    const { clock, logger } = this.#env;
    this.#resumedMs = clock.monotonicMs();
    logger.info("Samples are stored again", {
      after: this.#cause,
      seconds: Math.round((this.#resumedMs - this.#stoppedMs) / 1000),
    });
    this.#state = "ok";
    this.#problem = "";
    this.#saidNoRoom = false;
    this.#options.onChange?.("");
  }
}

/** Undefined for an error that no file operation threw. */
export function stateOf(error: unknown): Exclude<DiskState, "ok"> | undefined {
  switch (diskError(error)?.code) {
    case undefined:
      return undefined;
    case "ENOSPC":
    case "EDQUOT":
      return "full";
    case "EROFS":
      return "readOnly";
    default:
      return "failing";
  }
}

/** The system's error behind an error. */
function diskError(error: unknown): (Error & { readonly code: string }) | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall } = at as { code?: string; syscall?: string };
    if (code !== undefined && syscall !== undefined) return at as Error & { code: string };
  }
  return undefined;
}

function problemText(state: DiskState, dir: string, cause: string, neededBytes: number): string {
  const goesOn = "Nothing is stored until then; queries go on, and storing resumes by itself";
  const mib = Math.ceil(neededBytes / 1024 / 1024);
  switch (state) {
    case "full":
      return `The disk that holds ${dir} is full: free at least ${mib} MiB (a shorter retention frees older blocks), or enlarge it. ${goesOn}.`;
    case "readOnly":
      return `The file system that holds ${dir} is read-only: see what the kernel says about it (dmesg), often an I/O error comes before, and mount it writable. ${goesOn}.`;
    default:
      return `Writing to ${dir} fails (${cause}): see what the kernel says about the disk (dmesg). ${goesOn}.`;
  }
}

/**
 * The lock of a data directory: an empty file `lock`, held by BSD flock, as Prometheus holds it. So we refuse a
 * directory that a running Prometheus has, and it refuses ours. A lock file that nobody holds is a leftover of a crash
 * and no obstacle.
 *
 * Node has no flock; the `flock` program locks the open file that we hand it as descriptor 3. That open file is ours as
 * well, so the lock lives until we close it or the process ends, however it ends.
 */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NarthexError } from "../base/errors.ts";

/** How the lock was found; the value of prometheus_tsdb_clean_start. */
export const CleanStart = {
  /** There is no `flock` program: two servers on one directory would go unnoticed. */
  notLocked: -1,
  /** A lock file was left behind: the last server did not stop in order. */
  replaced: 0,
  clean: 1,
} as const;
export type CleanStart = (typeof CleanStart)[keyof typeof CleanStart];

const lockedByOther = 1;

export class DirectoryLock {
  readonly cleanStart: CleanStart;
  readonly path: string;
  #descriptor: number | undefined;

  /** Locks an existing directory. Throws a LOCKED error where another process holds it. */
  constructor(dir: string) {
    this.path = join(dir, "lock");
    const leftBehind = existsSync(this.path);
    const descriptor = openSync(this.path, "a+", 0o666);
    const flock = spawnSync("flock", ["--exclusive", "--nonblock", "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor],
    });
    if (flock.status === lockedByOther) {
      closeSync(descriptor);
      throw new NarthexError(
        "LOCKED",
        `${dir} is in use: another Prometheus or Narthex holds ${this.path}. Stop it, or choose another --storage.tsdb.path.`,
      );
    }
    this.#descriptor = descriptor;
    if (flock.error !== undefined || flock.status !== 0) this.cleanStart = CleanStart.notLocked;
    else this.cleanStart = leftBehind ? CleanStart.replaced : CleanStart.clean;
  }

  /** Unlocks and removes the lock file. Idempotent. */
  release(): void {
    if (this.#descriptor === undefined) return;
    rmSync(this.path, { force: true });
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

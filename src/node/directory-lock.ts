/**
 * The lock of a data directory: an empty file `lock`, held by BSD flock, as Prometheus holds it. So we refuse a
 * directory that a running Prometheus has, and it refuses ours. A lock file that nobody holds is a leftover of a crash
 * and no obstacle.
 *
 * Node has no flock; the `flock` program (util-linux or BusyBox) locks the open file that we hand it as descriptor 3. That open file is ours as
 * well, so the lock lives until we close it or the process ends, however it ends.
 */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, rmSync, statSync } from "node:fs";
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
/** How often another server may remove the file between our opening and locking it. */
const attemptsMax = 10;

export class DirectoryLock {
  readonly cleanStart: CleanStart;
  readonly path: string;
  /** Why it is not locked; "" when it is. */
  readonly problem: string;
  #descriptor: number | undefined;

  /** Locks an existing directory. Throws a LOCKED error where another process holds it. */
  constructor(dir: string) {
    this.path = join(dir, "lock");
    const leftBehind = existsSync(this.path);
    for (let attempt = 1; ; attempt++) {
      const descriptor = openLockFile(this.path);
      this.problem = flock(descriptor, dir, this.path);
      this.#descriptor = descriptor;
      if (this.problem !== "" || isStillThere(descriptor, this.path) || attempt === attemptsMax) break;
      // Its holder has just ended and removed it: what we locked has no name any more.
      closeSync(descriptor);
    }
    if (this.problem !== "") this.cleanStart = CleanStart.notLocked;
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

function openLockFile(path: string): number {
  try {
    return openSync(path, "a+", 0o666);
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new Error(`the data directory cannot be locked, so nothing is started on it: ${problem}`, {
      cause,
    });
  }
}

/** Locks the open file; returns why that is not possible at all, or "". Short options: BusyBox knows no long ones. */
function flock(descriptor: number, dir: string, path: string): string {
  const { error, status, stderr } = spawnSync("flock", ["-x", "-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    encoding: "utf8",
  });
  if (error !== undefined) return `the program flock (util-linux) is needed: ${error.message}`;
  if (status === 0) return "";
  if (status !== lockedByOther) return stderr.trim() || `flock ended with ${status}`;
  closeSync(descriptor);
  throw new NarthexError(
    "LOCKED",
    `${dir} is in use: another Prometheus or Narthex holds ${path}. Stop it, or choose another --storage.tsdb.path.`,
  );
}

function isStillThere(descriptor: number, path: string): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === fstatSync(descriptor).ino;
}

/**
 * Files that must leave their place but are not to be lost: damaged ones, and what another program left behind that
 * would contradict what we write. They go into a directory of their own under a name that says what they were.
 * Nothing that is set aside is ever read again by the server.
 */
import { type Fs, joinPath, readWhole } from "./fs.ts";

/** What was set aside: what a log line needs. */
export interface SetAside {
  /** Where it was. */
  readonly from: string;
  /** Where it is now. */
  readonly to: string;
  /** A sentence without a full stop: why. */
  readonly reason: string;
}

/** A path in `dir`, which is created, that nothing has yet: `name`, else `name.1`, `name.2` … */
export function freePath(fs: Fs, dir: string, name: string): string {
  fs.makeDir(dir);
  let path = joinPath(dir, name);
  for (let i = 1; fs.stat(path) !== undefined; i++) path = joinPath(dir, `${name}.${i}`);
  return path;
}

/**
 * Moves a file or directory into `dir` (on the same file system) as `name` or, where that is taken, a variation of it.
 * The caller makes the removal durable by syncing the directory it came from.
 */
export function setAside(fs: Fs, from: string, dir: string, name: string, reason: string): SetAside {
  const to = freePath(fs, dir, name);
  fs.rename(from, to);
  fs.syncDir(dir);
  return { from, to, reason };
}

/** Copies everything of the file `from` beginning at `offset` into `dir`, durably. The original is left as it is. */
export function copyAside(
  fs: Fs,
  from: string,
  offset: number,
  dir: string,
  name: string,
  reason: string,
): SetAside {
  const to = freePath(fs, dir, name);
  const source = fs.open(from, "read");
  try {
    const target = fs.open(to, "create");
    try {
      const block = new Uint8Array(Math.min(1024 * 1024, source.size() - offset));
      for (let at = offset, read = 0; (read = readWhole(source, block, at)) > 0; at += read) {
        target.writeAt(block.subarray(0, read), at - offset);
      }
      target.sync();
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
  fs.syncDir(dir);
  return { from, to, reason };
}

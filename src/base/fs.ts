/**
 * The file system as the storage sees it: synchronous, because it is only used in worker threads (and in-process by
 * the embedded database). `node/fs.ts` is the real one; `testkit/` has one in memory that can lose power, one that
 * fails on demand and one that writes down what was called.
 *
 * Failed calls throw Node's system errors: `code` is "ENOENT", "ENOSPC", "EIO" ….
 */

import { NarthexError } from "./errors.ts";

/**
 * How a file is opened.
 * - `read`: must exist, read only
 * - `write`: must exist, read and write, nothing truncated
 * - `create`: must not exist yet (EEXIST), read and write
 * - `replace`: created or truncated to nothing, read and write
 */
export type OpenMode = "read" | "write" | "create" | "replace";

export interface File {
  readonly path: string;
  /**
   * Fills `into` from byte `position` on; returns how many bytes were read, which is less than `into.length` only at
   * the end of the file.
   */
  readAt(into: Uint8Array, position: number): number;
  /** Writes all of `bytes` at `position`, growing the file as needed. After a throw any prefix may be written. */
  writeAt(bytes: Uint8Array, position: number): void;
  size(): number;
  truncate(sizeBytes: number): void;
  /** Makes the content durable (fsync). */
  sync(): void;
  /** Idempotent. */
  close(): void;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly isDirectory: boolean;
  readonly mtimeMs: number;
}

export interface Fs {
  open(path: string, mode: OpenMode): File;
  /** Undefined when nothing is there. */
  stat(path: string): FileStat | undefined;
  /** The names in a directory, sorted; ENOENT when it is missing. */
  list(dir: string): string[];
  /** The whole content; the buffer belongs to the caller. */
  readFile(path: string): Uint8Array;
  /** Creates the directory and its parents, durably; does nothing where it exists. */
  makeDir(dir: string): void;
  /** Replaces a file at `to`; a directory at `to` must be empty or absent. */
  rename(from: string, to: string): void;
  /** A hard link. */
  link(existing: string, path: string): void;
  /** Removes a file; does nothing where it is missing. */
  removeFile(path: string): void;
  /** Removes a directory with all it holds; does nothing where it is missing. */
  removeDir(dir: string): void;
  /** Makes the names in a directory durable. */
  syncDir(dir: string): void;
}

/** Joins path segments with "/", without normalising. */
export function joinPath(...segments: string[]): string {
  return segments.join("/");
}

/**
 * As {@link File.readAt}, for content that is to be judged: a read that ends before the file does goes on, and one that
 * brings nothing more is an error. What was not read must not be taken for what is not there.
 */
export function readWhole(file: File, into: Uint8Array, position: number): number {
  let done = file.readAt(into, position);
  while (done < into.length) {
    const missing = Math.min(into.length - done, file.size() - position - done);
    if (missing <= 0) return done;
    const more = file.readAt(into.subarray(done), position + done);
    if (more === 0) {
      throw new NarthexError(
        "STORAGE",
        `${file.path}: a read at byte ${position + done} brought nothing, ${missing} bytes before the end of the file`,
      );
    }
    done += more;
  }
  return done;
}

/** Makes the content of a file durable that somebody else has written. */
export function makeDurable(fs: Fs, path: string): void {
  const file = fs.open(path, "write");
  try {
    file.sync();
  } finally {
    file.close();
  }
}

/** The size of all files below `path`; 0 where nothing is there. */
export function bytesBelow(fs: Fs, path: string): number {
  const stat = fs.stat(path);
  if (stat === undefined) return 0;
  if (!stat.isDirectory) return stat.sizeBytes;
  return fs.list(path).reduce((sum, name) => sum + bytesBelow(fs, joinPath(path, name)), 0);
}

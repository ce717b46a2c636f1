/** Puts a function between a file system and its user; FaultFs and TraceFs are made of it. */
import type { File, Fs } from "../base/fs.ts";

export type FsOperation =
  | "open"
  | "create"
  | "replace"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "size"
  | "close"
  | "stat"
  | "list"
  | "readFile"
  | "makeDir"
  | "rename"
  | "link"
  | "removeFile"
  | "removeDir"
  | "syncDir";

export interface FsCall {
  readonly operation: FsOperation;
  readonly path: string;
  /** The other path of a rename or link. */
  readonly to: string;
  /** Of a read, write or truncate. */
  readonly position: number;
  readonly bytes: number;
}

/** Operations after which the disk may be different. */
export function isChange({ operation }: FsCall): boolean {
  return !["open", "read", "size", "close", "stat", "list", "readFile"].includes(operation);
}

/**
 * Every call goes through `intercept`, which runs it by `run`, or throws instead. For a read or a write, `run` may be
 * given how many of the bytes to transfer.
 */
export function interceptFs(
  inner: Fs,
  intercept: <T>(call: FsCall, run: (transferBytes?: number) => T) => T,
): Fs {
  const pass = <T>(operation: FsOperation, path: string, run: () => T, to = "") =>
    intercept({ operation, path, to, position: 0, bytes: 0 }, run);
  return {
    open(path, mode) {
      const operation = mode === "create" || mode === "replace" ? mode : "open";
      return interceptFile(
        pass(operation, path, () => inner.open(path, mode)),
        intercept,
      );
    },
    stat: (path) => pass("stat", path, () => inner.stat(path)),
    list: (dir) => pass("list", dir, () => inner.list(dir)),
    readFile: (path) => pass("readFile", path, () => inner.readFile(path)),
    makeDir: (dir) => pass("makeDir", dir, () => inner.makeDir(dir)),
    rename: (from, to) => pass("rename", from, () => inner.rename(from, to), to),
    link: (existing, path) => pass("link", existing, () => inner.link(existing, path), path),
    removeFile: (path) => pass("removeFile", path, () => inner.removeFile(path)),
    removeDir: (dir) => pass("removeDir", dir, () => inner.removeDir(dir)),
    syncDir: (dir) => pass("syncDir", dir, () => inner.syncDir(dir)),
  };
}

function interceptFile(
  inner: File,
  intercept: <T>(call: FsCall, run: (transferBytes?: number) => T) => T,
): File {
  const { path } = inner;
  const call = (operation: FsOperation, position = 0, bytes = 0): FsCall => ({
    operation,
    path,
    to: "",
    position,
    bytes,
  });
  return {
    path,
    readAt: (into, position) =>
      intercept(call("read", position, into.length), (transferBytes = into.length) =>
        inner.readAt(into.subarray(0, transferBytes), position),
      ),
    writeAt: (bytes, position) =>
      intercept(call("write", position, bytes.length), (transferBytes = bytes.length) =>
        inner.writeAt(bytes.subarray(0, transferBytes), position),
      ),
    size: () => intercept(call("size"), () => inner.size()),
    truncate: (sizeBytes) => intercept(call("truncate", sizeBytes), () => inner.truncate(sizeBytes)),
    sync: () => intercept(call("sync"), () => inner.sync()),
    close: () => intercept(call("close"), () => inner.close()),
  };
}

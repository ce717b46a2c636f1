/** A file system of a given size: what does not fit is not written, as on a real disk that is full. */
import { type Fs, joinPath } from "../base/fs.ts";
import { FsError } from "./fs-error.ts";
import { interceptFs } from "./intercept-fs.ts";

/**
 * A view of `inner` on which the files under `root` may have `capacityBytes` together, which may change. A write that
 * does not fit fails with ENOSPC after as much as fits, and nothing can be created on a full one.
 */
export function smallFs(inner: Fs, root: string, capacityBytes: () => number): Fs {
  return interceptFs(inner, (call, run) => {
    const { operation, path, position, bytes } = call;
    const isNew = operation === "create" || operation === "replace" || operation === "makeDir";
    if (isNew && inner.stat(path) === undefined && usedBytes(inner, root) >= capacityBytes()) {
      throw new FsError("ENOSPC", operation, path);
    }
    if (operation !== "write") return run();
    const size = inner.stat(path)?.sizeBytes ?? 0;
    const growth = Math.max(0, position + bytes - size);
    const room = Math.max(0, capacityBytes() - usedBytes(inner, root));
    if (growth <= room) return run();
    const fits = bytes - (growth - room);
    if (fits > 0) run(fits);
    throw new FsError("ENOSPC", operation, path);
  });
}

/** The size of all files under a directory. */
export function usedBytes(fs: Fs, dir: string): number {
  const stat = fs.stat(dir);
  if (stat === undefined) return 0;
  if (!stat.isDirectory) return stat.sizeBytes;
  return fs.list(dir).reduce((sum, name) => sum + usedBytes(fs, joinPath(dir, name)), 0);
}

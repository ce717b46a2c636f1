import { type Fs, joinPath } from "./fs.ts";

/**
 * Replaces the file `name` in `dir` durably and at once: written beside it as `name.tmp`, synced, renamed, directory
 * synced. After a crash the old or the new content is there, and perhaps the `.tmp`, which the next call overwrites.
 */
export function replaceFile(fs: Fs, dir: string, name: string, bytes: Uint8Array): void {
  const path = joinPath(dir, name);
  const temporary = `${path}.tmp`;
  const file = fs.open(temporary, "replace");
  try {
    file.writeAt(bytes, 0);
    file.sync();
  } finally {
    file.close();
  }
  fs.rename(temporary, path);
  fs.syncDir(dir);
}

/** Small files, written whole and durably. */
import { type Fs, joinPath } from "./fs.ts";

/** Creates a file, which must not exist, with this content, synced. Its name is durable once the directory is synced. */
export function createFile(fs: Fs, path: string, bytes: Uint8Array): void {
  write(fs, path, "create", bytes);
}

/**
 * Replaces the file `name` in `dir` durably and at once: written beside it as `name.tmp`, synced, renamed, directory
 * synced. After a crash the old or the new content is there, and perhaps the `.tmp`, which the next call overwrites.
 */
export function replaceFile(fs: Fs, dir: string, name: string, bytes: Uint8Array): void {
  const path = joinPath(dir, name);
  const temporary = `${path}.tmp`;
  write(fs, temporary, "replace", bytes);
  fs.rename(temporary, path);
  fs.syncDir(dir);
}

function write(fs: Fs, path: string, mode: "create" | "replace", bytes: Uint8Array): void {
  const file = fs.open(path, mode);
  try {
    file.writeAt(bytes, 0);
    file.sync();
  } finally {
    file.close();
  }
}

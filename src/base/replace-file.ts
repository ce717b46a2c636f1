/** Small files, written whole and durably. */
import { type Fs, joinPath } from "./fs.ts";

/** Creates a file, which must not exist, with this content, synced. Its name is durable once the directory is synced. */
export function createFile(fs: Fs, path: string, bytes: Uint8Array): void {
  write(fs, path, "create", bytes);
}

/**
 * Replaces the file `name` in `dir` durably and at once: written beside it as `name.tmp`, synced, renamed, directory
 * synced. Where that fails the `.tmp` goes again. After a crash the old or the new content is there, and perhaps the
 * `.tmp`, which the next call overwrites.
 */
export function replaceFile(fs: Fs, dir: string, name: string, bytes: Uint8Array): void {
  const path = joinPath(dir, name);
  const temporary = `${path}.tmp`;
  try {
    write(fs, temporary, "replace", bytes);
    fs.rename(temporary, path);
  } catch (error) {
    removeQuietly(fs, temporary);
    throw error;
  }
  fs.syncDir(dir);
}

/** The failure that came before says more than one of this. */
function removeQuietly(fs: Fs, path: string): void {
  try {
    if (fs.stat(path) !== undefined) fs.removeFile(path);
  } catch {}
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

// Bytes of files and directories.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** All files below `dir`. */
export function bytesBelow(dir) {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).size;
  }
  return bytes;
}

/** What the WAL holds: its segments, without preallocated or temporary files. */
export function walBytes(dataDir) {
  const wal = join(dataDir, "wal");
  return readdirSync(wal)
    .filter((name) => /^\d{8}$/.test(name))
    .reduce((sum, name) => sum + statSync(join(wal, name)).size, 0);
}

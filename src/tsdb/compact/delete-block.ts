/**
 * How blocks go: a directory is renamed to `<ulid>.tmp-for-deletion`, the data directory is synced, then the files are
 * removed. A crash in between leaves either the whole block or a leftover that is removed at the next start.
 */
import type { Logger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { isUlid } from "../block/ulid.ts";

export const creationSuffix = ".tmp-for-creation";
const deletionSuffix = ".tmp-for-deletion";
/** What Prometheus before 2.21 used for both. */
const legacySuffix = ".tmp";
const snapshotPrefix = "chunk_snapshot";

/** Deletes the block `name` of the data directory `dir`; does nothing where it is missing. */
export function deleteBlock(fs: Fs, dir: string, name: string): void {
  const block = joinPath(dir, name);
  if (fs.stat(block) === undefined) return;
  const doomed = joinPath(dir, `${name}${deletionSuffix}`);
  fs.removeDir(doomed);
  fs.rename(block, doomed);
  fs.syncDir(dir);
  fs.removeDir(doomed);
}

/**
 * Removes what unfinished writes and deletions left in the data directory; returns the names. Leftovers only cost space,
 * so one that cannot be removed is no reason not to go on.
 */
export function removeLeftovers(
  { fs, logger }: { readonly fs: Fs; readonly logger: Logger },
  dir: string,
): string[] {
  const removed: string[] = [];
  for (const name of fs.list(dir)) {
    if (!isLeftover(name) || !fs.stat(joinPath(dir, name))?.isDirectory) continue;
    try {
      fs.removeDir(joinPath(dir, name));
      removed.push(name);
    } catch (error) {
      logger.warn("What unfinished work left behind cannot be removed; it takes up space, nothing else", {
        name,
        err: (error as Error).message,
      });
    }
  }
  if (removed.length > 0)
    logger.info("Removed what unfinished work had left behind", { names: removed.join(" ") });
  return removed;
}

function isLeftover(name: string): boolean {
  return [creationSuffix, deletionSuffix, legacySuffix].some(
    (suffix) =>
      name.endsWith(suffix) && (name.startsWith(snapshotPrefix) || isUlid(name.slice(0, -suffix.length))),
  );
}

/**
 * Snapshots: all blocks as hard links in `snapshots/<time>-<random>/`, which costs no space and can be opened as a data
 * directory. The head's part is a block of its own that the caller writes there (write-block.ts).
 */
import type { Clock, Random } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { type Block, chunksDir, indexFile } from "../block/block.ts";
import { metaFile } from "../block/meta.ts";
import { segmentPaths } from "../chunks/segment-reader.ts";
import { tombstonesFile } from "../tombstones/file.ts";

export const snapshotsDir = "snapshots";

/** As Prometheus names them: `20171210T211224Z-2be650b6d019eb54`. */
export function snapshotName(clock: Pick<Clock, "nowMs">, random: Random): string {
  const time = new Date(clock.nowMs()).toISOString().replace(/[-:]|\.\d+/g, "");
  const word = () => random.u32().toString(16).padStart(8, "0");
  return `${time}-${word()}${word()}`;
}

/** Links the files of the blocks into `target`, which is created, durably. */
export function snapshotBlocks(fs: Fs, blocks: readonly Block[], target: string): void {
  fs.makeDir(target);
  for (const block of blocks) {
    const dir = joinPath(target, block.name);
    fs.makeDir(joinPath(dir, chunksDir));
    for (const path of segmentPaths(fs, joinPath(block.dir, chunksDir))) {
      fs.link(path, joinPath(dir, chunksDir, path.slice(path.lastIndexOf("/") + 1)));
    }
    for (const name of [indexFile, tombstonesFile, metaFile]) {
      if (fs.stat(joinPath(block.dir, name)) !== undefined) {
        fs.link(joinPath(block.dir, name), joinPath(dir, name));
      }
    }
    fs.syncDir(joinPath(dir, chunksDir));
    fs.syncDir(dir);
  }
  fs.syncDir(target);
}

/** Takes a head snapshot in whichever thread this is called, unless it would be too large. */
import { NarthexError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { formatSize } from "../config/size.ts";
import { Purpose, Root } from "../kernels/head-layout.ts";
import { endOfBlocks } from "../tsdb/block/end-of-blocks.ts";
import type { HeadSnapshotBegin } from "../tsdb/db.ts";
import type { ChunkStore } from "../tsdb/head/head-log.ts";
import type { HeadMemory } from "../tsdb/head/memory.ts";
import { takeSnapshot } from "../tsdb/head-snapshot/take-snapshot.ts";
import type { SnapshotSummary } from "../tsdb/head-snapshot/write-snapshot.ts";
import { headChunksDir, walDir, wblDir } from "../tsdb/recover.ts";
import type { StorageSettings } from "./settings.ts";

/** What of the head's memory goes into the file, roughly one to one. */
const copied = [Purpose.series, Purpose.openChunks, Purpose.chunkLists, Purpose.strings];

export interface SnapshotReader {
  readonly memory: HeadMemory;
  readonly store: ChunkStore;
  readonly owner: number;
  readonly createdMs: number;
}

export function takeHeadSnapshot(
  fs: Fs,
  settings: StorageSettings,
  begin: HeadSnapshotBegin,
  { memory, store, owner, createdMs }: SnapshotReader,
): SnapshotSummary {
  const { dir, headSnapshotBytesMax } = settings;
  const bytes = copied.reduce<number>((sum, purpose) => sum + memory.words[Root.wordsInUse + purpose] * 4, 0);
  if (headSnapshotBytesMax > 0 && bytes > headSnapshotBytesMax) {
    throw new NarthexError(
      "UNAVAILABLE",
      `the head snapshot would have about ${formatSize(bytes)}, --storage.tsdb.head-snapshot-max-size allows ${formatSize(headSnapshotBytesMax)}`,
    );
  }
  const { removals: _, ...rest } = begin;
  const request = { ...rest, blocksEnd: endOfBlocks(fs, dir), createdMs };
  return takeSnapshot(
    fs,
    dir,
    { wal: walDir, wbl: wblDir, chunks: headChunksDir },
    memory,
    store,
    owner,
    request,
  );
}

/**
 * Takes a snapshot of a head that the writer goes on appending to; for the compaction thread.
 *
 * Order: (writer) the place and its own objects → write head.tmp → sync the WAL, the WBL, then the newest chunk file, then head.tmp →
 * (writer) does it stand? → publish. The block that ends last must not change in between.
 */
import { type Fs, joinPath, makeDurable } from "../../base/fs.ts";
import { headChunkPath } from "../chunks/head-chunks.ts";
import type { ChunkStore } from "../head/head-log.ts";
import type { HeadMemory } from "../head/memory.ts";
import { listSegments } from "../wal/segment.ts";
import { headSnapshotDir, temporarySnapshotPath } from "./files.ts";
import { checksumsOf, type SnapshotPlace } from "./position.ts";
import { type SnapshotSummary, type WriterPart, writeSnapshot } from "./write-snapshot.ts";

export interface SnapshotRequest {
  readonly place: SnapshotPlace;
  readonly chunkRangeMs: number;
  readonly part: WriterPart;
  readonly blocksEnd: number;
  readonly createdMs: number;
}

/** Writes the temporary file, durably. */
export function takeSnapshot(
  fs: Fs,
  dir: string,
  dirs: { readonly wal: string; readonly wbl: string; readonly chunks: string },
  memory: HeadMemory,
  store: ChunkStore,
  owner: number,
  request: SnapshotRequest,
): SnapshotSummary {
  const { place, part, ...rest } = request;
  const chunksDir = joinPath(dir, dirs.chunks);
  const walDir = joinPath(dir, dirs.wal);
  const position = { ...rest, ...place, ...checksumsOf(fs, walDir, chunksDir, place) };
  fs.makeDir(joinPath(dir, headSnapshotDir));
  const file = fs.open(temporarySnapshotPath(dir), "replace");
  try {
    const summary = writeSnapshot(file, memory, store, owner, position, part);
    // Full ones were synced when they were cut. No chunk may be on the disk before the log has its samples there.
    const newest = place.chunkFiles.at(-1);
    for (const { index, path } of listSegments(fs, walDir)) {
      if (index >= place.wal.segment) makeDurable(fs, path);
    }
    const wblDir = joinPath(dir, dirs.wbl);
    const lateSegment = fs.stat(wblDir) === undefined ? undefined : listSegments(fs, wblDir).at(-1);
    if (lateSegment !== undefined) makeDurable(fs, lateSegment.path);
    if (newest !== undefined) makeDurable(fs, headChunkPath(chunksDir, newest.number));
    file.sync();
    return summary;
  } finally {
    file.close();
  }
}

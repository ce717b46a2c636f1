/**
 * The directory of the snapshot. Prometheus takes no notice of it.
 *
 * head_snapshot/head        the snapshot; head.tmp while it is written
 * head_snapshot/wal-segment the number of the newest WAL segment that Narthex began: one after it is another program's
 *
 * Publish: write head.tmp → sync → rename → sync directory.
 */
import { decodeUtf8, encodeUtf8 } from "../../base/bytes.ts";
import { type Fs, joinPath } from "../../base/fs.ts";

export const headSnapshotDir = "head_snapshot";

export const snapshotPath = (dir: string) => joinPath(dir, headSnapshotDir, "head");
export const temporarySnapshotPath = (dir: string) => joinPath(dir, headSnapshotDir, "head.tmp");
const segmentNotePath = (dir: string) => joinPath(dir, headSnapshotDir, "wal-segment");

/** Puts the written temporary file, which is synced, in the place of the snapshot. */
export function publishSnapshot(fs: Fs, dir: string): void {
  fs.rename(temporarySnapshotPath(dir), snapshotPath(dir));
  fs.syncDir(joinPath(dir, headSnapshotDir));
}

/** Removes the snapshot and what is left of an unfinished one. */
export function removeSnapshots(fs: Fs, dir: string): void {
  if (fs.stat(joinPath(dir, headSnapshotDir)) === undefined) return;
  fs.removeFile(temporarySnapshotPath(dir));
  fs.removeFile(snapshotPath(dir));
}

/** Not synced: a note that is lost costs the snapshot, no more. */
export function noteSegment(fs: Fs, dir: string, segment: number): void {
  fs.makeDir(joinPath(dir, headSnapshotDir));
  const file = fs.open(segmentNotePath(dir), "replace");
  try {
    file.writeAt(encodeUtf8(`${String(segment).padStart(16, "0")}\n`), 0);
  } finally {
    file.close();
  }
}

/** -1 where nothing is noted. */
export function notedSegment(fs: Fs, dir: string): number {
  if (fs.stat(segmentNotePath(dir)) === undefined) return -1;
  const text = decodeUtf8(fs.readFile(segmentNotePath(dir)));
  return /^\d{16}\n$/.test(text) ? Number(text) : -1;
}

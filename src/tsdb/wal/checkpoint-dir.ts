/**
 * Where checkpoints are: directories `checkpoint.NNNNNNNN` beside the WAL's segments, each with segments of its own
 * that stand for all WAL segments up to NNNNNNNN. One that is being written has `.tmp` after its name.
 */
import { type Fs, joinPath } from "../../base/fs.ts";

const prefix = "checkpoint.";
const temporarySuffix = ".tmp";

export interface Checkpoint {
  /** The last WAL segment that it stands for. */
  readonly index: number;
  readonly path: string;
}

export function checkpointPath(walDir: string, index: number): string {
  return joinPath(walDir, prefix + String(index).padStart(8, "0"));
}

export function temporaryCheckpointPath(walDir: string, index: number): string {
  return checkpointPath(walDir, index) + temporarySuffix;
}

/** Complete checkpoints, ascending. There is more than one only after a crash while the older one was removed. */
export function listCheckpoints(fs: Fs, walDir: string): Checkpoint[] {
  return fs
    .list(walDir)
    .filter((name) => /^checkpoint\.\d{1,15}$/.test(name))
    .map((name) => ({ index: Number(name.slice(prefix.length)), path: joinPath(walDir, name) }))
    .filter(({ path }) => fs.stat(path)?.isDirectory)
    .sort((a, b) => a.index - b.index);
}

/** The one that counts. */
export function lastCheckpoint(fs: Fs, walDir: string): Checkpoint | undefined {
  return listCheckpoints(fs, walDir).at(-1);
}

/** Removes the checkpoints below `index`. */
export function deleteCheckpoints(fs: Fs, walDir: string, index: number): void {
  for (const checkpoint of listCheckpoints(fs, walDir)) {
    if (checkpoint.index < index) fs.removeDir(checkpoint.path);
  }
}

/** Removes checkpoints that were not finished. */
export function deleteTemporaryCheckpoints(fs: Fs, walDir: string): void {
  for (const name of fs.list(walDir)) {
    if (name.startsWith(prefix) && name.endsWith(temporarySuffix)) fs.removeDir(joinPath(walDir, name));
  }
}

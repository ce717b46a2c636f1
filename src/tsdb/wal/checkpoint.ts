/**
 * Writes a checkpoint: what is still needed of the WAL segments that are to be removed.
 *
 * Write `checkpoint.N.tmp` (its segments are synced) → sync it → rename → sync the WAL's directory. Removing the covered
 * segments comes afterwards (wal.ts) and may be interrupted or repeated.
 *
 * May run in another thread than the one that writes the WAL: it reads only segments that are complete.
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { Codecs } from "../../base/codec.ts";
import type { Logger } from "../../base/env.ts";
import type { Fs } from "../../base/fs.ts";
import {
  checkpointPath,
  deleteTemporaryCheckpoints,
  lastCheckpoint,
  temporaryCheckpointPath,
} from "./checkpoint-dir.ts";
import { CheckpointFilter, type CheckpointStats } from "./checkpoint-filter.ts";
import { type Compression, listSegments, type Segment, segmentBytesDefault } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentWriter } from "./segment-writer.ts";
import type { CheckpointPlan } from "./wal.ts";

export interface CheckpointEnv {
  readonly fs: Fs;
  readonly logger: Logger;
  readonly codecs: Codecs;
}

export interface CheckpointOptions {
  /** Samples and exemplars before it are dropped, and tombstones that end before it. */
  readonly mint: number;
  /**
   * Whether the records of a series are still needed: it lives in the head, or it was removed but the WAL may still have
   * samples of it from `mint` on. Its answers must not change while the checkpoint is written.
   */
  readonly keep: (walRef: number) => boolean;
  /** Default "snappy". */
  readonly compression?: Compression;
  /** Default 128 MiB. */
  readonly segmentBytes?: number;
}

/** Records are written in batches of about this size. */
const batchBytes = 1024 * 1024;

/**
 * Writes the checkpoint for segments `plan.from` to `plan.to` of the WAL in `dir`, the last checkpoint included. Throws
 * a CorruptionError, with nothing changed, where one of them is damaged: only the next start can repair that.
 */
export function writeCheckpoint(
  env: CheckpointEnv,
  dir: string,
  plan: CheckpointPlan,
  options: CheckpointOptions,
): CheckpointStats {
  const { fs } = env;
  const segments = sources(fs, dir, plan);
  deleteTemporaryCheckpoints(fs, dir);
  const temporary = temporaryCheckpointPath(dir, plan.to);
  fs.makeDir(temporary);
  try {
    const stats = writeSegments(env, segments, temporary, options);
    fs.syncDir(temporary);
    fs.rename(temporary, checkpointPath(dir, plan.to));
    fs.syncDir(dir);
    return stats;
  } catch (error) {
    try {
      fs.removeDir(temporary);
    } catch {
      // The cause of the failure matters more; the next checkpoint or start removes it.
    }
    throw error;
  }
}

/** What the checkpoint is made of: the segments of the last one, then those of the WAL after it up to `plan.to`. */
function sources(fs: Fs, dir: string, plan: CheckpointPlan): Segment[] {
  const last = lastCheckpoint(fs, dir);
  const covered = last?.index ?? -1;
  if (last !== undefined && plan.from > covered + 1) {
    throw new RangeError(`a checkpoint from segment ${plan.from} would leave a gap after ${last.path}`);
  }
  if (plan.to <= covered) throw new RangeError(`${last?.path} already covers segment ${plan.to}`);
  const own = listSegments(fs, dir).filter(({ index }) => index > covered && index <= plan.to);
  return last === undefined ? own : [...listSegments(fs, last.path), ...own];
}

function writeSegments(
  env: CheckpointEnv,
  segments: readonly Segment[],
  temporary: string,
  options: CheckpointOptions,
): CheckpointStats {
  const writer = SegmentWriter.create(env, temporary, 0, {
    compression: options.compression ?? "snappy",
    segmentBytes: options.segmentBytes ?? segmentBytesDefault,
    finish: (file) => file.sync(),
  });
  const batch = new RecordBatch(writer);
  try {
    const filter = new CheckpointFilter(options.keep, options.mint);
    for (const segment of segments) {
      const reader = new SegmentReader(env, segment);
      try {
        while (reader.next()) {
          filter.append(reader.record, batch.bytes);
          batch.endRecord();
        }
      } finally {
        reader.close();
      }
    }
    for (const entries of filter.metadataBatches()) {
      filter.appendMetadata(entries, batch.bytes);
      batch.endRecord();
    }
    batch.flush();
    return filter.stats;
  } finally {
    writer.close();
  }
}

/** Records one after the other in one buffer, written whenever enough have come together. */
class RecordBatch {
  readonly bytes = new ByteWriter(batchBytes * 2);
  readonly #writer: SegmentWriter;
  /** Where each record ends. */
  #ends: number[] = [];

  constructor(writer: SegmentWriter) {
    this.#writer = writer;
  }

  /** What was appended since the last call is a record; nothing is none. */
  endRecord(): void {
    const end = this.bytes.length;
    if (end === (this.#ends.at(-1) ?? 0)) return;
    this.#ends.push(end);
    if (end > batchBytes) this.flush();
  }

  flush(): void {
    if (this.#ends.length === 0) return;
    const all = this.bytes.bytes();
    const records = this.#ends.map((end, i) => all.subarray(i === 0 ? 0 : this.#ends[i - 1], end));
    this.#writer.write(records, false);
    this.bytes.clear();
    this.#ends = [];
  }
}

/**
 * Writes one block from a source of chunks: the head, another block, an import.
 *
 * Everything is written into `<ulid>.tmp-for-creation`: chunks, index, tombstones, meta.json; each file is synced, then
 * the directories; then the directory is renamed to `<ulid>` and its parent synced. After a crash there is either the
 * whole block or a leftover that delete-block.ts removes at the next start.
 */
import type { Clock, Random } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { createFile } from "../../base/replace-file.ts";
import { chunkSamples, isHistogramEncoding } from "../../chunkenc/encoding.ts";
import { chunksDir, indexFile } from "../block/block.ts";
import {
  type BlockDescription,
  type BlockMeta,
  type BlockStats,
  encodeMeta,
  metaFile,
} from "../block/meta.ts";
import { newUlid } from "../block/ulid.ts";
import type { ChunkSeries, ChunkSource } from "../chunks/chunk.ts";
import { SegmentWriter } from "../chunks/segment-writer.ts";
import { IndexWriter } from "../index/writer.ts";
import { encodeTombstones, tombstonesFile } from "../tombstones/file.ts";
import { Tombstones } from "../tombstones/tombstones.ts";
import { creationSuffix } from "./delete-block.ts";
import { trimChunk } from "./trim-chunk.ts";

export interface WriteBlockEnv {
  readonly fs: Fs;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

/** Milliseconds; samples of [mint, maxt) are taken from the source, others are left out. */
export interface BlockRange {
  readonly mint: number;
  readonly maxt: number;
}

export interface WriteBlockOptions {
  /** Default 1: a block cut from the head, whose only source is itself. */
  readonly level?: number;
  readonly sources?: readonly string[];
  readonly parents?: readonly BlockDescription[];
  readonly hints?: readonly string[];
  /** Default 512 MiB. */
  readonly segmentBytesMax?: number;
  /** Called for every chunk that is written, for the metrics. */
  readonly onChunk?: (sizeBytes: number, samples: number, rangeMs: number) => void;
}

/**
 * Writes a block into `dir`, which must exist; returns its meta, or undefined where the range held no samples and
 * nothing was left behind. After a throw nothing is left behind either, unless removing it failed too.
 */
export function writeBlock(
  env: WriteBlockEnv,
  dir: string,
  source: ChunkSource,
  range: BlockRange,
  options: WriteBlockOptions = {},
): BlockMeta | undefined {
  const { fs } = env;
  const ulid = newUlid(env.clock, env.random);
  const temporary = joinPath(dir, `${ulid}${creationSuffix}`);
  try {
    fs.makeDir(joinPath(temporary, chunksDir));
    const stats = writeContent(fs, temporary, source, range, options);
    if (stats.numSamples === 0) {
      fs.removeDir(temporary);
      return undefined;
    }
    const meta: BlockMeta = {
      ulid,
      minTime: range.mint,
      maxTime: range.maxt,
      stats,
      compaction: {
        level: options.level ?? 1,
        sources: options.sources ?? [ulid],
        deletable: false,
        parents: options.parents ?? [],
        failed: false,
        hints: options.hints ?? [],
      },
      version: 1,
    };
    createFile(fs, joinPath(temporary, tombstonesFile), encodeTombstones(new Tombstones()));
    createFile(fs, joinPath(temporary, metaFile), encodeMeta(meta));
    fs.syncDir(joinPath(temporary, chunksDir));
    fs.syncDir(temporary);
    fs.rename(temporary, joinPath(dir, ulid));
    fs.syncDir(dir);
    return meta;
  } catch (error) {
    removeQuietly(fs, temporary);
    throw error;
  }
}

/** The cause of the failure matters more than that its traces could not be removed: the next start does that. */
function removeQuietly(fs: Fs, dir: string): void {
  try {
    fs.removeDir(dir);
  } catch {}
}

/** Writes and syncs the chunk segments and the index. */
function writeContent(
  fs: Fs,
  dir: string,
  source: ChunkSource,
  range: BlockRange,
  options: WriteBlockOptions,
): BlockStats {
  const segments = new SegmentWriter(fs, joinPath(dir, chunksDir), options.segmentBytesMax);
  const index = new IndexWriter(fs, joinPath(dir, indexFile));
  try {
    const stats = writeSeries(source, range, segments, index, options);
    segments.finish();
    index.finish();
    return stats;
  } catch (error) {
    segments.abandon();
    index.abandon();
    throw error;
  }
}

function writeSeries(
  source: ChunkSource,
  range: BlockRange,
  segments: SegmentWriter,
  index: IndexWriter,
  options: WriteBlockOptions,
): BlockStats {
  const stats = { numSamples: 0, numFloatSamples: 0, numHistogramSamples: 0, numSeries: 0, numChunks: 0 };
  for (const series of source.series()) {
    const chunks = writeChunks(series, range, segments, stats, options);
    if (chunks.length === 0) continue;
    index.addSeries(series.labels, chunks);
    stats.numSeries++;
  }
  return { ...stats, numTombstones: 0 };
}

/** Returns mint, maxt, ref of each chunk that was written. */
function writeChunks(
  series: ChunkSeries,
  range: BlockRange,
  segments: SegmentWriter,
  stats: { numSamples: number; numFloatSamples: number; numHistogramSamples: number; numChunks: number },
  options: WriteBlockOptions,
): number[] {
  const written: number[] = [];
  for (const whole of series.chunks()) {
    const chunk = trimChunk(whole, range.mint, range.maxt - 1);
    if (chunk === undefined) continue;
    const { entry } = chunk;
    const ref = entry === undefined ? segments.write(chunk.encoding, chunk.bytes) : segments.copy(entry);
    written.push(chunk.mint, chunk.maxt, ref);
    const samples = chunkSamples(chunk.encoding, chunk.bytes);
    options.onChunk?.(chunk.bytes.length, samples, chunk.maxt - chunk.mint);
    stats.numChunks++;
    stats.numSamples += samples;
    if (isHistogramEncoding(chunk.encoding)) stats.numHistogramSamples += samples;
    else stats.numFloatSamples += samples;
  }
  return written;
}

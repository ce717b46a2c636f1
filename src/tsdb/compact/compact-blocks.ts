/**
 * Makes one block of several, or of one without what was deleted from it. The parents stay until the child is in place,
 * has been read through, and deleteObsoleteBlocks removes them; a crash at any time leaves either only the parents to be
 * seen, or only the child.
 */
import type { Logger } from "../../base/env.ts";
import { CorruptionError } from "../../base/errors.ts";
import { measuringFs } from "../../base/measuring-fs.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { type ChunkEncodings, plainEncodings } from "../../chunkenc/encode-samples.ts";
import { type Block, type BlockReaders, closeReaders } from "../block/block.ts";
import { type BlockMeta, encodeMeta, metaFile } from "../block/meta.ts";
import { mergedSource } from "./merge-blocks.ts";
import { type MergedMeta, mergedMeta } from "./merged-meta.ts";
import type { Cutoff } from "./retention-rules.ts";
import { type WriteBlockEnv, type WriteBlockOptions, writeBlock } from "./write-block.ts";

export interface CompactEnv extends WriteBlockEnv {
  readonly logger: Logger;
}

export interface CompactOptions extends Pick<WriteBlockOptions, "segmentBytesMax" | "onChunk"> {
  /** What is too old to be kept (retention-rules.ts). */
  readonly cutoff?: Cutoff;
  /** Of chunks that overlapped others and are encoded anew. Default: what Prometheus 3.5 can read. */
  readonly encodings?: ChunkEncodings;
}

/**
 * Compacts `blocks` of the data directory `dir`. Returns the child's meta; undefined where nothing was left, and the
 * blocks are marked to be deleted. Where a block turns out to be damaged all of them are marked as failed, as Prometheus
 * does, and are not tried again; a full disk leaves no mark.
 */
export function compactBlocks(
  env: CompactEnv,
  dir: string,
  blocks: readonly Block[],
  options: CompactOptions,
): BlockMeta | undefined {
  try {
    return write(env, dir, blocks, mergedMeta(blocks.map(({ meta }) => meta)), options);
  } catch (error) {
    if (error instanceof CorruptionError) mark(env, blocks, { failed: true });
    throw error;
  }
}

/**
 * Writes a block without what was deleted from it or is too old: the same level and sources. Undefined as for
 * {@link compactBlocks}.
 */
export function cleanBlock(
  env: CompactEnv,
  dir: string,
  block: Block,
  options: CompactOptions,
): BlockMeta | undefined {
  const { ulid, minTime, maxTime, compaction } = block.meta;
  const merged: MergedMeta = {
    range: { mint: minTime, maxt: maxTime },
    options: {
      level: compaction.level,
      sources: compaction.sources,
      parents: [{ ulid, minTime, maxTime }],
      hints: compaction.hints,
    },
  };
  return write(env, dir, [block], merged, options);
}

/** How many bytes less the block would have after {@link cleanBlock}; writes nothing. */
export function freedByCleaning(env: CompactEnv, dir: string, block: Block, options: CompactOptions): number {
  const measuring = measuringFs(env.fs);
  const meta = cleanBlock({ ...env, fs: measuring.fs }, dir, block, options);
  return meta === undefined ? block.sizeBytes : block.sizeBytes - measuring.writtenBytes;
}

function write(
  env: CompactEnv,
  dir: string,
  blocks: readonly Block[],
  merged: MergedMeta,
  options: CompactOptions,
): BlockMeta | undefined {
  const readers: BlockReaders[] = [];
  try {
    for (const block of blocks) readers.push(block.readThrough());
    const meta = writeBlock(
      env,
      dir,
      mergedSource(readers, options.encodings ?? plainEncodings, options.cutoff),
      merged.range,
      {
        ...options,
        ...merged.options,
      },
    );
    if (meta === undefined) mark(env, blocks, { deletable: true });
    return meta;
  } finally {
    for (const opened of readers) closeReaders(opened);
  }
}

/** What cannot be marked is looked at again in the next round. */
function mark(env: CompactEnv, blocks: readonly Block[], state: { failed?: true; deletable?: true }): void {
  for (const { dir, meta } of blocks) {
    const compaction = { ...meta.compaction, ...state };
    try {
      replaceFile(env.fs, dir, metaFile, encodeMeta({ ...meta, compaction }));
    } catch (error) {
      env.logger.warn("A block's meta.json could not be rewritten", { dir, err: (error as Error).message });
    }
  }
}

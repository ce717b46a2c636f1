/** Which blocks are old enough to go, and their removal. Only the owner of the data directory does this. */
import type { Logger } from "../../base/env.ts";
import type { Fs } from "../../base/fs.ts";
import type { Block } from "../block/block.ts";
import type { BlockSet } from "../block/block-set.ts";
import { deleteBlock } from "./delete-block.ts";

/** 15 days, as Prometheus. */
export const defaultRetentionMs = 15 * 24 * 3600 * 1000;

/**
 * The blocks that end at least `retentionMs` before the newest one ends: time is measured by the data, not by the
 * clock, and whole blocks go. 0 keeps everything.
 */
export function beyondRetention(blocks: readonly Block[], retentionMs: number): Block[] {
  if (retentionMs === 0) return [];
  const newest = Math.max(...blocks.map((block) => block.meta.maxTime));
  return blocks.filter((block) => newest - block.meta.maxTime >= retentionMs);
}

export interface RetentionEnv {
  readonly fs: Fs;
  readonly logger: Logger;
}

/**
 * Deletes the blocks that are beyond the retention or replaced by others, and reloads `set`; returns their names.
 * Other threads must be told to reload theirs; their running queries go on over the open files. A block that cannot be
 * deleted does not keep the others; in the end the first such error is thrown.
 */
export function deleteObsoleteBlocks(
  env: RetentionEnv,
  dir: string,
  set: BlockSet,
  retentionMs: number,
): string[] {
  const expired = beyondRetention(set.blocks, retentionMs).map((block) => block.name);
  const reasons = new Map([
    ...expired.map((name) => [name, "beyond the retention time"] as const),
    ...set.obsolete.map((name) => [name, "replaced by a compacted block"] as const),
  ]);
  const errors: unknown[] = [];
  for (const [name, reason] of reasons) {
    env.logger.info("Block deletion started", { block: name, reason });
    try {
      deleteBlock(env.fs, dir, name);
      env.logger.info("Block deletion completed", { block: name });
    } catch (error) {
      errors.push(error);
    }
  }
  if (reasons.size > 0) set.reload();
  if (errors.length > 0) throw errors[0];
  return [...reasons.keys()];
}

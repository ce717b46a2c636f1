/** Which blocks have to go, and their removal. Only the owner of the data directory does this. */
import type { Logger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { writeNote } from "../../base/quarantine-note.ts";
import { setAside } from "../../base/set-aside.ts";
import type { Block } from "../block/block.ts";
import type { BlockSet } from "../block/block-set.ts";
import { verifyBlock } from "../block/verify.ts";
import { deleteBlock } from "./delete-block.ts";

/** 15 days, as Prometheus. */
export const defaultRetentionMs = 15 * 24 * 3600 * 1000;

export interface RetentionLimits {
  /** 0: blocks are kept whatever their age. */
  readonly timeMs: number;
  /** Of blocks, WAL and chunk files of the head together; 0: no limit. */
  readonly sizeBytes: number;
  /** What is not in blocks: it counts, but only blocks go. */
  readonly headBytes: number;
}

/**
 * The blocks that end at least `timeMs` before the newest one ends: time is measured by the data, not by the clock, and
 * whole blocks go.
 */
export function beyondTime(blocks: readonly Block[], timeMs: number): Block[] {
  if (timeMs === 0) return [];
  const newest = Math.max(...blocks.map((block) => block.meta.maxTime));
  return blocks.filter((block) => newest - block.meta.maxTime >= timeMs);
}

/** The blocks that do not fit any more when they are counted from the newest on. */
export function beyondSize(
  blocks: readonly Block[],
  { sizeBytes, headBytes }: Pick<RetentionLimits, "sizeBytes" | "headBytes">,
): Block[] {
  if (sizeBytes === 0) return [];
  const newestFirst = [...blocks].sort((a, b) => b.meta.maxTime - a.meta.maxTime);
  let total = headBytes;
  const first = newestFirst.findIndex((block) => (total += block.sizeBytes) > sizeBytes);
  return first < 0 ? [] : newestFirst.slice(first);
}

export interface RetentionEnv {
  readonly fs: Fs;
  readonly logger: Logger;
}

export interface Deletions {
  /** Names of all blocks that were deleted. */
  readonly names: readonly string[];
  /** How many of them went for their age, and for the room they took. */
  readonly expired: number;
  readonly outsized: number;
}

/**
 * Deletes the blocks that are beyond the retention or replaced by others, and reloads `set`. Nothing is deleted on the
 * word of a block that cannot be read through: that one goes to `quarantineDir`, and what it claimed to replace stays.
 *
 * Other threads must be told to reload theirs; their running queries go on over the open files. A block that cannot be
 * deleted does not keep the others; in the end the first such error is thrown.
 */
export function deleteObsoleteBlocks(
  env: RetentionEnv,
  dir: string,
  set: BlockSet,
  limits: RetentionLimits,
  quarantineDir: string,
): Deletions {
  setUnsoundAside(env, dir, set, quarantineDir);
  const names = (blocks: readonly Block[]) => blocks.map((block) => block.name);
  const expired = names(beyondTime(set.blocks, limits.timeMs));
  const outsized = names(beyondSize(set.blocks, limits)).filter((name) => !expired.includes(name));
  const reasons = new Map([
    ...expired.map((name) => [name, "beyond the retention time"] as const),
    ...outsized.map((name) => [name, "beyond the retention size"] as const),
    ...[...set.obsolete.keys()].map((name) => [name, "replaced by a compacted block, or empty"] as const),
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
  return { names: [...reasons.keys()], expired: expired.length, outsized: outsized.length };
}

/** Reads through the blocks in whose place others are to be deleted. */
function setUnsoundAside(env: RetentionEnv, dir: string, set: BlockSet, quarantineDir: string): void {
  const children = new Set([...set.obsolete.values()].filter((child) => child !== undefined));
  let unsound = 0;
  for (const child of children) {
    try {
      verifyBlock(child);
    } catch (error) {
      unsound++;
      const { message } = error as Error;
      const from = joinPath(dir, child.name);
      const { to } = setAside(env.fs, from, quarantineDir, child.name, message);
      writeNote(env.fs, to, { kind: "block", from, problems: [message], lost: [], replacedBy: "" });
      env.fs.syncDir(dir);
      env.logger.error(
        "A compacted block cannot be read; it was set aside, and the blocks it was made of are used again",
        { block: child.name, to, err: message },
      );
    }
  }
  if (unsound > 0) set.reload();
}

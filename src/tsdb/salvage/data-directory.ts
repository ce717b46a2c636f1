/**
 * All of a data directory, offline: what is damaged in its blocks, head chunk files, write-ahead log and checkpoint, and
 * its repair. The caller holds the directory's lock.
 */
import type { Codecs } from "../../base/codec.ts";
import { type Clock, type Random, silentLogger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import type { Loss } from "../../base/quarantine-note.ts";
import { isUlid } from "../block/ulid.ts";
import { checkHeadChunkFile, scanHeadChunks } from "../chunks/head-chunk-scan.ts";
import { headChunkPath, listHeadChunkFiles } from "../chunks/head-chunks.ts";
import { lastCheckpoint } from "../wal/checkpoint-dir.ts";
import { forEachRecord, repairSegment } from "../wal/repair.ts";
import { listSegments, type Segment } from "../wal/segment.ts";
import { inspectBlock, isDamage } from "./inspect-block.ts";
import { repairBlock } from "./repair-block.ts";

export interface SalvageEnv {
  readonly fs: Fs;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
  readonly codecs: Codecs;
}

/** One damaged thing. */
export interface Finding {
  readonly path: string;
  readonly problems: readonly string[];
  readonly lost: readonly Loss[];
  /** What a repair does. */
  readonly plan: string;
  /** Where the original is; undefined where nothing was repaired. */
  readonly quarantined?: string;
  readonly replacedBy?: string;
}

/** Called before each thing that is looked at, `number` of `total`. */
export type OnProgress = (path: string, number: number, total: number) => void;

const quarantineDir = "quarantine";
const headChunksDir = "chunks_head";
const walDir = "wal";

/** Changes nothing. */
export function findDamage(env: SalvageEnv, dir: string, onProgress: OnProgress): Finding[] {
  return forEachPart(env, dir, onProgress, {
    block: (name) => findInBlock(env.fs, joinPath(dir, name)),
    headChunks: (path, segment) => findInHeadChunks(env.fs, path, segment),
    segment: (segment) => findInSegment(env, segment),
  });
}

/** Repairs all that is damaged. */
export function repairDamage(env: SalvageEnv, dir: string, onProgress: OnProgress): Finding[] {
  const quarantine = joinPath(dir, quarantineDir);
  const quietly = { ...env, logger: silentLogger };
  return forEachPart(env, dir, onProgress, {
    block(name) {
      const found = findInBlock(env.fs, joinPath(dir, name));
      const repair = found && repairBlock(quietly, dir, name, quarantine);
      return found && repair && { ...found, quarantined: repair.quarantined, replacedBy: repair.replacedBy };
    },
    headChunks(path, segment) {
      const found = findInHeadChunks(env.fs, path, segment);
      if (found === undefined) return undefined;
      const { setAside } = scanHeadChunks(quietly, joinPath(dir, headChunksDir), quarantine, () => "");
      return { ...found, quarantined: setAside.map(({ to }) => to).join(", ") };
    },
    segment(segment) {
      const found = findInSegment(env, segment);
      const damage = found && forEachRecord(env, segment, () => {});
      return found && damage && { ...found, quarantined: repairSegment(env, damage, quarantine).to };
    },
  });
}

interface Parts {
  block(name: string): Finding | undefined;
  headChunks(path: string, segment: number): Finding | undefined;
  segment(segment: Segment): Finding | undefined;
}

function forEachPart({ fs }: SalvageEnv, dir: string, onProgress: OnProgress, parts: Parts): Finding[] {
  const looks: { path: string; look: () => Finding | undefined }[] = [];
  for (const name of fs.list(dir).filter(isUlid)) {
    looks.push({ path: joinPath(dir, name), look: () => parts.block(name) });
  }
  const headChunks = joinPath(dir, headChunksDir);
  for (const segment of fs.stat(headChunks) === undefined ? [] : listHeadChunkFiles(fs, headChunks)) {
    const path = headChunkPath(headChunks, segment);
    looks.push({
      path,
      look: () => (fs.stat(path) === undefined ? undefined : parts.headChunks(path, segment)),
    });
  }
  for (const segment of walSegments(fs, joinPath(dir, walDir))) {
    looks.push({ path: segment.path, look: () => parts.segment(segment) });
  }
  const found: Finding[] = [];
  for (const [i, { path, look }] of looks.entries()) {
    onProgress(path, i + 1, looks.length);
    const one = look();
    if (one !== undefined) found.push(one);
  }
  return found;
}

/** Of the last checkpoint, then those after it. */
function walSegments(fs: Fs, wal: string): Segment[] {
  if (fs.stat(wal) === undefined) return [];
  const checkpoint = lastCheckpoint(fs, wal);
  const own = listSegments(fs, wal).filter(({ index }) => index > (checkpoint?.index ?? -1));
  return checkpoint === undefined ? own : [...listSegments(fs, checkpoint.path), ...own];
}

function findInBlock(fs: Fs, path: string): Finding | undefined {
  try {
    const { problems, lost, onlyMeta } = inspectBlock(fs, path);
    if (problems.length === 0) return undefined;
    const plan = onlyMeta
      ? "write meta.json anew by what the index says, keep the old one in quarantine"
      : "write the block anew with all that is sound, move the damaged one to quarantine";
    return { path, problems, lost, plan };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const lost = [{ series: "", mint: -Infinity, maxt: Infinity, what: "all of the block" }];
    const plan = "move the block to quarantine: nothing of it can be saved";
    return { path, problems: [(error as Error).message], lost, plan };
  }
}

function findInHeadChunks(fs: Fs, path: string, segment: number): Finding | undefined {
  const error = checkHeadChunkFile(fs, path, segment);
  return (
    error && {
      path,
      problems: [error.message],
      lost: [],
      plan: "cut the file there and move later ones to quarantine: the write-ahead log has what they held",
    }
  );
}

function findInSegment(env: SalvageEnv, segment: Segment): Finding | undefined {
  const damage = forEachRecord(env, segment, () => {});
  if (damage === undefined) return undefined;
  const count = damage.errors.length;
  return {
    path: segment.path,
    problems: damage.errors.map(({ message }) => message),
    lost: [{ series: "", mint: -Infinity, maxt: Infinity, what: `the records at ${count} places` }],
    plan: "take the damaged records out, keep the original in quarantine",
  };
}

/**
 * All of a data directory, offline: what is damaged in its blocks, head chunk files, write-ahead log and checkpoint, and
 * its repair. The caller holds the directory's lock.
 */
import type { Codecs } from "../../base/codec.ts";
import { type Clock, type Random, silentLogger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import type { Loss } from "../../base/quarantine-note.ts";
import { endOfBlocks } from "../block/end-of-blocks.ts";
import { isUlid } from "../block/ulid.ts";
import { checkHeadChunkFile, scanHeadChunks } from "../chunks/head-chunk-scan.ts";
import { headChunkPath, listHeadChunkFiles } from "../chunks/head-chunks.ts";
import { lastCheckpoint } from "../wal/checkpoint-dir.ts";
import { findLosses, type LogParts } from "../wal/losses.ts";
import { forEachRecord, repairSegment, type SegmentDamage } from "../wal/repair.ts";
import { isWbl } from "../wal/repair-log.ts";
import { listSegments } from "../wal/segment.ts";
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
const wblDir = "wbl";

/** Changes nothing. */
export function findDamage(env: SalvageEnv, dir: string, onProgress: OnProgress): Finding[] {
  return forEachPart(env, dir, onProgress, {
    block: (name) => findInBlock(env.fs, joinPath(dir, name)),
    headChunks: (path, segment) => findInHeadChunks(env.fs, path, segment),
    log: (damaged, parts) => findInLog(env, damaged, parts),
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
    log: (damages, parts) =>
      findInLog(env, damages, parts).map((found, i) => ({
        ...found,
        quarantined: repairSegment(env, damages[i], found.lost, quarantine).to,
      })),
  });
}

interface Parts {
  block(name: string): Finding | undefined;
  headChunks(path: string, segment: number): Finding | undefined;
  /** All damaged segments of one log; as many findings. */
  log(damages: readonly SegmentDamage[], parts: LogParts): Finding[];
}

/** Something to look at. */
interface Look {
  readonly path: string;
  readonly look: () => readonly Finding[];
}

function forEachPart(env: SalvageEnv, dir: string, onProgress: OnProgress, parts: Parts): Finding[] {
  const { fs } = env;
  const looks: Look[] = [];
  for (const name of fs.list(dir).filter(isUlid)) {
    looks.push({ path: joinPath(dir, name), look: () => listOf(parts.block(name)) });
  }
  const headChunks = joinPath(dir, headChunksDir);
  for (const segment of fs.stat(headChunks) === undefined ? [] : listHeadChunkFiles(fs, headChunks)) {
    const path = headChunkPath(headChunks, segment);
    const look = () => (fs.stat(path) === undefined ? [] : listOf(parts.headChunks(path, segment)));
    looks.push({ path, look });
  }
  looks.push(...looksAtLog(env, dir, walDir, parts), ...looksAtLog(env, dir, wblDir, parts));
  const found: Finding[] = [];
  for (const [i, { path, look }] of looks.entries()) {
    onProgress(path, i + 1, looks.length);
    found.push(...look());
  }
  return found;
}

function listOf(finding: Finding | undefined): Finding[] {
  return finding === undefined ? [] : [finding];
}

/** One for each segment, of the last checkpoint, then of those after it; the last one judges all that was found. */
function looksAtLog(env: SalvageEnv, dir: string, name: string, parts: Parts): Look[] {
  const { fs } = env;
  const path = joinPath(dir, name);
  if (fs.stat(path) === undefined) return [];
  const last = lastCheckpoint(fs, path);
  const checkpoint = last === undefined ? [] : listSegments(fs, last.path);
  const segments = listSegments(fs, path).filter(({ index }) => index > (last?.index ?? -1));
  const all = [...checkpoint, ...segments];
  const damages: SegmentDamage[] = [];
  return all.map((segment, i) => ({
    path: segment.path,
    look() {
      const damage = forEachRecord(env, segment, () => {});
      if (damage !== undefined) damages.push(damage);
      if (i + 1 < all.length || damages.length === 0) return [];
      const late = isWbl(path);
      const neededFrom = late ? Number.NEGATIVE_INFINITY : endOfBlocks(fs, dir);
      return parts.log(damages, { checkpoint, segments, neededFrom, late });
    },
  }));
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

function findInLog(env: SalvageEnv, damages: readonly SegmentDamage[], parts: LogParts): Finding[] {
  const { ofDamages } = findLosses(env, parts, damages, []);
  return damages.map(({ segment, places }, i) => ({
    path: segment.path,
    problems: places.map(({ error }) => error.message),
    lost: ofDamages[i],
    plan: "take the damaged records out, keep the original in quarantine",
  }));
}

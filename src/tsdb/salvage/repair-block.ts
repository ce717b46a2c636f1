/**
 * Replaces a damaged block by one with everything in it that is sound; the damaged one goes to the quarantine, with a note
 * of what was wrong and what is missing. Nothing is deleted.
 *
 * Write the new block (which names the damaged one as its parent, so that it is seen instead of it) → rename the damaged
 * one into the quarantine → sync → write the note. A crash in between leaves either the damaged block, or both, of which
 * queries see the new one and the next repair moves the other.
 */
import type { Clock, Logger, Random } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import { type Loss, noteSuffix, writeNote } from "../../base/quarantine-note.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { copyAside, freePath, setAside } from "../../base/set-aside.ts";
import { indexFile } from "../block/block.ts";
import { type BlockMeta, encodeMeta, metaFile } from "../block/meta.ts";
import { writeBlock } from "../compact/write-block.ts";
import { IndexReader } from "../index/reader.ts";
import { writeTombstones } from "../tombstones/file.ts";
import { Tombstones } from "../tombstones/tombstones.ts";
import {
  type BlockInspection,
  inspectBlock,
  isDamage,
  type KnownTimes,
  salvageSource,
} from "./inspect-block.ts";

export interface RepairEnv {
  readonly fs: Fs;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
  readonly logger: Logger;
}

export interface BlockRepair {
  readonly block: string;
  readonly problems: readonly string[];
  readonly lost: readonly Loss[];
  /** The block that queries see from now on; undefined where nothing could be saved. */
  readonly replacedBy: string | undefined;
  readonly quarantined: string;
}

const indexCacheBytes = 8 * 1024 * 1024;

/** Repairs the block `name` of the data directory `dir`; undefined where nothing is wrong with it. */
export function repairBlock(
  env: RepairEnv,
  dir: string,
  name: string,
  quarantineDir: string,
  known?: KnownTimes,
): BlockRepair | undefined {
  const path = joinPath(dir, name);
  let found: BlockInspection;
  try {
    found = inspectBlock(env.fs, path, known);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const all = { series: "", mint: -Infinity, maxt: Infinity, what: "all of the block" };
    return report(
      env,
      quarantine(env, dir, name, quarantineDir, [(error as Error).message], [all], undefined),
    );
  }
  if (found.problems.length === 0) return undefined;
  if (found.onlyMeta) return report(env, rewriteMeta(env, path, found, quarantineDir));
  const written = rewrite(env, dir, path, found);
  return report(env, quarantine(env, dir, name, quarantineDir, found.problems, found.lost, written?.ulid));
}

function rewriteMeta(
  env: RepairEnv,
  path: string,
  found: BlockInspection,
  quarantineDir: string,
): BlockRepair {
  const { fs } = env;
  const { problems } = found;
  const from = joinPath(path, metaFile);
  const quarantined =
    fs.stat(from) === undefined
      ? freePath(fs, quarantineDir, `${found.name}-${metaFile}`)
      : copyAside(fs, from, 0, quarantineDir, `${found.name}-${metaFile}`, problems[0]).to;
  writeNote(fs, quarantined, { kind: "block", from, problems, lost: [], replacedBy: found.name });
  fs.syncDir(quarantineDir);
  replaceFile(fs, path, metaFile, encodeMeta({ ...found.meta, ulid: found.name }));
  return { block: found.name, problems, lost: [], replacedBy: found.name, quarantined };
}

/** Undefined where not one chunk is sound. */
function rewrite(env: RepairEnv, dir: string, path: string, found: BlockInspection): BlockMeta | undefined {
  const { meta, name } = found;
  const { minTime, maxTime, compaction } = meta;
  const source = salvageSource(env.fs, path, found);
  try {
    const written = writeBlock(
      env,
      dir,
      source,
      { mint: minTime, maxt: maxTime },
      {
        level: compaction.level,
        sources: compaction.sources,
        parents: [{ ulid: name, minTime, maxTime }],
        hints: compaction.hints,
      },
    );
    if (written !== undefined && found.tombstones.total > 0) {
      carryTombstones(env.fs, joinPath(dir, written.ulid), written, found);
    }
    return written;
  } finally {
    source.close();
  }
}

/** The new block's series have other refs. */
function carryTombstones(
  fs: Fs,
  path: string,
  meta: BlockMeta,
  { series, tombstones }: BlockInspection,
): void {
  const byLabels = new Map<string, number>();
  for (const { ref, labels } of series)
    if (tombstones.get(ref).length > 0) byLabels.set(labels.toString(), ref);
  const carried = new Tombstones();
  const file = new PageCache(indexCacheBytes).open(fs, joinPath(path, indexFile));
  const index = IndexReader.open(file);
  try {
    for (const ref of index.postings("", "")) {
      const labels = index.series(ref, -Infinity, Infinity)?.labels.toString() ?? "";
      const old = byLabels.get(labels);
      if (old === undefined) continue;
      for (const interval of tombstones.get(old)) carried.add(ref, interval);
    }
  } finally {
    index.close();
  }
  writeTombstones(fs, path, carried);
  const stats = { ...meta.stats, numTombstones: carried.total };
  replaceFile(fs, path, metaFile, encodeMeta({ ...meta, stats }));
}

function quarantine(
  env: RepairEnv,
  dir: string,
  name: string,
  quarantineDir: string,
  problems: readonly string[],
  lost: readonly Loss[],
  replacedBy: string | undefined,
): BlockRepair {
  const { fs } = env;
  const from = joinPath(dir, name);
  const { to } = setAside(fs, from, quarantineDir, name, problems[0]);
  fs.syncDir(dir);
  writeNote(fs, to, { kind: "block", from, problems, lost, replacedBy: replacedBy ?? "" });
  fs.syncDir(quarantineDir);
  return { block: name, problems, lost, replacedBy, quarantined: to };
}

function report({ logger }: RepairEnv, repair: BlockRepair): BlockRepair {
  const { block, problems, lost, replacedBy, quarantined } = repair;
  logger.error(
    replacedBy === undefined
      ? "A block is so damaged that nothing of it could be saved; it was set aside, its samples are missing from answers"
      : "A damaged block was repaired: what is sound in it is served on, the original was set aside",
    {
      block,
      replacedBy: replacedBy ?? "",
      lost: lost.length,
      problem: problems[0],
      problems: problems.length,
      original: quarantined,
      note: `${quarantined}${noteSuffix}`,
    },
  );
  return repair;
}

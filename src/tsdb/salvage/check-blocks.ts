/**
 * What a start does about damaged blocks, before anything reads them: one that cannot be opened, or whose meta.json does
 * not agree with its index, or whose deletions cannot be read, is repaired. A block that passed is remembered by the checksum of its meta.json
 * (`block_checks.json`), which has none of its own, so that the next start only compares that. What is damaged deeper
 * inside shows by its own checksums when it is read; `thorough` reads everything through at once.
 */
import { decodeUtf8, encodeUtf8 } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { Block, closeReaders } from "../block/block.ts";
import { decodeMeta, metaFile } from "../block/meta.ts";
import { isUlid } from "../block/ulid.ts";
import { requireTombstones } from "../tombstones/file.ts";
import { isDamage } from "./inspect-block.ts";
import { type BlockRepair, type RepairEnv, repairBlock } from "./repair-block.ts";

export const blockChecksFile = "block_checks.json";
const cacheBytes = 8 * 1024 * 1024;

export interface CheckBlocksOptions {
  /** Read everything through, whatever is remembered. */
  readonly thorough: boolean;
  /** Called before each block that is looked at. */
  readonly onBlock?: (name: string, number: number, count: number) => void;
}

/** Looks at all blocks of the data directory `dir`, which the caller owns; returns what was repaired. */
export function checkBlocks(
  env: RepairEnv,
  dir: string,
  quarantineDir: string,
  options: CheckBlocksOptions = { thorough: false },
): BlockRepair[] {
  const { fs, logger } = env;
  const names = fs.list(dir).filter((name) => isUlid(name) && fs.stat(joinPath(dir, name))?.isDirectory);
  const remembered = readChecks(fs, dir);
  const checks = new Map<string, BlockCheck>();
  const repairs: BlockRepair[] = [];
  for (const [i, name] of names.entries()) {
    options.onBlock?.(name, i + 1, names.length);
    try {
      const known = remembered.get(name);
      const isFine =
        !options.thorough && (isUnchanged(fs, dir, name, known) || agrees(fs, joinPath(dir, name), known));
      const repair = isFine ? undefined : repairBlock(env, dir, name, quarantineDir, known);
      if (repair !== undefined) repairs.push(repair);
      const now = repair === undefined ? name : repair.replacedBy;
      if (now !== undefined) checks.set(now, checkOf(fs, dir, now));
    } catch (error) {
      // A full or failing disk: queries leave the block out and say so; the next start tries again.
      logger.error("A block could not be checked or repaired; it is left as it is", {
        block: name,
        err: (error as Error).message,
      });
    }
  }
  remember(env, dir, remembered, checks);
  return repairs;
}

/** Whether a block opens, and its meta.json agrees with its index. */
function agrees(fs: Fs, dir: string, known: BlockCheck | undefined): boolean {
  const cache = new PageCache(cacheBytes);
  try {
    const block = Block.open({ fs, cache }, dir);
    const readers = block.readThrough();
    try {
      const { meta, name } = block;
      requireTombstones(fs, dir, meta.stats.numTombstones);
      const all = readers.index.postings("", "");
      if (known !== undefined && (known.minTime !== meta.minTime || known.maxTime !== meta.maxTime))
        return false;
      if (meta.ulid !== name || meta.stats.numSeries !== all.length) return false;
      let first = Number.POSITIVE_INFINITY;
      let last = Number.NEGATIVE_INFINITY;
      for (const ref of all) {
        const chunks = readers.index.series(ref, -Infinity, Infinity)?.chunks;
        if (chunks === undefined) return false;
        first = Math.min(first, chunks[0]);
        last = Math.max(last, chunks[chunks.length - 2]);
      }
      return meta.minTime <= first && last < meta.maxTime;
    } finally {
      closeReaders(readers);
    }
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

/** The times never change, the rest of meta.json may: when samples are deleted, or a compaction failed. */
interface BlockCheck {
  /** CRC-32C of meta.json. */
  readonly crc: number;
  readonly minTime: number;
  readonly maxTime: number;
}

function checkOf(fs: Fs, dir: string, name: string): BlockCheck {
  const path = joinPath(dir, name, metaFile);
  const bytes = fs.readFile(path);
  const { minTime, maxTime } = decodeMeta(bytes, path);
  return { crc: crc32c(bytes), minTime, maxTime };
}

/** Its meta.json is as it was, and the files are there. */
function isUnchanged(fs: Fs, dir: string, name: string, known: BlockCheck | undefined): boolean {
  const path = joinPath(dir, name, metaFile);
  if (known === undefined || fs.stat(path) === undefined || crc32c(fs.readFile(path)) !== known.crc)
    return false;
  try {
    const { meta } = Block.open({ fs, cache: new PageCache(1) }, joinPath(dir, name));
    requireTombstones(fs, joinPath(dir, name), meta.stats.numTombstones);
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

/** By block; empty where there is no such file or it is damaged: then all blocks are looked at. */
function readChecks(fs: Fs, dir: string): ReadonlyMap<string, BlockCheck> {
  try {
    const { checks, crc } = JSON.parse(decodeUtf8(fs.readFile(joinPath(dir, blockChecksFile))));
    if (crc32c(encodeUtf8(JSON.stringify(checks))) !== crc) return new Map();
    return new Map(Object.entries(checks as Record<string, BlockCheck>));
  } catch {
    return new Map();
  }
}

function remember(
  { fs, logger }: RepairEnv,
  dir: string,
  before: ReadonlyMap<string, BlockCheck>,
  now: ReadonlyMap<string, BlockCheck>,
): void {
  if (before.size === now.size && [...now].every(([name, { crc }]) => before.get(name)?.crc === crc)) return;
  const checks = Object.fromEntries(now);
  const crc = crc32c(encodeUtf8(JSON.stringify(checks)));
  try {
    replaceFile(fs, dir, blockChecksFile, encodeUtf8(JSON.stringify({ checks, crc })));
  } catch (error) {
    logger.warn(
      "What was found out about the blocks could not be written down; the next start checks them again",
      {
        err: (error as Error).message,
      },
    );
  }
}

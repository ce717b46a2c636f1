/**
 * Repairs all that a replay or a check found wrong with a log: damaged segments are made whole, and each has a note of
 * what is missing since. A segment that is missing has a note alone.
 */
import type { Logger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { type Loss, noteSuffix, writeNote } from "../../base/quarantine-note.ts";
import type { SetAside } from "../../base/set-aside.ts";
import { findLosses, type LogLosses, type LogParts, type SegmentGap } from "./losses.ts";
import { type RepairEnv, repairSegment, type SegmentDamage } from "./repair.ts";
import type { Segment } from "./segment.ts";

export interface LogRepair {
  readonly setAside: readonly SetAside[];
  /** Those that had no note yet. */
  readonly gaps: readonly SegmentGap[];
}

/** Whether the log in `dir` is that of out-of-order samples. */
export function isWbl(dir: string): boolean {
  return dir.endsWith("/wbl");
}

/** Segments that are missing before others; with `expected` also before the first one. Somebody removed them. */
export function findGaps(expected: number | undefined, segments: readonly Segment[]): SegmentGap[] {
  const gaps: SegmentGap[] = [];
  for (const { index } of segments) {
    if (expected !== undefined && index > expected) gaps.push({ from: expected, to: index - 1 });
    expected = index + 1;
  }
  return gaps;
}

/** What is found is said in the log. `dir` is that of the log. */
export function repairLog(
  env: RepairEnv & { readonly logger: Logger },
  dir: string,
  quarantineDir: string,
  parts: LogParts,
  damages: readonly SegmentDamage[],
  allGaps: readonly SegmentGap[],
): LogRepair {
  const { fs, logger } = env;
  // It is found at each start until a checkpoint covers it.
  const gaps = allGaps.filter(
    (gap) => fs.stat(`${gapPath(dir, quarantineDir, gap)}${noteSuffix}`) === undefined,
  );
  if (damages.length + gaps.length === 0) return { setAside: [], gaps };
  const losses = lossesOf(env, parts, damages, gaps);
  for (const [i, gap] of gaps.entries()) noteGap(fs, dir, quarantineDir, gap, losses.ofGaps[i]);
  for (const { from, to } of gaps) {
    logger.warn("Write-ahead log segments are missing; going on with those that are there", {
      dir,
      missingFrom: from,
      missingTo: to,
    });
  }
  const setAside = damages.map((damage, i) => {
    const one = repairSegment(env, damage, losses.ofDamages[i], quarantineDir);
    logger.warn("Damaged write-ahead log: its damaged records were taken out, all others are used", {
      file: one.from,
      places: damage.places.length,
      original: one.to,
      reason: one.reason,
    });
    return one;
  });
  return { setAside, gaps };
}

/** A log that cannot be read once more is repaired all the same: then anything may be missing. */
function lossesOf(
  env: RepairEnv & { readonly logger: Logger },
  parts: LogParts,
  damages: readonly SegmentDamage[],
  gaps: readonly SegmentGap[],
): LogLosses {
  try {
    return findLosses(env, parts, damages, gaps);
  } catch (error) {
    env.logger.warn("What damage took from the write-ahead log could not be found out", {
      reason: (error as Error).message,
    });
    const anything: Loss[] = [{ series: "", mint: -Infinity, maxt: Infinity, what: "records" }];
    return { ofDamages: damages.map(() => anything), ofGaps: gaps.map(() => anything) };
  }
}

/** The name stands for what is not there. */
function gapPath(dir: string, quarantineDir: string, { from, to }: SegmentGap): string {
  const number = (index: number) => String(index).padStart(8, "0");
  const log = dir.slice(dir.lastIndexOf("/") + 1);
  return joinPath(quarantineDir, `${log}-${number(from)}-to-${number(to)}-missing`);
}

function noteGap(fs: Fs, dir: string, quarantineDir: string, gap: SegmentGap, lost: readonly Loss[]): void {
  const { from, to } = gap;
  const problem = `${dir}: segments ${from} to ${to} are missing`;
  fs.makeDir(quarantineDir);
  writeNote(fs, gapPath(dir, quarantineDir, gap), {
    kind: isWbl(dir) ? "wbl" : "wal",
    from: dir,
    problems: [problem],
    lost,
    replacedBy: "",
  });
}

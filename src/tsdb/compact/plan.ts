/**
 * Which blocks are to be made into one next, as Prometheus's leveled compactor chooses them:
 *
 * 1. blocks whose times overlap;
 * 2. several blocks within one aligned range of the next level, when the range is full or over (the newest block is
 *    left alone: it gives users time to add older data without overlaps);
 * 3. a block by itself, to be rid of what was deleted from it: one that is big and of which deletions touch more than
 *    5 % of the series, or one from which everything seems to be deleted.
 *
 * Blocks with only some series of the head (hint "from-stale-series" or "from-selected-series") are compacted among
 * themselves only, or a start would take them for what the WAL holds no more.
 */
import type { BlockMeta } from "../block/meta.ts";

/** The lengths of blocks, each `factor` times the one before. */
const rangeFactor = 3;
const rangesMax = 10;
const tombstoneShareMax = 0.05;

export const hints = {
  outOfOrder: "from-out-of-order",
  staleSeries: "from-stale-series",
  selectedSeries: "from-selected-series",
} as const;

/**
 * Leaves blocks of out-of-order samples alone that end after all others: merged with one of those they would seem to be
 * all that there is up to their end, and the next start would not take from the WAL what the head still has of that time.
 */
export function withoutEarlyLate<T extends { readonly meta: BlockMeta }>(blocks: readonly T[]): T[] {
  const isLate = ({ meta }: T) => meta.compaction.hints.includes(hints.outOfOrder);
  const end = blocks
    .filter((block) => !isLate(block))
    .reduce((max, { meta }) => Math.max(max, meta.maxTime), Number.NEGATIVE_INFINITY);
  return blocks.filter((block) => !isLate(block) || block.meta.maxTime <= end);
}

/** The lengths that blocks grow to, ascending: `minMs` and what fits below `maxMs`; at least one. */
export function blockRanges(minMs: number, maxMs: number): number[] {
  const ranges: number[] = [];
  for (let range = minMs; ranges.length < rangesMax; range *= rangeFactor) ranges.push(range);
  const within = ranges.filter((range) => range <= maxMs);
  return within.length > 0 ? within : [minMs];
}

/**
 * The next compactions, each the blocks of one by minTime: disjoint ranges of time, which may run at once. The first is
 * what Prometheus would do next. Empty where there is nothing to do.
 */
export function planCompactions<T extends { readonly meta: BlockMeta }>(
  blocks: readonly T[],
  ranges: readonly number[],
): readonly (readonly T[])[] {
  const hinted = (hint: string) => (block: T) => block.meta.compaction.hints.includes(hint);
  const stale = blocks.filter(hinted(hints.staleSeries));
  const selected = blocks.filter((block) => !stale.includes(block) && hinted(hints.selectedSeries)(block));
  const whole = blocks.filter((block) => !stale.includes(block) && !selected.includes(block));
  const regular = withoutEarlyLate(whole);
  const early = whole.filter((block) => !regular.includes(block));
  for (const alike of [regular, early, stale, selected]) {
    const plan = planAlike(alike, ranges);
    if (plan.length > 0) return plan;
  }
  return [];
}

function planAlike<T extends { readonly meta: BlockMeta }>(
  blocks: readonly T[],
  ranges: readonly number[],
): readonly (readonly T[])[] {
  const sorted = [...blocks].sort((a, b) => a.meta.minTime - b.meta.minTime);
  const overlapping = firstOverlap(sorted);
  if (overlapping.length > 0) return [overlapping];
  const older = sorted.slice(0, -1);
  const level = nextLevel(older, ranges);
  if (level.length > 0) return level;
  const cleaned = withDeletions(older, ranges);
  return cleaned === undefined ? [] : [[cleaned]];
}

/** The first run of blocks each of which begins before all those before it have ended. */
function firstOverlap<T extends { readonly meta: BlockMeta }>(sorted: readonly T[]): readonly T[] {
  const run: T[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const [i, block] of sorted.entries()) {
    const { minTime, maxTime } = block.meta;
    if (i > 0 && minTime < end) {
      if (run.length === 0) run.push(sorted[i - 1]);
      run.push(block);
    } else if (run.length > 0) break;
    end = Math.max(end, maxTime);
  }
  return run;
}

/** All groups of the lowest level that has any. */
function nextLevel<T extends { readonly meta: BlockMeta }>(
  blocks: readonly T[],
  ranges: readonly number[],
): readonly (readonly T[])[] {
  if (blocks.length === 0) return [];
  const newestBegin = blocks[blocks.length - 1].meta.minTime;
  for (const range of ranges.slice(1)) {
    const ready = byAlignedRange(blocks, range).filter((group) => {
      if (group.length < 2 || group.some(({ meta }) => meta.compaction.failed)) return false;
      const begin = group[0].meta.minTime;
      const end = group[group.length - 1].meta.maxTime;
      return end - begin === range || end <= newestBegin;
    });
    if (ready.length > 0) return ready;
  }
  return [];
}

/** The blocks by the aligned range that they lie in; those that reach over the end of theirs are left out. */
function byAlignedRange<T extends { readonly meta: BlockMeta }>(blocks: readonly T[], range: number): T[][] {
  const groups: T[][] = [];
  let groupBegin = Number.NaN;
  for (const block of blocks) {
    const { minTime, maxTime } = block.meta;
    const begin = Math.floor(minTime / range) * range;
    // A group goes on as long as blocks end within its range, wherever they begin.
    if (groups.length > 0 && maxTime <= groupBegin + range && begin === groupBegin) {
      groups[groups.length - 1].push(block);
      continue;
    }
    if (maxTime > begin + range) {
      groupBegin = Number.NaN;
      continue;
    }
    groupBegin = begin;
    groups.push([block]);
  }
  return groups;
}

/** Newest first, down to the first that is too small to be worth it. */
function withDeletions<T extends { readonly meta: BlockMeta }>(
  blocks: readonly T[],
  ranges: readonly number[],
): T | undefined {
  const rangeMin = ranges[ranges.length >> 1];
  for (const block of [...blocks].reverse()) {
    const { minTime, maxTime, stats } = block.meta;
    if (maxTime - minTime < rangeMin) {
      return stats.numTombstones > 0 && stats.numTombstones >= stats.numSeries ? block : undefined;
    }
    if (stats.numTombstones / (stats.numSeries + 1) > tombstoneShareMax) return block;
  }
  return undefined;
}

/**
 * Retention by matcher: a series is kept as long as the first rule says that matches it, if that is shorter than the
 * retention of all. Time is measured by the data, as for blocks: from the end of the newest block.
 *
 * A block that lies wholly before what a rule keeps is written anew without the rule's series. A block that is compacted
 * for another reason loses their chunks that lie wholly before it.
 */
import type { Labels } from "../../model/labels.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import type { Block } from "../block/block.ts";
import { postingsForMatchers } from "../index/match.ts";

export interface RetentionRule {
  readonly matchers: readonly Matcher[];
  /** Positive. */
  readonly timeMs: number;
}

/** The time before which nothing of a series is kept; -Infinity where all of it is. */
export type Cutoff = (labels: Labels) => number;

/** The end of the newest of `blocks`, from which ages are counted; -Infinity where there are none. */
export function newestEnd(blocks: readonly Block[]): number {
  return blocks.reduce((newest, { meta }) => Math.max(newest, meta.maxTime), Number.NEGATIVE_INFINITY);
}

export function cutoffOf(rules: readonly RetentionRule[], newestMs: number): Cutoff {
  return (labels) => {
    const rule = rules.find(({ matchers }) => matchers.every((one) => one.matches(labels.get(one.name))));
    return rule === undefined ? Number.NEGATIVE_INFINITY : newestMs - rule.timeMs;
  };
}

/** Who looks for what to delete is in nobody's way and has no limits. */
const unlimited: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };

/** Whether a rule wants series out of the block of which all samples are too old. */
export function hasExpiredSeries(block: Block, rules: readonly RetentionRule[], newestMs: number): boolean {
  const end = block.meta.maxTime;
  const expired = rules.filter(({ timeMs }) => end <= newestMs - timeMs);
  if (expired.length === 0) return false;
  const cutoff = cutoffOf(rules, newestMs);
  const { index } = block.acquire();
  try {
    return expired.some(({ matchers }) => {
      // Another rule may match first and keep the series longer.
      for (const ref of postingsForMatchers(unlimited, index, matchers)) {
        const series = index.series(ref, -Infinity, Infinity);
        if (series !== undefined && end <= cutoff(series.labels)) return true;
      }
      return false;
    });
  } finally {
    block.release();
  }
}

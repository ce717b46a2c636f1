/** Up to when blocks have all that came in order. */
import { silentLogger } from "../../base/env.ts";
import type { Fs } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import { BlockSet } from "./block-set.ts";

/** Blocks with these do not say that the head has nothing before their end. */
const partialHints: ReadonlySet<string> = new Set([
  "from-out-of-order",
  "from-stale-series",
  "from-selected-series",
]);

/**
 * The end (exclusive) of the newest block of all samples that came in order; -Infinity without blocks. Who reads the blocks
 * for queries says which cannot be read.
 */
export function endOfBlocks(fs: Fs, dir: string): number {
  const blocks = BlockSet.open({ fs, logger: silentLogger, cache: new PageCache(1) }, dir);
  try {
    return blocks.blocks
      .filter(({ meta }) => !meta.compaction.hints.some((hint) => partialHints.has(hint)))
      .reduce((end, { meta }) => Math.max(end, meta.maxTime), Number.NEGATIVE_INFINITY);
  } finally {
    blocks.close();
  }
}

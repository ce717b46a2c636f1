/** Deletes samples from a block: intervals are added to its tombstones, their number to its meta.json. */
import type { Fs } from "../../base/fs.ts";
import { replaceFile } from "../../base/replace-file.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import type { Block } from "../block/block.ts";
import { encodeMeta, metaFile } from "../block/meta.ts";
import { postingsForMatchers } from "../index/match.ts";
import { chunkFields } from "../index/reader.ts";
import { writeTombstones } from "../tombstones/file.ts";
import type { Interval } from "../tombstones/intervals.ts";
import { Tombstones } from "../tombstones/tombstones.ts";

/** Who deletes is in nobody's way and has no limits. */
const unlimited: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };

/**
 * Deletes what matches all `matchers` within [mint, maxt], both inclusive; returns in how many series something was
 * deleted. An interval does not reach beyond the series' chunks, as in Prometheus. Durable when it returns; who has
 * the block open must open it again.
 */
export function deleteSamples(
  fs: Fs,
  block: Block,
  mint: number,
  maxt: number,
  matchers: readonly Matcher[],
): number {
  const { index, tombstones } = block.acquire();
  let deleted = 0;
  let total = 0;
  try {
    const stones = new Map<number, readonly Interval[]>(tombstones.entries());
    for (const ref of postingsForMatchers(unlimited, index, matchers)) {
      const chunks = index.series(ref, -Infinity, Infinity)?.chunks ?? [];
      if (!overlapsAny(chunks, mint, maxt)) continue;
      const first = chunks[0];
      const last = chunks[chunks.length - chunkFields + 1];
      const interval = { mint: Math.max(mint, first), maxt: Math.min(maxt, last) };
      stones.set(ref, [...(stones.get(ref) ?? []), interval]);
      deleted++;
    }
    if (deleted === 0) return 0;
    const all = Tombstones.of(stones);
    total = all.total;
    writeTombstones(fs, block.dir, all);
  } finally {
    block.release();
  }
  const stats = { ...block.meta.stats, numTombstones: total };
  replaceFile(fs, block.dir, metaFile, encodeMeta({ ...block.meta, stats }));
  return deleted;
}

function overlapsAny(chunks: readonly number[], mint: number, maxt: number): boolean {
  for (let i = 0; i < chunks.length; i += chunkFields) {
    if (chunks[i] <= maxt && chunks[i + 1] >= mint) return true;
  }
  return false;
}

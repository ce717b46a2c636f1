/** What the meta.json of a block says that is made of others. */
import type { BlockMeta } from "../block/meta.ts";
import { hints } from "./plan.ts";
import type { BlockRange, WriteBlockOptions } from "./write-block.ts";

export interface MergedMeta {
  readonly range: BlockRange;
  readonly options: Required<Pick<WriteBlockOptions, "level" | "sources" | "parents" | "hints">>;
}

/** `metas` are not empty. A level above the highest; "out of order" only where all of them are. */
export function mergedMeta(metas: readonly BlockMeta[]): MergedMeta {
  const all = (hint: string) => metas.every(({ compaction }) => compaction.hints.includes(hint));
  const any = (hint: string) => metas.some(({ compaction }) => compaction.hints.includes(hint));
  return {
    range: {
      mint: Math.min(...metas.map(({ minTime }) => minTime)),
      maxt: Math.max(...metas.map(({ maxTime }) => maxTime)),
    },
    options: {
      level: 1 + Math.max(...metas.map(({ compaction }) => compaction.level)),
      sources: [...new Set(metas.flatMap(({ compaction }) => compaction.sources))].sort(),
      parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
      hints: [
        ...(any(hints.staleSeries) ? [hints.staleSeries] : []),
        ...(any(hints.selectedSeries) ? [hints.selectedSeries] : []),
        ...(all(hints.outOfOrder) ? [hints.outOfOrder] : []),
      ],
    },
  };
}

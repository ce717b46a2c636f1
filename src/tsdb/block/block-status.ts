/** What a block says of itself: the tables of status/tsdb, from its index alone. */
import { Cardinality, type IndexStatus } from "../index/cardinality.ts";
import type { Block } from "./block.ts";

/** Throws as {@link Block.acquire} and its readers do. */
export function blockStatus(block: Block, limit: number): IndexStatus & { readonly chunkCount: number } {
  const { index } = block.acquire();
  try {
    const cardinality = new Cardinality();
    for (const name of index.labelNames()) {
      index.forEachValue(name, "", (value, handle) => {
        cardinality.add(name, value, index.postingsCountAt(handle));
        return true;
      });
    }
    const { stats, minTime, maxTime } = block.meta;
    return {
      ...cardinality.tables(limit),
      numSeries: stats.numSeries,
      chunkCount: stats.numChunks,
      minTime,
      maxTime,
    };
  } finally {
    block.release();
  }
}

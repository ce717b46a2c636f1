// Makes blocks of a head's out-of-order samples, as the writer and a compaction thread do together.

import type { ManualClock } from "../../src/testkit/manual-clock.ts";
import { hints } from "../../src/tsdb/compact/plan.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import type { Db, DbEnv } from "../../src/tsdb/db.ts";
import type { HeadReader } from "../../src/tsdb/head/head-reader.ts";

/** `between` is called wherever batches and queries may come in. */
export function compactLate(
  env: DbEnv & { readonly clock: ManualClock },
  dir: string,
  db: Db,
  head: HeadReader,
  between: () => void = () => {},
): void {
  const plan = db.planLateCompaction();
  between();
  if (plan === undefined) return;
  while (!db.settleLate()) between();
  const { mint, maxt, lastFileRef } = plan;
  const range = db.head.chunkRangeMs;
  for (let from = Math.floor(mint / range) * range; from <= maxt; from += range) {
    env.clock.advance(1);
    const end = from + range;
    const source = head.lateSource({ mint: from, maxt: end - 1, lastFileRef }, db.head.encodings);
    writeBlock(env, dir, source, { mint: from, maxt: end }, { hints: [hints.outOfOrder] });
    between();
  }
  while (!db.truncateLate(plan)) between();
}

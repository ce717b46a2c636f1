/** All targets of the fuzzer: every decoder of bytes that come from a disk, a network or a user. */
import type { FuzzTarget } from "./target.ts";
import { blockTargets } from "./targets/block.ts";
import { chunkTargets } from "./targets/chunks.ts";
import { configTargets } from "./targets/config.ts";
import { dbTargets } from "./targets/db.ts";
import { expositionTargets } from "./targets/exposition.ts";
import { histogramChunkTargets } from "./targets/histogram-chunks.ts";
import { parameterTargets } from "./targets/parameters.ts";
import { promqlTargets } from "./targets/promql.ts";
import { remoteWriteTargets } from "./targets/remote-write.ts";
import { salvageTargets } from "./targets/salvage.ts";
import { scrapeTargets } from "./targets/scrape.ts";
import { walTargets } from "./targets/wal.ts";

export const targets: readonly FuzzTarget[] = [
  ...expositionTargets,
  ...scrapeTargets,
  ...remoteWriteTargets,
  ...walTargets,
  ...chunkTargets,
  ...histogramChunkTargets,
  ...blockTargets,
  ...salvageTargets,
  ...dbTargets,
  ...promqlTargets,
  ...configTargets,
  ...parameterTargets,
];

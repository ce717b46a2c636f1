/** Gathers what the runtime's threads count into the one record that storage-families.ts reads. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { RetentionSettings } from "../../runtime/settings.ts";
import type { BlockStatsReader } from "./block-stats.ts";
import type { Stats } from "./stat-families.ts";

export interface StorageFacts {
  /** How the lock file was found: 1, 0 or -1. */
  readonly cleanStart: number;
  /** Size of the file system; undefined where the system does not say. */
  readonly diskBytes: number | undefined;
  readonly retention: RetentionSettings;
}

export async function storageStats(
  runtime: Runtime,
  blocks: BlockStatsReader,
  facts: StorageFacts,
): Promise<Stats> {
  const { running, deaths } = runtime.threads;
  return {
    ...(await runtime.writerStats()),
    ...runtime.maintenanceStats,
    ...runtime.headSnapshots.stats,
    ...blocks.read(),
    ...memoryStats(runtime),
    threads: running,
    threadDeaths: deaths,
    cleanStart: facts.cleanStart,
    diskSizeBytes: facts.diskBytes,
    retentionSeconds: facts.retention.timeMs / 1000,
    retentionBytes: facts.retention.sizeBytes,
    retentionPercentage: facts.retention.percentage,
    tombstoneCleanups: runtime.tombstoneCleanups.count,
    tombstoneCleanupSeconds: runtime.tombstoneCleanups.seconds,
  };
}

function memoryStats(runtime: Runtime): Stats {
  const { fixed, arena, caches, queries, compaction, limitBytes, heldBytes, score, rushed, queriesRefused } =
    runtime.memory;
  return {
    memoryFixed: fixed,
    memoryArena: arena,
    memoryCaches: caches,
    memoryQueries: queries,
    memoryCompaction: compaction,
    memoryLimit: limitBytes,
    memoryHeld: heldBytes,
    urgencyScore: score,
    rushed: rushed ? 1 : 0,
    queriesRefused,
  };
}

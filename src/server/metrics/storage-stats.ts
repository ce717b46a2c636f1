/** Gathers what the runtime's threads count into the one record that storage-families.ts reads. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { RetentionSettings } from "../../runtime/settings.ts";
import type { BlockStatsReader } from "./block-stats.ts";
import type { Stats } from "./stat-families.ts";

export interface StorageFacts {
  /** How the lock file was found: 1, 0 or -1. */
  readonly cleanStart: number;
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
    ...blocks.read(),
    threads: running,
    threadDeaths: deaths,
    cleanStart: facts.cleanStart,
    retentionSeconds: facts.retention.timeMs / 1000,
    retentionBytes: facts.retention.sizeBytes,
    retentionPercentage: facts.retention.percentage,
    tombstoneCleanups: runtime.tombstoneCleanups.count,
    tombstoneCleanupSeconds: runtime.tombstoneCleanups.seconds,
  };
}

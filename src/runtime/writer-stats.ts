/** The writer's counters and gauges in one flat object, for /metrics. */
import { Root, Slot } from "../kernels/head-layout.ts";
import type { WriteReceiver } from "../remote/write-receiver.ts";
import type { ScrapeIngest } from "../scrape/ingest.ts";
import type { Db } from "../tsdb/db.ts";
import { oldestBatch } from "../tsdb/head/epochs.ts";
import type { Wal } from "../tsdb/wal/wal.ts";
import type { ThreadStats } from "./protocol.ts";
import type { RecentSeconds } from "./recent-seconds.ts";

/**
 * `syncs`: how long syncs of WAL and WBL took, by the monotonic clock that `nowMs` is of; `refused`: what was refused before
 * it was begun.
 */
export function writerStats(
  db: Db,
  receiver: WriteReceiver,
  scrapes: ScrapeIngest,
  syncs: { readonly wal: RecentSeconds; readonly wbl: RecentSeconds },
  refused: { readonly requests: number },
  nowMs: number,
): ThreadStats {
  const { head, wal, wbl } = db;
  const { words } = head.memory;
  const sizes = db.sizeBytes();
  return {
    ...head.stats,
    ...head.cuts.persisted,
    ...db.truncation.stats,
    batchCommitted: words[Root.committed],
    batchOldest: oldestBatch(words, Slot.pinned),
    seriesNotFound: Atomics.load(words, Root.seriesNotFound),
    chunksWaiting: head.cuts.waiting,
    memoryChunks: head.stats.chunks - head.lists.total,
    openChunks: head.stats.chunks - head.lists.total - head.cuts.waiting,
    ...prefixed("remoteWrite", receiver.stats),
    ...prefixed("scrape", scrapes.stats),
    ...logStats("wal", wal, sizes.wal, syncs.wal, nowMs),
    ...(wbl === undefined ? {} : logStats("wbl", wbl, sizes.wbl, syncs.wbl, nowMs)),
    ...prefixed("disk", db.disk.stats),
    diskWritable: db.disk.state === "ok" ? 1 : 0,
    diskReserveBytes: db.disk.reserveBytes,
    remoteWriteRefused: refused.requests,
    minTime: head.minTime,
    maxTime: head.maxTime,
    exemplarsAppended: head.exemplars.appended,
    exemplarsOutOfOrder: head.exemplars.outOfOrder,
    exemplarsCount: head.exemplars.count,
    exemplarsMax: head.exemplars.countMax,
    exemplarSeries: head.exemplars.seriesCount,
    exemplarOldestTime: head.exemplars.oldestTime,
    headBytes: head.arena.bytesTaken,
    histogramAppenderBytes: head.histograms.cachedBytes,
    lateMinTime: head.late.minTime,
    lateMaxTime: head.late.maxTime,
    headChunkBytes: sizes.headChunks,
    walCorruptions: wal.replayed.setAside.length + (wbl?.replayed.setAside.length ?? 0),
    blocksRepaired: db.blockRepairs.length,
    blockDeletionsLost: db.blockRepairs.filter(({ lost }) => lost.some(({ deletions }) => deletions)).length,
    replaySeconds: db.replaySeconds,
    snapshotSeries: db.snapshotSeries ?? 0,
    snapshotsRefused: db.snapshotRefused ? 1 : 0,
    chunkDamages: db.chunkDamages,
  };
}

function logStats(
  prefix: string,
  log: Wal,
  sizeBytes: number,
  syncs: RecentSeconds,
  nowMs: number,
): Record<string, number | undefined> {
  const [q50, q90, q99] = syncs.quantiles([0.5, 0.9, 0.99], nowMs);
  return {
    ...prefixed(prefix, log.stats),
    ...prefixed(prefix, log.removals),
    [`${prefix}Segment`]: log.position.segment,
    [`${prefix}Bytes`]: sizeBytes,
    [`${prefix}Syncs`]: syncs.count,
    [`${prefix}SyncSeconds`]: syncs.sum,
    [`${prefix}SyncQ50`]: q50,
    [`${prefix}SyncQ90`]: q90,
    [`${prefix}SyncQ99`]: q99,
    [`${prefix}SyncsFailed`]: log.syncsFailed,
  };
}

function prefixed(prefix: string, stats: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(stats)
      .filter(([, value]) => typeof value === "number")
      .map(([name, value]) => [`${prefix}${name[0].toUpperCase()}${name.slice(1)}`, value]),
  );
}

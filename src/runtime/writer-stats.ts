/** The writer's counters and gauges in one flat object, for /metrics. */
import type { WriteReceiver } from "../remote/write-receiver.ts";
import type { ScrapeIngest } from "../scrape/ingest.ts";
import type { Db } from "../tsdb/db.ts";
import type { ThreadStats } from "./protocol.ts";

/**
 * `syncs`: how many syncs of the WAL there were and how long they took together; `refused`: what was refused before it
 * was begun.
 */
export function writerStats(
  db: Db,
  receiver: WriteReceiver,
  scrapes: ScrapeIngest,
  syncs: { readonly count: number; readonly seconds: number },
  refused: { readonly requests: number },
): ThreadStats {
  const { head, wal } = db;
  const sizes = db.sizeBytes();
  return {
    ...head.stats,
    ...head.cuts.persisted,
    chunksWaiting: head.cuts.waiting,
    memoryChunks: head.stats.chunks - head.lists.total,
    openChunks: head.stats.chunks - head.lists.total - head.cuts.waiting,
    ...prefixed("remoteWrite", receiver.stats),
    ...prefixed("scrape", scrapes.stats),
    ...prefixed("wal", wal.stats),
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
    walBytes: sizes.wal,
    wblBytes: sizes.wbl,
    ...(db.wbl === undefined
      ? {}
      : { ...prefixed("wbl", db.wbl.stats), wblSegment: db.wbl.position.segment }),
    lateMinTime: head.late.minTime,
    lateMaxTime: head.late.maxTime,
    headChunkBytes: sizes.headChunks,
    walSegment: wal.position.segment,
    walCorruptions: wal.replayed.setAside.length,
    blocksRepaired: db.blockRepairs.length,
    walSyncs: syncs.count,
    walSyncSeconds: syncs.seconds,
    walSyncsFailed: wal.syncsFailed,
    replaySeconds: db.replaySeconds,
    snapshotSeries: db.snapshotSeries ?? 0,
  };
}

function prefixed(prefix: string, stats: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(stats)
      .filter(([, value]) => typeof value === "number")
      .map(([name, value]) => [`${prefix}${name[0].toUpperCase()}${name.slice(1)}`, value]),
  );
}

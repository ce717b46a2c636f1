/** From the command line to what the server is started with. */
import { availableParallelism } from "node:os";
import { parseMetricSelector } from "../promql/parser/parser.ts";
import type { ServerOptions } from "../server/options.ts";
import { divideMemory, type MemoryShares, threadsFor } from "../tsdb/budget/shares.ts";
import type { WalSync } from "../tsdb/wal/wal.ts";
import {
  effectiveFlags,
  flagRetention,
  maxBlockDurationMs,
  memoryLimitBytes,
  routePrefix,
} from "./effective-flags.ts";
import type { Flags } from "./flags.ts";

const defaultSegmentBytes = 128 * 1024 * 1024;
const defaultBlockSegmentBytes = 512 * 1024 * 1024;
const defaultBlockRangeMs = 2 * 3_600_000;
const defaultSamplesPerChunk = 120;
const blockReloadIntervalMinMs = 1000;
const userAgent = "Prometheus/3.14.0 Narthex";

export function serverOptions(flags: Flags): ServerOptions {
  const features = flags.features();
  const limitBytes = memoryLimitBytes(flags);
  const concurrencyMax = Math.min(flags.number("query.max-concurrency"), threadsFor(limitBytes));
  const queryThreads = Math.max(1, Math.min(concurrencyMax, availableParallelism()));
  const compactionParallelism =
    flags.number("storage.tsdb.compaction-parallelism") ||
    Math.min(availableParallelism(), threadsFor(limitBytes));
  const shares = divideMemory(limitBytes, queryThreads, compactionParallelism);
  const storage = storageOptions(flags, shares);
  const headCutDelayMaxMs = (storage.blockRangeMs * cutDelayPercent(flags)) / 100;
  return {
    configFile: flags.text("config.file"),
    configOptions: { retention: flagRetention(flags), features: features.names() },
    narthexConfigFile: flags.text("narthex.config.file"),
    checkSelector: parseMetricSelector,
    shownFlags: (config) => effectiveFlags(flags, config),
    storage,
    encodings: {
      floats: features.has("xor2-encoding") ? "xor2" : "xor",
      histogramStarts: features.has("histograms-st-encoding"),
    },
    keepExemplars: features.has("exemplar-storage"),
    lockDirectory: !flags.bool("storage.tsdb.no-lockfile"),
    blockReloadIntervalMs: Math.max(
      blockReloadIntervalMinMs,
      flags.durationMs("storage.tsdb.block-reload-interval"),
    ),
    headCutDelayMaxMs: features.has("delayed-compaction") ? headCutDelayMaxMs : 0,
    blockRangeMaxMs: (config) => maxBlockDurationMs(flags, config),
    compactionParallelism,
    queries: {
      lookbackMs: flags.durationMs("query.lookback-delta"),
      samplesMax: flags.number("query.max-samples"),
      timeoutMs: flags.durationMs("query.timeout"),
      concurrencyMax,
      bytesMax: shares.queryBytesMax,
    },
    scrape: {
      userAgent,
      timestampToleranceMs: flags.bool("scrape.adjust-timestamps")
        ? flags.durationMs("scrape.timestamp-tolerance")
        : 0,
      discoveryReloadIntervalMs: flags.durationMs("scrape.discovery-reload-interval"),
      startTimes: features.has("st-storage"),
    },
    web: {
      listenAddresses: flags.list("web.listen-address"),
      connectionsMax: flags.number("web.max-connections"),
      readTimeoutMs: flags.durationMs("web.read-timeout"),
      externalUrl: flags.text("web.external-url"),
      routePrefix: routePrefix(flags),
      corsOrigin: flags.text("web.cors.origin"),
      enableLifecycle: flags.bool("web.enable-lifecycle"),
      enableAdminApi: flags.bool("web.enable-admin-api"),
      enableRemoteWriteReceiver: flags.bool("web.enable-remote-write-receiver"),
    },
  };
}

/** Of the block range; what is no share counts as the default, as in Prometheus. */
function cutDelayPercent(flags: Flags): number {
  const percent = flags.number("storage.tsdb.delayed-compaction.max-percent");
  return percent > 0 && percent <= 100 ? percent : 10;
}

function storageOptions(flags: Flags, shares: MemoryShares): ServerOptions["storage"] {
  const compression = flags.text("storage.tsdb.wal-compression-type") as "snappy" | "zstd";
  const samplesPerChunk = flags.number("storage.tsdb.samples-per-chunk");
  return {
    dir: flags.text("storage.tsdb.path"),
    blockRangeMs: flags.durationMs("storage.tsdb.min-block-duration") || defaultBlockRangeMs,
    samplesPerChunk: samplesPerChunk > 0 ? samplesPerChunk : defaultSamplesPerChunk,
    walSegmentBytes: flags.bytes("storage.tsdb.wal-segment-size") || defaultSegmentBytes,
    walCompression: flags.bool("storage.tsdb.wal-compression") ? compression : "none",
    reserveBytes: flags.bytes("storage.tsdb.reserve-size"),
    walSync: flags.text("storage.tsdb.wal-sync") as WalSync,
    headSnapshotIntervalMs: flags.durationMs("storage.tsdb.head-snapshot-interval"),
    headSnapshotBytesMax: flags.bytes("storage.tsdb.head-snapshot-max-size"),
    keepsStarts: flags.features().has("st-storage"),
    verifyOnStart: flags.bool("storage.tsdb.verify-on-start"),
    delayCompactFile: flags.text("storage.tsdb.delay-compact-file.path"),
    memoryLimitBytes: shares.limitBytes,
    cacheBytes: shares.cacheBytesMax,
    blockSegmentBytes: flags.bytes("storage.tsdb.max-block-chunk-segment-size") || defaultBlockSegmentBytes,
  };
}

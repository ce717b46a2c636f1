/**
 * The families that the writer and the maintenance rounds count, under the names and types that Prometheus 3.14 gives
 * them, and `narthex_*` for what only this server has.
 */

import { chunkRangeBounds, chunkSampleBounds, chunkSizeBounds } from "../../runtime/chunk-histograms.ts";
import { compactionSecondsBounds } from "../../runtime/maintenance.ts";
import { headFamilies, headTime, int64Max, seconds } from "./head-families.ts";
import { headSnapshotFamilies } from "./head-snapshot-families.ts";
import { memoryFamilies } from "./memory-families.ts";
import { counter, gauge, histogram, type StatFamily, type Stats, sampleOf, sumOf } from "./stat-families.ts";
import { walFamilies } from "./wal-families.ts";

/** Of blocks and head together; only known when both are. */
function lowestTime(stats: Stats): number | undefined {
  const head = headTime("minTime")(stats);
  const blocks = stats["blocksMinTime"];
  if (head === undefined || blocks === undefined) return undefined;
  return Math.min(head, blocks, int64Max);
}

const compactions = (stats: Stats) => sumOf(stats["headCompactions"], stats["blockCompactions"]);
const failures = (type: string, source: string) => sampleOf(source, `{type="${type}"}`);

const disk: readonly StatFamily[] = [
  gauge(
    "narthex_storage_writable",
    "diskWritable",
    "0 while nothing is stored because the disk is full, read-only or failing.",
  ),
  {
    name: "narthex_storage_write_failures_total",
    type: "counter",
    help: "Writes of samples that failed, by what the disk said.",
    samples: [
      failures("full", "diskFull"),
      failures("read_only", "diskReadOnly"),
      failures("io", "diskFailing"),
    ],
  },
  counter("narthex_storage_stops_total", "diskStops", "Times that storing stopped because of the disk."),
  gauge("narthex_disk_size_bytes", "diskSizeBytes", "Size of the file system with the data directory."),
  gauge(
    "narthex_storage_reserve_bytes",
    "diskReserveBytes",
    "Size of the file that is given up when the disk is full.",
  ),
  counter(
    "narthex_remote_write_refused_total",
    (stats) => sumOf(stats["remoteWriteRefused"], stats["remoteWriteRefusedForMemory"]),
    "Remote-write requests that were refused because disk or memory takes nothing at present.",
  ),
  counter(
    "prometheus_target_skipped_scrapes_total",
    "scrapeScrapesSkipped",
    "Scrapes that were skipped because disk or memory takes nothing at present.",
  ),
];

const blocks: readonly StatFamily[] = [
  gauge("prometheus_tsdb_blocks_loaded", "blocksLoaded", "Blocks that are in use."),
  gauge("prometheus_tsdb_storage_blocks_bytes", "blocksBytes", "Size of all blocks."),
  gauge(
    "prometheus_tsdb_symbol_table_size_bytes",
    "blocksSymbolBytes",
    "Size of the symbol tables of all blocks, in their index files: they are read from there.",
  ),
  gauge("prometheus_tsdb_lowest_timestamp", lowestTime, "The oldest time of all data, in milliseconds."),
  gauge("prometheus_tsdb_lowest_timestamp_seconds", seconds(lowestTime), "The oldest time of all data."),
  gauge(
    "prometheus_tsdb_retention_limit_seconds",
    "retentionSeconds",
    "The age at which blocks are deleted; 0: never.",
  ),
  gauge(
    "prometheus_tsdb_retention_limit_bytes",
    "retentionBytes",
    "The size at which blocks are deleted; 0: any size.",
  ),
  gauge(
    "prometheus_tsdb_retention_limit_percentage",
    "retentionPercentage",
    "The share of the disk, in percent, at which blocks are deleted; 0: any share.",
  ),
  counter(
    "prometheus_tsdb_time_retentions_total",
    "timeRetentions",
    "Times that blocks were deleted for their age.",
  ),
  counter(
    "prometheus_tsdb_size_retentions_total",
    "sizeRetentions",
    "Times that blocks were deleted for the room they took.",
  ),
  {
    name: "prometheus_tsdb_tombstone_cleanup_seconds",
    type: "histogram",
    help: "How long it took to write blocks anew without their deleted samples.",
    samples: [
      sampleOf("tombstoneCleanups", '_bucket{le="+Inf"}'),
      sampleOf("tombstoneCleanupSeconds", "_sum"),
      sampleOf("tombstoneCleanups", "_count"),
    ],
  },
  counter(
    "prometheus_tsdb_compactions_triggered_total",
    "rounds",
    "Times it was looked for something to compact.",
  ),
  counter("prometheus_tsdb_reloads_total", "rounds", "Times the data directory was looked through."),
  counter(
    "prometheus_tsdb_reloads_failures_total",
    "roundsFailed",
    "Times that a block could not be read then, or what is to go could not be deleted.",
  ),
  counter(
    "prometheus_tsdb_compactions_total",
    compactions,
    "Blocks that were written: cut from the head, or made of others.",
  ),
  counter("prometheus_tsdb_compactions_failed_total", "compactionsFailed", "Compactions that failed."),
  counter(
    "prometheus_tsdb_compactions_skipped_total",
    "compactionsSkipped",
    "Times it was not looked for something to compact, because of a pause after failures: nothing else switches compaction off.",
  ),
  counter(
    "prometheus_tsdb_vertical_compactions_total",
    "verticalCompactions",
    "Compactions of blocks that overlapped.",
  ),
  gauge(
    "prometheus_tsdb_compaction_populating_block",
    "compactionsRunning",
    "How many blocks are being written now.",
  ),
  histogram(
    "prometheus_tsdb_compaction_duration_seconds",
    "compactionSeconds",
    compactionSecondsBounds,
    "How long compactions took.",
  ),
  histogram(
    "prometheus_tsdb_compaction_chunk_size_bytes",
    "chunkSizes",
    chunkSizeBounds,
    "Sizes of the chunks of blocks that were cut from the head.",
  ),
  histogram(
    "prometheus_tsdb_compaction_chunk_samples",
    "chunkSamples",
    chunkSampleBounds,
    "Samples in the chunks of blocks that were cut from the head.",
  ),
  histogram(
    "prometheus_tsdb_compaction_chunk_range_seconds",
    "chunkRanges",
    chunkRangeBounds,
    "Time between first and last sample of the chunks of blocks that were cut from the head: in milliseconds, as in Prometheus.",
  ),
  gauge(
    "prometheus_tsdb_clean_start",
    "cleanStart",
    "1: no lock file was left behind, 0: one was, -1: the data directory is not locked.",
  ),
  counter(
    "narthex_retention_rules_rewrites_total",
    "ruleRewrites",
    "Blocks written anew without what tsdb.retention_rules does not keep.",
  ),
  counter("narthex_retention_rules_freed_bytes_total", "ruleFreedBytes", "Bytes that were freed by that."),
  counter("narthex_blocks_deleted_total", "blocksDeleted", "Blocks deleted for their age."),
];

const exemplars: readonly StatFamily[] = [
  gauge("prometheus_tsdb_exemplar_exemplars_in_storage", "exemplarsCount", "Exemplars that are kept."),
  gauge("prometheus_tsdb_exemplar_max_exemplars", "exemplarsMax", "How many exemplars are kept at most."),
  gauge(
    "prometheus_tsdb_exemplar_series_with_exemplars_in_storage",
    "exemplarSeries",
    "Series that have exemplars.",
  ),
  gauge(
    "prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds",
    (stats) => finiteOr0(stats["exemplarOldestTime"]),
    "The time of the oldest exemplar that is kept.",
  ),
  counter(
    "prometheus_tsdb_exemplar_exemplars_appended_total",
    "exemplarsAppended",
    "Exemplars that were stored.",
  ),
  counter(
    "prometheus_tsdb_exemplar_out_of_order_exemplars_total",
    "exemplarsOutOfOrder",
    "Exemplars refused because they came too late.",
  ),
];

const ingest: readonly StatFamily[] = [
  counter(
    "prometheus_target_scrapes_exceeded_sample_limit_total",
    "scrapeSampleLimitExceeded",
    "Scrapes with more samples than the limit.",
  ),
  counter(
    "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
    "scrapeBucketLimitExceeded",
    "Scrapes with native histograms that have more buckets than the limit and cannot be made coarser.",
  ),
  counter(
    "prometheus_target_scrape_pool_exceeded_label_limits_total",
    "scrapeLabelLimitsExceeded",
    "Scrapes with more or longer labels than the limits.",
  ),
  counter(
    "prometheus_target_scrapes_sample_duplicate_timestamp_total",
    "scrapeDuplicateTimestamps",
    "Samples refused because their series has another value at that time.",
  ),
  counter(
    "prometheus_target_scrapes_sample_out_of_order_total",
    "scrapeOutOfOrder",
    "Samples refused because they came too late.",
  ),
  counter(
    "prometheus_target_scrapes_sample_out_of_bounds_total",
    "scrapeOutOfBounds",
    "Samples refused for a time that the head does not take.",
  ),
  counter(
    "prometheus_target_scrapes_exemplar_out_of_order_total",
    "scrapeExemplarsOutOfOrder",
    "Exemplars refused because they came too late.",
  ),
  counter(
    "prometheus_target_scrapes_cache_flush_forced_total",
    "scrapeCacheFlushesForced",
    "Times the memory of a target's lines was emptied because it grew.",
  ),
  counter(
    "prometheus_api_remote_write_invalid_labels_samples_total",
    "remoteWriteInvalidLabels",
    "Series of remote-write requests that were refused for their labels.",
  ),
  counter("narthex_remote_write_requests_total", "remoteWriteRequests", "Remote-write requests."),
  counter("narthex_remote_write_samples_total", "remoteWriteSamples", "Samples that remote write stored."),
  gauge(
    "narthex_scrape_cache_bytes",
    "scrapeCacheBytes",
    "Memory that the targets' lines are remembered in.",
  ),
];

const threads: readonly StatFamily[] = [
  gauge("narthex_threads", "threads", "Threads that run besides the main one."),
  counter(
    "narthex_thread_restarts_total",
    "threadDeaths",
    "Threads that ended unexpectedly and were replaced.",
  ),
];

/** `walCompression`: "none", "snappy" or "zstd". */
export const storageFamilies = (walCompression: string): readonly StatFamily[] => [
  ...headFamilies,
  ...walFamilies(walCompression),
  ...disk,
  ...blocks,
  ...exemplars,
  ...ingest,
  ...threads,
  ...memoryFamilies,
  ...headSnapshotFamilies,
];

/** From milliseconds; there may be none. */
function finiteOr0(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Number.isFinite(ms) ? ms / 1000 : 0;
}

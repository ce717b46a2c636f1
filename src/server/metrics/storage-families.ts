/**
 * The families that the writer and the maintenance rounds count, under the names and types that Prometheus 3.14 gives
 * them, and `narthex_*` for what only this server has.
 */

import { headSnapshotFamilies } from "./head-snapshot-families.ts";
import { memoryFamilies } from "./memory-families.ts";
import {
  counter,
  gauge,
  type Source,
  type StatFamily,
  type Stats,
  sampleOf,
  summary,
} from "./stat-families.ts";

const int64Max = 2 ** 63;

/** Of floats and of native histograms. */
const counterByType = (name: string, floats: Source, histograms: Source, help: string): StatFamily => ({
  name,
  type: "counter",
  help,
  samples: [sampleOf(floats, '{type="float"}'), sampleOf(histograms, '{type="histogram"}')],
});

/** An empty head's times are infinite here and the ends of int64 in Prometheus. */
function headTime(stat: "minTime" | "maxTime"): (stats: Stats) => number | undefined {
  return (stats) => {
    const ms = stats[stat];
    return ms === undefined ? undefined : Math.max(-int64Max, Math.min(int64Max, ms));
  };
}

function seconds(source: (stats: Stats) => number | undefined): (stats: Stats) => number | undefined {
  return (stats) => {
    const ms = source(stats);
    return ms === undefined ? undefined : Math.trunc(ms / 1000);
  };
}

/** Of blocks and head together; only known when both are. */
function lowestTime(stats: Stats): number | undefined {
  const head = headTime("minTime")(stats);
  const blocks = stats["blocksMinTime"];
  if (head === undefined || blocks === undefined) return undefined;
  return Math.min(head, blocks, int64Max);
}

const head: readonly StatFamily[] = [
  gauge("prometheus_tsdb_head_series", "series", "Series of the head."),
  gauge(
    "prometheus_tsdb_head_stale_series",
    "staleSeries",
    "Series of the head whose last sample is a staleness marker.",
  ),
  counter("prometheus_tsdb_head_series_created_total", "seriesCreated", "Series created in the head."),
  counter("prometheus_tsdb_head_series_removed_total", "seriesRemoved", "Series removed from the head."),
  gauge("prometheus_tsdb_head_chunks", "chunks", "Chunks of the head, in memory and in chunks_head."),
  counter("prometheus_tsdb_head_chunks_created_total", "chunksCreated", "Chunks begun in the head."),
  counter("prometheus_tsdb_head_chunks_removed_total", "chunksRemoved", "Chunks removed from the head."),
  gauge(
    "prometheus_tsdb_head_chunks_storage_size_bytes",
    "headChunkBytes",
    "Size of the files in chunks_head.",
  ),
  gauge(
    "prometheus_tsdb_head_native_histogram_series",
    "nativeHistogramSeries",
    "Series of the head whose last sample is a native histogram.",
  ),
  gauge(
    "prometheus_tsdb_head_native_histogram_buckets",
    "nativeHistogramBuckets",
    "Buckets of the last native histograms of these series.",
  ),
  counterByType(
    "prometheus_tsdb_head_samples_appended_total",
    "samplesAppended",
    "histogramsAppended",
    "Samples stored.",
  ),
  counterByType(
    "prometheus_tsdb_out_of_order_samples_total",
    "outOfOrder",
    "histogramsOutOfOrder",
    "Samples refused because they came too late.",
  ),
  counterByType(
    "prometheus_tsdb_out_of_bound_samples_total",
    "outOfBounds",
    "histogramsOutOfBounds",
    "Samples refused for a time that the head does not take.",
  ),
  counterByType(
    "prometheus_tsdb_head_out_of_order_samples_appended_total",
    "lateAppended",
    "lateHistogramsAppended",
    "Samples stored out of order.",
  ),
  {
    name: "prometheus_tsdb_sample_ooo_delta",
    type: "histogram",
    help: "By how many seconds samples that were taken out of order came too late.",
    samples: [
      ...[600, 1800, 3600, 7200, 10800, 21600, 43200].map((bound) =>
        sampleOf(`lateSecondsUpTo${bound}`, `_bucket{le="${bound}"}`),
      ),
      sampleOf("lateSecondsCount", '_bucket{le="+Inf"}'),
      sampleOf("lateSecondsSum", "_sum"),
      sampleOf("lateSecondsCount", "_count"),
    ],
  },
  gauge(
    "prometheus_tsdb_out_of_order_wbl_storage_size_bytes",
    (stats) => (stats.wblSegment === undefined ? undefined : stats.wblBytes),
    "Size of the log of samples that came out of order.",
  ),
  gauge(
    "prometheus_tsdb_out_of_order_wbl_segment_current",
    "wblSegment",
    "The WBL segment that is written to.",
  ),
  counter("prometheus_tsdb_out_of_order_wbl_page_flushes_total", "wblPageFlushes", "Writes of WBL pages."),
  counter(
    "prometheus_tsdb_out_of_order_wbl_completed_pages_total",
    "wblPagesCompleted",
    "Pages of the WBL that are full.",
  ),
  counter(
    "prometheus_tsdb_out_of_order_wbl_writes_failed_total",
    "wblWritesFailed",
    "Writes to the WBL that failed.",
  ),
  counterByType(
    "prometheus_tsdb_too_old_samples_total",
    "tooOld",
    "histogramsTooOld",
    "Samples refused because they came later than the out-of-order window allows.",
  ),
  counter("prometheus_tsdb_head_truncations_total", "truncations", "Times the head was cut."),
  gauge(
    "prometheus_tsdb_head_min_time",
    headTime("minTime"),
    "The oldest time in the head, in milliseconds.",
  ),
  gauge(
    "prometheus_tsdb_head_max_time",
    headTime("maxTime"),
    "The newest time in the head, in milliseconds.",
  ),
  gauge(
    "prometheus_tsdb_head_min_time_seconds",
    seconds(headTime("minTime")),
    "The oldest time in the head.",
  ),
  gauge(
    "prometheus_tsdb_head_max_time_seconds",
    seconds(headTime("maxTime")),
    "The newest time in the head.",
  ),
  gauge(
    "prometheus_tsdb_data_replay_duration_seconds",
    "replaySeconds",
    "How long reading the head back took.",
  ),
  gauge("narthex_head_memory_bytes", "headBytes", "Shared memory that the head has taken."),
  gauge(
    "narthex_head_histogram_appender_bytes",
    "histogramAppenderBytes",
    "Memory of the writer that holds what the open native histogram chunks go on with.",
  ),
  counter("narthex_head_commits_total", "commits", "Batches committed to the head."),
  counter("narthex_head_rollbacks_total", "rollbacks", "Batches that were taken back."),
  counter(
    "narthex_head_chunk_write_errors_total",
    "chunkWriteErrors",
    "Times full chunks could not be written.",
  ),
];

const wal = (compression: string): readonly StatFamily[] => [
  gauge("prometheus_tsdb_wal_segment_current", "walSegment", "The WAL segment that is written to."),
  gauge("prometheus_tsdb_wal_storage_size_bytes", "walBytes", "Size of the WAL."),
  counter("prometheus_tsdb_wal_page_flushes_total", "walPageFlushes", "Writes of WAL pages."),
  counter(
    "prometheus_tsdb_wal_completed_pages_total",
    "walPageCompletions",
    "Pages of the WAL that were filled.",
  ),
  counter(
    "prometheus_tsdb_wal_record_part_writes_total",
    "walRecordParts",
    "Parts of records written to the WAL.",
  ),
  counter(
    "prometheus_tsdb_wal_record_parts_bytes_written_total",
    "walRecordPartsBytes",
    "Bytes of records written to the WAL.",
  ),
  counter("prometheus_tsdb_wal_writes_failed_total", "walWritesFailed", "Writes to the WAL that failed."),
  counter(
    "narthex_blocks_repaired_total",
    "blocksRepaired",
    "Damaged blocks that the start repaired or set aside.",
  ),
  counter("prometheus_tsdb_wal_corruptions_total", "walCorruptions", "Damages found in the WAL."),
  summary(
    "prometheus_tsdb_wal_fsync_duration_seconds",
    "walSyncSeconds",
    "walSyncs",
    "How long syncing the WAL took.",
  ),
  {
    name: "prometheus_tsdb_wal_record_bytes_saved_total",
    type: "counter",
    help: "Bytes that compression kept out of the WAL.",
    samples: [sampleOf("walSavedBytes", `{compression="${compression}"}`)],
  },
  counter("narthex_wal_fsyncs_failed_total", "walSyncsFailed", "Syncs of the WAL that failed."),
  counter(
    "prometheus_tsdb_checkpoint_creations_total",
    (stats) => sum(stats["checkpoints"], stats["checkpointsFailed"]),
    "Checkpoints of the WAL that were begun.",
  ),
  counter(
    "prometheus_tsdb_wal_truncations_total",
    "checkpoints",
    "Times the WAL was cut, after a checkpoint.",
  ),
  counter(
    "prometheus_tsdb_wal_truncations_failed_total",
    "checkpointsFailed",
    "Times the WAL could not be cut because there was no checkpoint.",
  ),
  counter(
    "prometheus_tsdb_checkpoint_deletions_total",
    "checkpoints",
    "Times older checkpoints were deleted, after a new one.",
  ),
  counter(
    "prometheus_tsdb_checkpoint_creations_failed_total",
    "checkpointsFailed",
    "Checkpoints of the WAL that could not be written.",
  ),
];

const compactions = (stats: Stats) => sum(stats["headCompactions"], stats["blockCompactions"]);
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
    (stats) => sum(stats["remoteWriteRefused"], stats["remoteWriteRefusedForMemory"]),
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
    "prometheus_tsdb_compactions_total",
    compactions,
    "Blocks that were written: cut from the head, or made of others.",
  ),
  counter("prometheus_tsdb_compactions_failed_total", "compactionsFailed", "Compactions that failed."),
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
  {
    name: "prometheus_tsdb_compaction_duration_seconds",
    type: "histogram",
    help: "How long compactions took.",
    samples: [
      { suffix: '_bucket{le="+Inf"}', value: compactions },
      sampleOf("compactionSeconds", "_sum"),
      { suffix: "_count", value: compactions },
    ],
  },
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
  ...head,
  ...wal(walCompression),
  ...disk,
  ...blocks,
  ...exemplars,
  ...ingest,
  ...threads,
  ...memoryFamilies,
  ...headSnapshotFamilies,
];

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** From milliseconds; there may be none. */
function finiteOr0(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Number.isFinite(ms) ? ms / 1000 : 0;
}

/** What is counted of the write-ahead log, its checkpoints and their removal. */
import { counter, gauge, type StatFamily, sampleOf, summary, sumOf } from "./stat-families.ts";

/** `compression`: "none", "snappy" or "zstd". */
export const walFamilies = (compression: string): readonly StatFamily[] => [
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
  {
    name: "prometheus_tsdb_wal_fsync_duration_seconds",
    type: "summary",
    help: "How long syncing the WAL took; the quantiles are of the last ten minutes.",
    samples: [
      sampleOf("walSyncQ50", '{quantile="0.5"}'),
      sampleOf("walSyncQ90", '{quantile="0.9"}'),
      sampleOf("walSyncQ99", '{quantile="0.99"}'),
      sampleOf("walSyncSeconds", "_sum"),
      sampleOf("walSyncs", "_count"),
    ],
  },
  {
    name: "prometheus_tsdb_wal_record_bytes_saved_total",
    type: "counter",
    help: "Bytes that compression kept out of the WAL.",
    samples: [sampleOf("walSavedBytes", `{compression="${compression}"}`)],
  },
  counter("narthex_wal_fsyncs_failed_total", "walSyncsFailed", "Syncs of the WAL that failed."),
  counter(
    "prometheus_tsdb_checkpoint_creations_total",
    (stats) => sumOf(stats["checkpoints"], stats["checkpointsFailed"]),
    "Checkpoints of the WAL that were begun.",
  ),
  counter(
    "prometheus_tsdb_wal_truncations_total",
    "walTruncations",
    "Times that segments were to be removed from the WAL, after a checkpoint.",
  ),
  counter(
    "prometheus_tsdb_wal_truncations_failed_total",
    "walTruncationsFailed",
    "Times that segments could not be removed from the WAL.",
  ),
  summary(
    "prometheus_tsdb_wal_truncate_duration_seconds",
    "walTruncateSeconds",
    "checkpoints",
    "How long checkpoints took together with the removal of what they stand for.",
  ),
  counter(
    "prometheus_tsdb_checkpoint_deletions_total",
    "walCheckpointDeletions",
    "Times that older checkpoints were to be removed, after a new one.",
  ),
  counter(
    "prometheus_tsdb_checkpoint_deletions_failed_total",
    "walCheckpointDeletionsFailed",
    "Times that older checkpoints could not be removed.",
  ),
  counter(
    "prometheus_tsdb_checkpoint_creations_failed_total",
    "checkpointsFailed",
    "Checkpoints of the WAL that could not be written.",
  ),
];

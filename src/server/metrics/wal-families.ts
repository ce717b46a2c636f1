/** What is counted of the write-ahead log, its checkpoints and their removal, and of the log of late samples. */
import { counter, gauge, type StatFamily, sampleOf, summary, sumOf } from "./stat-families.ts";

/** The families that WAL and WBL have in common, from the stats whose names begin with `stats`. */
const logFamilies = (
  prefix: string,
  stats: "wal" | "wbl",
  log: string,
  compression: string,
): readonly StatFamily[] => [
  gauge(`${prefix}segment_current`, `${stats}Segment`, `The ${log} segment that is written to.`),
  gauge(`${prefix}storage_size_bytes`, `${stats}Bytes`, `Size of the ${log}.`),
  counter(`${prefix}page_flushes_total`, `${stats}PageFlushes`, `Writes of ${log} pages.`),
  counter(
    `${prefix}completed_pages_total`,
    `${stats}PageCompletions`,
    `Pages of the ${log} that were filled.`,
  ),
  counter(
    `${prefix}record_part_writes_total`,
    `${stats}RecordParts`,
    `Parts of records written to the ${log}.`,
  ),
  counter(
    `${prefix}record_parts_bytes_written_total`,
    `${stats}RecordPartsBytes`,
    `Bytes of records written to the ${log}.`,
  ),
  {
    name: `${prefix}record_bytes_saved_total`,
    type: "counter",
    help: `Bytes that compression kept out of the ${log}.`,
    samples: [sampleOf(`${stats}SavedBytes`, `{compression="${compression}"}`)],
  },
  counter(`${prefix}writes_failed_total`, `${stats}WritesFailed`, `Writes to the ${log} that failed.`),
  {
    name: `${prefix}fsync_duration_seconds`,
    type: "summary",
    help: `How long syncing the ${log} took; the quantiles are of the last ten minutes.`,
    samples: [
      sampleOf(`${stats}SyncQ50`, '{quantile="0.5"}'),
      sampleOf(`${stats}SyncQ90`, '{quantile="0.9"}'),
      sampleOf(`${stats}SyncQ99`, '{quantile="0.99"}'),
      sampleOf(`${stats}SyncSeconds`, "_sum"),
      sampleOf(`${stats}Syncs`, "_count"),
    ],
  },
  counter(`narthex_${stats}_fsyncs_failed_total`, `${stats}SyncsFailed`, `Syncs of the ${log} that failed.`),
  counter(
    `${prefix}truncations_total`,
    `${stats}Truncations`,
    `Times that segments were to be removed from the ${log}: a checkpoint, or blocks, stand for what is in them.`,
  ),
  counter(
    `${prefix}truncations_failed_total`,
    `${stats}TruncationsFailed`,
    `Times that segments could not be removed from the ${log}.`,
  ),
];

/** `compression`: "none", "snappy" or "zstd". */
export const walFamilies = (compression: string): readonly StatFamily[] => [
  ...logFamilies("prometheus_tsdb_wal_", "wal", "WAL", compression),
  ...logFamilies("prometheus_tsdb_out_of_order_wbl_", "wbl", "WBL", compression),
  counter(
    "narthex_blocks_repaired_total",
    "blocksRepaired",
    "Damaged blocks that the start repaired or set aside.",
  ),
  counter(
    "narthex_block_deletions_lost_total",
    "blockDeletionsLost",
    "Blocks whose deletions the start could not read in full: deleted samples may be back.",
  ),
  counter("prometheus_tsdb_wal_corruptions_total", "walCorruptions", "Damages found in WAL and WBL."),
  counter(
    "prometheus_tsdb_checkpoint_creations_total",
    (stats) => sumOf(stats["checkpoints"], stats["checkpointsFailed"]),
    "Checkpoints of the WAL that were begun.",
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

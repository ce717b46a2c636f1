/** What the head counts. */
import {
  counter,
  gauge,
  histogram,
  type Source,
  type StatFamily,
  type Stats,
  sampleOf,
  summary,
} from "./stat-families.ts";

export const int64Max = 2 ** 63;

/** Of floats and of native histograms. */
const counterByType = (name: string, floats: Source, histograms: Source, help: string): StatFamily => ({
  name,
  type: "counter",
  help,
  samples: [sampleOf(floats, '{type="float"}'), sampleOf(histograms, '{type="histogram"}')],
});

/** An empty head's times are infinite here and the ends of int64 in Prometheus. */
export function headTime(stat: "minTime" | "maxTime"): (stats: Stats) => number | undefined {
  return (stats) => {
    const ms = stats[stat];
    return ms === undefined ? undefined : Math.max(-int64Max, Math.min(int64Max, ms));
  };
}

/** Whole seconds of milliseconds. */
export function seconds(source: (stats: Stats) => number | undefined): (stats: Stats) => number | undefined {
  return (stats) => {
    const ms = source(stats);
    return ms === undefined ? undefined : Math.trunc(ms / 1000);
  };
}

export const headFamilies: readonly StatFamily[] = [
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
  histogram(
    "prometheus_tsdb_sample_ooo_delta",
    "lateSeconds",
    [600, 1800, 3600, 7200, 10800, 21600, 43200],
    "By how many seconds samples that were taken out of order came too late.",
  ),
  counterByType(
    "prometheus_tsdb_too_old_samples_total",
    "tooOld",
    "histogramsTooOld",
    "Samples refused because they came later than the out-of-order window allows.",
  ),
  counter("prometheus_tsdb_head_truncations_total", "truncations", "Times the head was cut."),
  counter(
    "prometheus_tsdb_head_truncations_failed_total",
    "truncationsFailed",
    "Times that cutting the head stopped for want of memory or because files could not be removed; it is taken up again.",
  ),
  summary(
    "prometheus_tsdb_head_gc_duration_seconds",
    "gcSeconds",
    "gcs",
    "How long cuts of the head kept the writer busy.",
  ),
  counter(
    "prometheus_tsdb_head_series_not_found_total",
    "seriesNotFound",
    "Series that were selected and then found removed.",
  ),
  gauge(
    "prometheus_tsdb_head_active_appenders",
    "appendsOpen",
    "Scrapes and remote-write requests that the writer has and has not committed yet.",
  ),
  gauge(
    "prometheus_tsdb_isolation_high_watermark",
    "batchCommitted",
    "The number of the last batch that was committed.",
  ),
  gauge(
    "prometheus_tsdb_isolation_low_watermark",
    "batchOldest",
    "The number of the oldest batch that somebody still reads as of; the last one where nobody reads.",
  ),
  counter("prometheus_tsdb_mmap_chunks_total", "chunksPersisted", "Full chunks written to chunks_head."),
  counter(
    "prometheus_tsdb_mmap_chunk_corruptions_total",
    "chunkDamages",
    "Files of chunks_head that the start found damaged.",
  ),
  counter(
    "prometheus_tsdb_snapshot_replay_error_total",
    "snapshotsRefused",
    "Head snapshots that the start could not use; it read all of the WAL instead.",
  ),
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

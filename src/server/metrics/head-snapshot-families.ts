/** What is counted of head snapshots and of the start. */
import { counter, gauge, type StatFamily } from "./stat-families.ts";

export const headSnapshotFamilies: readonly StatFamily[] = [
  counter("narthex_head_snapshots_total", "snapshots", "Head snapshots that were taken."),
  counter(
    "narthex_head_snapshots_failed_total",
    "snapshotsFailed",
    "Head snapshots that could not be taken.",
  ),
  gauge(
    "narthex_head_snapshot_running",
    "snapshotsRunning",
    "1 while a head snapshot is taken, otherwise 0.",
  ),
  gauge(
    "narthex_head_snapshot_last_duration_seconds",
    "snapshotLastSeconds",
    "How long the last head snapshot took.",
  ),
  gauge("narthex_head_snapshot_last_size_bytes", "snapshotLastBytes", "The size of the last head snapshot."),
  counter(
    "narthex_head_snapshot_seconds_total",
    "snapshotSeconds",
    "How long head snapshots took, all together.",
  ),
  gauge(
    "narthex_head_snapshot_loaded_series",
    "snapshotSeries",
    "Series that the start took from a head snapshot; 0 where all of the WAL was replayed.",
  ),
];

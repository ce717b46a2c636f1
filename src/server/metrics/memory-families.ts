/**
 * What the process's memory is used for, and the families of the storage engine that Prometheus had before 2.0, as far as
 * their ideas live on here. Names, types and meanings are that engine's; the docs say what each counts here.
 */
import { counter, gauge, type StatFamily, sampleOf, summary, sumOf } from "./stat-families.ts";

const local = (name: string) => `prometheus_local_storage_${name}`;

const parts: readonly [part: string, stat: string][] = [
  ["fixed", "memoryFixed"],
  ["head", "memoryArena"],
  ["page_cache", "memoryCaches"],
  ["queries", "memoryQueries"],
  ["compaction", "memoryCompaction"],
];

const chunksPersistedBounds = [1, 2, 4, 8] as const;

export const memoryFamilies: readonly StatFamily[] = [
  {
    name: "narthex_memory_bytes",
    type: "gauge",
    help: "Memory by what it is used for; fixed: threads and code, measured.",
    samples: parts.map(([part, stat]) => sampleOf(stat, `{part="${part}"}`)),
  },
  gauge("narthex_memory_limit_bytes", "memoryLimit", "What the whole process shall keep to."),
  gauge("narthex_memory_head_held_bytes", "memoryHeld", "What the head has in use of its part."),
  counter(
    "narthex_memory_queries_refused_total",
    "queriesRefused",
    "Queries that were refused because the memory limit was near.",
  ),
  counter(
    "narthex_head_series_refused_total",
    "seriesRefused",
    "Times a new series was refused, for want of memory or because of a limit.",
  ),
  counter(
    "narthex_scrape_series_refused_total",
    "scrapeSeriesRefused",
    "Times a new series of a target was refused.",
  ),
  gauge(
    local("persistence_urgency_score"),
    "urgencyScore",
    "How near the memory limit is, from 0 to 1, by what the head holds.",
  ),
  gauge(local("rushed_mode"), "rushed", "1 while the memory limit is near, otherwise 0."),
  gauge(local("memory_series"), "series", "Series in memory."),
  gauge(local("memory_chunks"), "memoryChunks", "Chunks in memory, those of chunks_head not counted."),
  gauge(
    local("memory_dirty_series"),
    "openChunks",
    "Series with samples that are in no chunk file and no block, and have to be read from the WAL at a start.",
  ),
  gauge(local("chunks_to_persist"), "chunksWaiting", "Full chunks that wait to be written to chunks_head."),
  gauge(local("open_head_chunks"), "openChunks", "Chunks that samples are appended to."),
  {
    name: local("series_chunks_persisted"),
    type: "histogram",
    help: "How many chunks were written for a series at a time.",
    samples: [
      ...chunksPersistedBounds.map((bound) =>
        sampleOf(`chunksPersistedUpTo${bound}`, `_bucket{le="${bound}"}`),
      ),
      sampleOf("chunksPersistedTimes", '_bucket{le="+Inf"}'),
      sampleOf("chunksPersisted", "_sum"),
      sampleOf("chunksPersistedTimes", "_count"),
    ],
  },
  gauge(local("checkpointing"), "checkpointing", "1 while a WAL checkpoint is written, otherwise 0."),
  gauge(
    local("checkpoint_last_duration_seconds"),
    "checkpointLastSeconds",
    "How long the last WAL checkpoint took.",
  ),
  gauge(local("checkpoint_last_size_bytes"), "checkpointLastBytes", "The size of the last WAL checkpoint."),
  summary(
    local("checkpoint_duration_seconds"),
    "checkpointSeconds",
    "checkpoints",
    "How long WAL checkpoints took.",
  ),
  counter(local("inconsistencies_total"), "walCorruptions", "Damages found in what is on the disk."),
  counter(
    local("persist_errors_total"),
    (stats) => sumOf(stats["chunkWriteErrors"], stats["walWritesFailed"], stats["compactionsFailed"]),
    "Times that chunks, WAL or a block could not be written.",
  ),
  gauge(local("target_heap_size_bytes"), "memoryLimit", "The memory limit under its older name."),
];

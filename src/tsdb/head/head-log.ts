/**
 * What the head needs from outside: a log that makes a batch durable before it becomes visible, and files for chunks
 * that are full. `tsdb/wal` and `tsdb/chunks` provide them; tests record what was called.
 */
import type { ByteWriter } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";
import type { Metadata } from "../../storage/appender.ts";
import type { Chunk } from "../chunks/chunk.ts";
import type { ExemplarEntry } from "../record/exemplars.ts";
import type { HistogramEntry } from "../record/histograms.ts";
import type { MmapMarker } from "../record/mmap-markers.ts";

/** Series that no record in the log names yet, in the order of their creation. Valid during the call. */
export interface NewSeries {
  readonly n: number;
  /** The first `n` are filled. */
  readonly walRefs: Float64Array;
  labels(index: number): Labels;
  /** The same as a series record has it. */
  writeLabels(index: number, out: ByteWriter): void;
}

export interface MetadataEntry {
  readonly walRef: number;
  readonly metadata: Metadata;
}

/**
 * The write-ahead log as a commit sees it. Calls come in this order, those without content left out: logSeries,
 * logMetadata, then logSamples and logHistograms in the order of the samples (once each, or several times where series change
 * from one kind to another within the batch), logExemplars, flush. Whatever throws ends the batch: nothing of it becomes
 * visible, and the series are offered again with the next batch.
 */
export interface HeadLog {
  logSeries(series: NewSeries): void;
  logMetadata(entries: readonly MetadataEntry[]): void;
  /** Parallel columns, the first `n` of them; values as bits. `starts`: start times, 0 for none; undefined where none are kept. */
  logSamples(
    walRefs: Float64Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    starts?: Float64Array,
  ): void;
  /** All with integer counts, or all with float counts. */
  logHistograms(entries: readonly HistogramEntry[], withStarts?: boolean): void;
  logExemplars(entries: readonly ExemplarEntry[]): void;
  /** Hands everything to the operating system: after this the batch survives the process. */
  flush(): void;
}

/** The log of samples that came out of order, as a commit sees it; as {@link HeadLog}. Markers come first. */
export interface LateLog {
  logMmapMarkers(markers: readonly MmapMarker[]): void;
  logSamples: HeadLog["logSamples"];
  logHistograms: HeadLog["logHistograms"];
  flush(): void;
}

/** Where full chunks go. A HeadChunkWriter (tsdb/chunks) is one. */
export interface ChunkSink {
  /** Copies the bytes; the ref may be read once {@link ChunkSink.flush} returned. */
  append(walRef: number, mint: number, maxt: number, encoding: number, bytes: Uint8Array): number;
  flush(): void;
}

/** Where readers find them. A HeadChunkReader is one; each thread has its own. */
export interface ChunkStore {
  /** The bytes are valid until the next read. */
  read(ref: number): Chunk;
}

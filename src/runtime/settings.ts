/** What the threads are told at their start. Plain data that can be posted; durations are milliseconds, sizes bytes. */
import type { Compression } from "../tsdb/wal/segment.ts";
import type { WalSync } from "../tsdb/wal/wal.ts";

export interface StorageSettings {
  /** The data directory. */
  readonly dir: string;
  /** The length of a block cut from the head. */
  readonly blockRangeMs: number;
  readonly samplesPerChunk: number;
  readonly walSegmentBytes: number;
  readonly walCompression: Compression;
  readonly walSync: WalSync;
  /** How large the file is that is given up when the disk is full; 0: there is none. */
  readonly reserveBytes: number;
  /** Whether the feature is switched on: exemplars are read from pages. */
  readonly keepExemplars: boolean;
  /** 0: no exemplars are kept. A reload may change it. */
  readonly exemplarsMax: number;
  /** Whether start times are logged, and kept in chunks that can hold them. */
  readonly keepsStarts: boolean;
  /** A file that lists uploaded blocks; those cut from the head wait for it before they are compacted. "": none. */
  readonly delayCompactFile: string;
  /** Of the whole process. */
  readonly memoryLimitBytes: number;
  /** What a reading thread keeps of files. */
  readonly cacheBytes: number;
  /** How often a head snapshot is taken; 0: never. */
  readonly headSnapshotIntervalMs: number;
  /** None is taken that would be larger; 0: no limit. */
  readonly headSnapshotBytesMax: number;
  /** All of the WAL is replayed and all blocks are read through at the start. */
  readonly verifyOnStart: boolean;
  /** The size limit of one chunk file of a block. */
  readonly blockSegmentBytes: number;
}

/** Which encodings chunks get that are begun. */
export interface ChunkSettings {
  /** A reload may change it. */
  readonly floats: "xor" | "xor2";
  /** Whether native histograms get the encodings with start times. */
  readonly histogramStarts: boolean;
}

/** When blocks go; a reload may change it. */
export interface RetentionSettings {
  /** 0: whatever their age. */
  readonly timeMs: number;
  /** Of blocks and head together; 0: no limit. */
  readonly sizeBytes: number;
  /** The same as a share of the disk, in percent; where it is not 0, it counts instead of the size. */
  readonly percentage: number;
  /** Series that are kept for a shorter time; the first rule that matches counts. */
  readonly rules: readonly { readonly match: string; readonly timeMs: number }[];
}

export interface QuerySettings {
  readonly lookbackMs: number;
  readonly samplesMax: number;
  readonly timeoutMs: number;
  /** Memory that one query may hold. */
  readonly bytesMax: number;
  /** The step of subqueries that name none. */
  readonly evaluationIntervalMs: number;
}

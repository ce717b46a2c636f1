/** Replay: reads a checkpoint and the segments after it, and delivers their records to a {@link WalSink}. */
import type { Codecs } from "../../base/codec.ts";
import type { Logger } from "../../base/env.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import type { SetAside } from "../../base/set-aside.ts";
import { decodeExemplars } from "../record/exemplars.ts";
import { decodeHistogramRecord, HistogramBatch } from "../record/histograms.ts";
import { decodeMetadata } from "../record/metadata.ts";
import { decodeMmapMarkers } from "../record/mmap-markers.ts";
import { higherWalRef } from "../record/record-reader.ts";
import { isHistogramRecord, RecordType, recordType } from "../record/record-type.ts";
import { decodeSamples, SampleBatch } from "../record/samples.ts";
import { SeriesCursor } from "../record/series.ts";
import { decodeTombstones } from "../record/tombstones.ts";
import { lastCheckpoint } from "./checkpoint-dir.ts";
import type { SegmentGap } from "./losses.ts";
import { forEachRecord, type SegmentDamage } from "./repair.ts";
import { findGaps, isWbl, repairLog } from "./repair-log.ts";
import { listSegments, type Segment } from "./segment.ts";
import type { SegmentReader } from "./segment-reader.ts";
import type { WalSink } from "./wal-sink.ts";

export interface ReplayResult {
  /** The number that the next segment gets. */
  readonly nextSegment: number;
  /**
   * The highest WAL ref in any record, also of records whose series is not known: new series must get higher ones, or
   * such records would become theirs at the next replay.
   */
  readonly walRefMax: number;
  readonly recordCount: number;
  /** What had to be cut off because it was damaged. */
  readonly setAside: readonly SetAside[];
  /** Segments that turned out to be missing, with a note of their own. */
  readonly gaps: readonly SegmentGap[];
}

export interface ReplayOptions {
  /** Takes what is damaged, with notes of what is missing. */
  readonly quarantineDir: string;
  /** Only what the log holds from here on is replayed; the caller has made sure that the place is there. */
  readonly from?: { readonly segment: number; readonly offset: number };
  /** Blocks have all samples that are older: their loss is none. Default: they have none. */
  readonly neededFrom?: number;
}

export interface ReplayEnv {
  readonly fs: Fs;
  readonly logger: Logger;
  readonly codecs: Codecs;
}

/**
 * Replays everything in `dir`, over damaged places: what follows them is replayed too, as far as its series are known.
 * Damaged segments are then made whole, with a warning each; what was damaged goes to the quarantine.
 */
export function replayWal(env: ReplayEnv, dir: string, options: ReplayOptions, sink: WalSink): ReplayResult {
  const { fs } = env;
  const { from } = options;
  const delivery = new Delivery(env, sink);
  const checkpoint = lastCheckpoint(fs, dir);
  const ofCheckpoint = checkpoint === undefined ? [] : listSegments(fs, checkpoint.path);
  const damages = from === undefined ? delivery.deliver(ofCheckpoint, () => {}) : [];
  const covered = checkpoint?.index ?? -1;
  const own = listSegments(fs, dir).filter(({ index }) => index > covered);
  const first = from?.segment ?? covered + 1;
  const segments = own.filter(({ index }) => index >= first);
  const gaps = from === undefined ? findGaps(checkpoint === undefined ? undefined : first, segments) : [];
  const last = segments.at(-1)?.index ?? -1;
  const onSegment = (index: number) => sink.progress(index, segments[0].index, last);
  damages.push(...delivery.deliver(segments, onSegment, from?.offset));
  const { neededFrom = Number.NEGATIVE_INFINITY } = options;
  const parts = { checkpoint: ofCheckpoint, segments: own, neededFrom, late: isWbl(dir) };
  const repaired = repairLog(env, dir, options.quarantineDir, parts, damages, gaps);
  const { walRefMax, recordCount } = delivery;
  return { nextSegment: Math.max(first, last + 1), walRefMax, recordCount, ...repaired };
}

/** Delivers records to a sink. */
class Delivery {
  walRefMax = 0;
  recordCount = 0;
  readonly #env: ReplayEnv;
  readonly #sink: WalSink;
  readonly #batch = new SampleBatch();
  readonly #histogramBatch = new HistogramBatch();
  #oddHistograms = 0;

  constructor(env: ReplayEnv, sink: WalSink) {
    this.#env = env;
    this.#sink = sink;
  }

  /** Delivers all records of the segments, of the first one from `offset` on; returns which are damaged. */
  deliver(segments: readonly Segment[], onSegment: (index: number) => void, offset = 0): SegmentDamage[] {
    const damages: SegmentDamage[] = [];
    for (const segment of segments) {
      onSegment(segment.index);
      const start = segment === segments[0] ? offset : 0;
      const deliver = (reader: SegmentReader) => {
        this.#record(reader);
        this.recordCount++;
      };
      const damage = forEachRecord(this.#env, segment, deliver, start);
      if (damage !== undefined) damages.push(damage);
    }
    return damages;
  }

  #record(reader: SegmentReader): void {
    const { record } = reader;
    const type = recordType(record);
    if (type === undefined) return;
    if (isHistogramRecord(type)) return this.#histograms(record);
    const sink = this.#sink;
    switch (type) {
      case RecordType.series:
        decoded(reader, () => this.#noteSeries(record));
        return sink.series(new SeriesCursor(record));
      case RecordType.samples:
      case RecordType.samplesV2:
        decoded(reader, () => decodeSamples(record, this.#batch));
        this.#noteRefs(this.#batch);
        return sink.samples(this.#batch);
      case RecordType.tombstones:
        return sink.tombstones(this.#noted(decoded(reader, () => decodeTombstones(record))));
      case RecordType.exemplars:
        return sink.exemplars(this.#noted(decoded(reader, () => decodeExemplars(record))));
      case RecordType.mmapMarkers:
        return sink.mmapMarkers?.(this.#noted(decoded(reader, () => decodeMmapMarkers(record))));
      case RecordType.metadata:
        return sink.metadata(this.#noted(decoded(reader, () => decodeMetadata(record))));
    }
  }

  /** Histograms that we cannot follow (counts beyond 2^53) are no reason to cut the WAL. */
  #histograms(record: Uint8Array): void {
    try {
      decodeHistogramRecord(record, this.#histogramBatch);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      if (this.#oddHistograms++ === 0) {
        this.#env.logger.warn("A histogram record of the write-ahead log could not be followed; it is kept", {
          reason: error.message,
        });
      }
      return;
    }
    this.#noteRefs(this.#histogramBatch);
    this.#sink.histograms(this.#histogramBatch);
  }

  #noteSeries(record: Uint8Array): void {
    const cursor = new SeriesCursor(record);
    let max = this.walRefMax;
    while (cursor.next()) max = higherWalRef(max, cursor.walRef);
    this.walRefMax = max;
  }

  #noteRefs({ walRefs, n }: { readonly walRefs: Float64Array; readonly n: number }): void {
    let max = this.walRefMax;
    for (let i = 0; i < n; i++) max = higherWalRef(max, walRefs[i]);
    this.walRefMax = max;
  }

  #noted<T extends { readonly walRef: number }>(entries: T[]): T[] {
    for (const { walRef } of entries) this.walRefMax = higherWalRef(this.walRefMax, walRef);
    return entries;
  }
}

/** Runs a decoder; that a record does not decode is damage of its segment. */
function decoded<T>(reader: SegmentReader, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    throw reader.corruptRecord(`a record does not decode: ${error.message}`, { cause: error });
  }
}

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
import { forEachRecord, repairSegment, type SegmentDamage } from "./repair.ts";
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
}

export interface ReplayEnv {
  readonly fs: Fs;
  readonly logger: Logger;
  readonly codecs: Codecs;
}

/**
 * Replays everything in `dir`, over damaged places: what follows them is replayed too, as far as its series are known.
 * Damaged segments are then made whole, with a warning each; what was damaged goes to `quarantineDir`.
 * With `from` nothing before that place is looked at.
 */
export function replayWal(
  env: ReplayEnv,
  dir: string,
  quarantineDir: string,
  sink: WalSink,
  from?: { readonly segment: number; readonly offset: number },
): ReplayResult {
  const { fs, logger } = env;
  const delivery = new Delivery(env, sink);
  const checkpoint = lastCheckpoint(fs, dir);
  const damages =
    checkpoint === undefined || from !== undefined
      ? []
      : delivery.deliver(listSegments(fs, checkpoint.path), () => {});
  const first = from?.segment ?? (checkpoint?.index ?? -1) + 1;
  const segments = listSegments(fs, dir).filter(({ index }) => index >= first);
  if (from === undefined) warnAboutGaps(logger, checkpoint === undefined ? undefined : first, segments);
  const last = segments.at(-1)?.index ?? -1;
  const onSegment = (index: number) => sink.progress(index, segments[0].index, last);
  damages.push(...delivery.deliver(segments, onSegment, from?.offset));
  const aside = damages.map((damage) => {
    const one = repairSegment(env, damage, quarantineDir);
    logger.warn("Damaged write-ahead log: its damaged records were taken out, all others are used", {
      file: one.from,
      places: damage.errors.length,
      original: one.to,
      reason: one.reason,
    });
    return one;
  });
  const { walRefMax, recordCount } = delivery;
  return { nextSegment: Math.max(first, last + 1), walRefMax, recordCount, setAside: aside };
}

/** A segment is missing: somebody removed it. What is left is still good, so it is replayed. */
function warnAboutGaps(logger: Logger, expected: number | undefined, segments: readonly Segment[]): void {
  for (const { index, path } of segments) {
    if (expected !== undefined && index !== expected) {
      logger.warn("Write-ahead log segments are missing; going on with those that are there", {
        missingFrom: expected,
        missingTo: index - 1,
        next: path,
      });
    }
    expected = index + 1;
  }
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

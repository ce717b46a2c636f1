/**
 * Decides what of each WAL record a checkpoint keeps:
 * - series: those that `keep` wants, byte for byte
 * - float samples, native histograms and exemplars: from `mint` on
 * - tombstones: of kept series, if they reach `mint`
 * - metadata: the latest of each kept series, after everything else
 * - records of a type we do not know: all of them, byte for byte. (Prometheus drops the unknown.) Histograms that cannot be
 *   decoded likewise.
 *
 * Samples and histograms with start times keep them, and their types of records.
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { Metadata } from "../../storage/appender.ts";
import { decodeExemplars, encodeExemplars } from "../record/exemplars.ts";
import {
  decodeHistogramRecord,
  encodeHistograms,
  encodeHistogramsWithStarts,
  HistogramBatch,
  type HistogramEntry,
} from "../record/histograms.ts";
import { decodeMetadata, encodeMetadata, type MetadataEntry } from "../record/metadata.ts";
import { RecordType, recordType } from "../record/record-type.ts";
import { decodeSamples, encodeSamples, encodeSamplesWithStarts, SampleBatch } from "../record/samples.ts";
import { beginSeries, SeriesCursor } from "../record/series.ts";
import { decodeTombstones, encodeTombstones } from "../record/tombstones.ts";

/** How many entries were read, and how many of them dropped. Samples are floats and histograms. */
export interface CheckpointStats {
  totalSeries: number;
  droppedSeries: number;
  totalSamples: number;
  droppedSamples: number;
  totalTombstones: number;
  droppedTombstones: number;
  totalExemplars: number;
  droppedExemplars: number;
  totalMetadata: number;
  droppedMetadata: number;
}

const metadataPerRecord = 10_000;

export class CheckpointFilter {
  readonly stats: CheckpointStats = {
    totalSeries: 0,
    droppedSeries: 0,
    totalSamples: 0,
    droppedSamples: 0,
    totalTombstones: 0,
    droppedTombstones: 0,
    totalExemplars: 0,
    droppedExemplars: 0,
    totalMetadata: 0,
    droppedMetadata: 0,
  };
  readonly #keep: (walRef: number) => boolean;
  readonly #mint: number;
  readonly #batch = new SampleBatch();
  readonly #histogramBatch = new HistogramBatch();
  readonly #metadata = new Map<number, Metadata>();

  constructor(keep: (walRef: number) => boolean, mint: number) {
    this.#keep = keep;
    this.#mint = mint;
  }

  /** Appends what is kept of `record` to `out`: a record, or nothing. */
  append(record: Uint8Array, out: ByteWriter): void {
    switch (recordType(record)) {
      case RecordType.series:
        return this.#series(record, out);
      case RecordType.samples:
      case RecordType.samplesV2:
        return this.#samples(record, out);
      case RecordType.histogramSamples:
      case RecordType.floatHistogramSamples:
      case RecordType.customBucketsHistogramSamples:
      case RecordType.customBucketsFloatHistogramSamples:
      case RecordType.histogramSamplesV2:
      case RecordType.floatHistogramSamplesV2:
        return this.#histograms(record, out);
      case RecordType.tombstones:
        return this.#tombstones(record, out);
      case RecordType.exemplars:
        return this.#exemplars(record, out);
      case RecordType.metadata:
        return this.#noteMetadata(record);
      default:
        return out.raw(record);
    }
  }

  /** The metadata to write when all records are through, split into records. */
  *metadataBatches(): IterableIterator<MetadataEntry[]> {
    let entries: MetadataEntry[] = [];
    for (const [walRef, metadata] of this.#metadata) {
      entries.push({ walRef, metadata });
      if (entries.length < metadataPerRecord) continue;
      yield entries;
      entries = [];
    }
    if (entries.length > 0) yield entries;
  }

  appendMetadata(entries: readonly MetadataEntry[], out: ByteWriter): void {
    encodeMetadata(entries, out);
  }

  #series(record: Uint8Array, out: ByteWriter): void {
    const { stats } = this;
    const start = out.length;
    beginSeries(out);
    let kept = 0;
    for (const cursor = new SeriesCursor(record); cursor.next(); ) {
      stats.totalSeries++;
      if (this.#keep(cursor.walRef)) {
        out.raw(record.subarray(cursor.start, cursor.end));
        kept++;
      } else {
        stats.droppedSeries++;
      }
    }
    if (kept === 0) out.truncate(start);
  }

  #samples(record: Uint8Array, out: ByteWriter): void {
    const batch = this.#batch;
    decodeSamples(record, batch);
    const { walRefs, t, v, starts, n } = batch;
    let kept = 0;
    for (let i = 0; i < n; i++) {
      if (t[i] < this.#mint) continue;
      if (kept < i) {
        walRefs[kept] = walRefs[i];
        t[kept] = t[i];
        if (starts !== undefined) starts[kept] = starts[i];
        // As a whole-array copy: a number in between could lose a staleness marker's bits.
        v.copyWithin(kept, i, i + 1);
      }
      kept++;
    }
    this.stats.totalSamples += n;
    this.stats.droppedSamples += n - kept;
    if (kept === n) out.raw(record);
    else if (kept > 0 && starts === undefined) encodeSamples(walRefs, t, v, 0, kept, out);
    else if (kept > 0 && starts !== undefined) encodeSamplesWithStarts(walRefs, t, v, starts, 0, kept, out);
  }

  #histograms(record: Uint8Array, out: ByteWriter): void {
    const batch = this.#histogramBatch;
    try {
      decodeHistogramRecord(record, batch);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return out.raw(record);
    }
    const { walRefs, t, starts, histograms, n } = batch;
    const kept: HistogramEntry[] = [];
    for (let i = 0; i < n; i++) {
      if (t[i] < this.#mint) continue;
      kept.push({ walRef: walRefs[i], t: t[i], histogram: histograms[i], start: starts[i] });
    }
    this.stats.totalSamples += n;
    this.stats.droppedSamples += n - kept.length;
    if (kept.length === n) out.raw(record);
    else if (kept.length === 0) return;
    else if (record[0] >= RecordType.histogramSamplesV2) encodeHistogramsWithStarts(kept, out);
    else encodeHistograms(kept, out);
  }

  #tombstones(record: Uint8Array, out: ByteWriter): void {
    const entries = decodeTombstones(record);
    const kept = entries.filter(({ walRef, maxt }) => maxt >= this.#mint && this.#keep(walRef));
    this.stats.totalTombstones += entries.length;
    this.stats.droppedTombstones += entries.length - kept.length;
    if (kept.length === entries.length) out.raw(record);
    else if (kept.length > 0) encodeTombstones(kept, out);
  }

  #exemplars(record: Uint8Array, out: ByteWriter): void {
    const entries = decodeExemplars(record);
    const kept = entries.filter(({ t }) => t >= this.#mint);
    this.stats.totalExemplars += entries.length;
    this.stats.droppedExemplars += entries.length - kept.length;
    if (kept.length === entries.length) out.raw(record);
    else if (kept.length > 0) encodeExemplars(kept, out);
  }

  #noteMetadata(record: Uint8Array): void {
    for (const { walRef, metadata } of decodeMetadata(record)) {
      const { stats } = this;
      stats.totalMetadata++;
      if (!this.#keep(walRef) || this.#metadata.has(walRef)) stats.droppedMetadata++;
      if (this.#keep(walRef)) this.#metadata.set(walRef, metadata);
    }
  }
}

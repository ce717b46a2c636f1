/**
 * The WAL as the head's commit uses it (head/head-log.ts): turns the parts of a batch into records and writes them as
 * one unit at the flush, in the order of the calls.
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";
import { type ExemplarEntry, encodeExemplars } from "../record/exemplars.ts";
import { encodeHistograms, encodeHistogramsWithStarts, type HistogramEntry } from "../record/histograms.ts";
import { encodeMetadata, type MetadataEntry } from "../record/metadata.ts";
import { encodeMmapMarkers, type MmapMarker } from "../record/mmap-markers.ts";
import { encodeSamples, encodeSamplesWithStarts } from "../record/samples.ts";
import { addSeries, beginSeries } from "../record/series.ts";
import { encodeTombstones, type TombstoneEntry } from "../record/tombstones.ts";
import type { Wal } from "./wal.ts";

/** Series that the log does not know yet: `n` WAL refs and the labels of each. */
export interface SeriesToLog {
  readonly n: number;
  readonly walRefs: Float64Array;
  labels(index: number): Labels;
  /** Writes the same as a record has it, where the caller has it without making text. */
  writeLabels?(index: number, out: ByteWriter): void;
}

export class WalLog {
  readonly #wal: Wal;
  /** The records of the batch, and writers for more: used again for batch after batch. */
  readonly #records: ByteWriter[] = [];
  #n = 0;

  constructor(wal: Wal) {
    this.#wal = wal;
  }

  logSeries(series: SeriesToLog): void {
    if (series.n === 0) return;
    const out = this.#next();
    beginSeries(out);
    for (let i = 0; i < series.n; i++) {
      if (series.writeLabels === undefined) {
        addSeries(out, series.walRefs[i], series.labels(i));
      } else {
        out.u64(series.walRefs[i]);
        series.writeLabels(i, out);
      }
    }
  }

  logMetadata(entries: readonly MetadataEntry[]): void {
    if (entries.length > 0) encodeMetadata(entries, this.#next());
  }

  /** With `starts` as a record of the type that has start times. */
  logSamples(
    walRefs: Float64Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    starts?: Float64Array,
  ): void {
    if (n === 0) return;
    if (starts === undefined) encodeSamples(walRefs, timestamps, values, 0, n, this.#next());
    else encodeSamplesWithStarts(walRefs, timestamps, values, starts, 0, n, this.#next());
  }

  /**
   * All with integer counts or all with float counts. Those with custom buckets are a record of their own, after the others;
   * with start times all are one record.
   */
  logHistograms(entries: readonly HistogramEntry[], withStarts = false): void {
    if (withStarts) {
      if (entries.length > 0) encodeHistogramsWithStarts(entries, this.#next());
      return;
    }
    for (const isCustom of [false, true]) {
      const record = entries.filter(({ histogram }) => histogram.isCustom === isCustom);
      if (record.length > 0) encodeHistograms(record, this.#next());
    }
  }

  /** Of the WBL. */
  logMmapMarkers(markers: readonly MmapMarker[]): void {
    if (markers.length > 0) encodeMmapMarkers(markers, this.#next());
  }

  logExemplars(entries: readonly ExemplarEntry[]): void {
    if (entries.length > 0) encodeExemplars(entries, this.#next());
  }

  /**
   * Writes the batch. Throws a STORAGE error where that fails: then nothing of it is in the log. The parts are
   * forgotten either way.
   */
  flush(): void {
    const records = this.#records.slice(0, this.#n);
    try {
      this.#wal.log(records.map((record) => record.bytes()));
    } finally {
      for (const record of records) record.clear();
      this.#n = 0;
    }
  }

  #next(): ByteWriter {
    if (this.#n === this.#records.length) this.#records.push(new ByteWriter());
    return this.#records[this.#n++];
  }

  /** Writes a deletion, at once. */
  logTombstones(entries: readonly TombstoneEntry[]): void {
    const record = new ByteWriter(entries.length * 28 + 1);
    encodeTombstones(entries, record);
    this.#wal.log([record.bytes()]);
  }
}

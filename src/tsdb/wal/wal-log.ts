/**
 * The WAL as the head's commit uses it (head/head-log.ts): turns the parts of a batch into records and writes them as
 * one unit at the flush, in Prometheus's order: series, metadata, samples, exemplars.
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";
import { type ExemplarEntry, encodeExemplars } from "../record/exemplars.ts";
import { encodeMetadata, type MetadataEntry } from "../record/metadata.ts";
import { encodeSamples } from "../record/samples.ts";
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
  /** One for each kind of record, used again for batch after batch. */
  readonly #series = new ByteWriter();
  readonly #metadata = new ByteWriter();
  readonly #samples = new ByteWriter();
  readonly #exemplars = new ByteWriter();

  constructor(wal: Wal) {
    this.#wal = wal;
  }

  logSeries(series: SeriesToLog): void {
    if (series.n === 0) return;
    const out = this.#series;
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
    if (entries.length > 0) encodeMetadata(entries, this.#metadata);
  }

  logSamples(walRefs: Float64Array, timestamps: Float64Array, values: Float64Array, n: number): void {
    if (n > 0) encodeSamples(walRefs, timestamps, values, 0, n, this.#samples);
  }

  logExemplars(entries: readonly ExemplarEntry[]): void {
    if (entries.length > 0) encodeExemplars(entries, this.#exemplars);
  }

  /**
   * Writes the batch. Throws a STORAGE error where that fails: then nothing of it is in the log. The parts are
   * forgotten either way.
   */
  flush(): void {
    const parts = [this.#series, this.#metadata, this.#samples, this.#exemplars];
    try {
      this.#wal.log(parts.filter(({ length }) => length > 0).map((part) => part.bytes()));
    } finally {
      for (const part of parts) part.clear();
    }
  }

  /** Writes a deletion, at once. */
  logTombstones(entries: readonly TombstoneEntry[]): void {
    const record = new ByteWriter(entries.length * 28 + 1);
    encodeTombstones(entries, record);
    this.#wal.log([record.bytes()]);
  }
}

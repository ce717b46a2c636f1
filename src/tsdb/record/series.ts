/**
 * Series records (type 1): which labels a WAL ref stands for.
 *
 * record = 1 u8 | entry*
 * entry  = walRef u64 | label count uvarint | (name, value)*   strings with their uvarint length
 */
import { type ByteReader, type ByteWriter, decodeUtf8 } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";
import { cleanLabels, writeLabels } from "./labels.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

/** Begins a series record; entries follow by {@link addSeries}. */
export function beginSeries(out: ByteWriter): void {
  out.u8(RecordType.series);
}

export function addSeries(out: ByteWriter, walRef: number, labels: Labels): void {
  out.u64(walRef);
  writeLabels(out, labels);
}

/**
 * Reads the entries of a series record one by one, without making strings: the labels are ranges of the record's bytes.
 */
export class SeriesCursor {
  readonly record: Uint8Array;
  /** Of the current entry. */
  walRef = 0;
  labelCount = 0;
  /** For each label of the current entry: where its name starts and ends, where its value starts and ends. */
  spans = new Uint32Array(4 * 32);
  /** Where the current entry starts and ends in the record. */
  start = 1;
  end = 1;
  readonly #reader: ByteReader;

  constructor(record: Uint8Array) {
    this.record = record;
    this.#reader = bodyOf(record, RecordType.series);
  }

  /** Steps to the next entry; false at the end. Throws a CorruptionError. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.remaining === 0) return false;
    this.start = reader.position;
    this.walRef = checkedRef(reader.u64(), reader);
    const count = reader.uvarint();
    if (count * 2 > reader.remaining) throw reader.corrupt(`${count} labels in ${reader.remaining} bytes`);
    if (count * 4 > this.spans.length) this.spans = new Uint32Array(count * 8);
    const { spans } = this;
    for (let i = 0; i < count * 4; i += 2) {
      const length = reader.uvarint();
      spans[i] = reader.position;
      reader.skip(length);
      spans[i + 1] = reader.position;
    }
    this.labelCount = count;
    this.end = reader.position;
    return true;
  }

  /** The labels of the current entry. */
  labels(): Labels {
    const { record, spans } = this;
    const pairs: string[] = [];
    for (let i = 0; i < this.labelCount * 4; i += 2) {
      pairs.push(decodeUtf8(record.subarray(spans[i], spans[i + 1])));
    }
    return cleanLabels(pairs);
  }
}

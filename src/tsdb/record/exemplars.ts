/**
 * Exemplar records (type 4).
 *
 * record = 4 u8 | base walRef u64 | base time i64 | entry*
 * entry  = walRef - base varint | time - base varint | value f64 | labels (count uvarint, strings)
 *
 * The first exemplar has an entry too, with zero deltas.
 */
import type { ByteWriter } from "../../base/bytes.ts";
import type { Labels } from "../../model/labels.ts";
import { readLabels, writeLabels } from "./labels.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

export interface ExemplarEntry {
  readonly walRef: number;
  /** Milliseconds. */
  readonly t: number;
  /** Never a staleness marker: an ordinary number will do. */
  readonly value: number;
  readonly labels: Labels;
}

const value = new Float64Array(1);

export function encodeExemplars(entries: readonly ExemplarEntry[], out: ByteWriter): void {
  out.u8(RecordType.exemplars);
  if (entries.length === 0) return;
  const base = entries[0];
  out.u64(base.walRef);
  out.i64(base.t);
  for (const entry of entries) {
    out.varint(entry.walRef - base.walRef);
    out.varint(entry.t - base.t);
    value[0] = entry.value;
    out.f64(value, 0);
    writeLabels(out, entry.labels);
  }
}

export function decodeExemplars(record: Uint8Array): ExemplarEntry[] {
  if (record.length === 1) return [];
  const reader = bodyOf(record, RecordType.exemplars);
  const baseRef = reader.u64();
  const baseTime = reader.i64();
  const entries: ExemplarEntry[] = [];
  while (reader.remaining > 0) {
    const walRef = checkedRef(baseRef + reader.varint(), reader);
    const t = baseTime + reader.varint();
    reader.f64(value, 0);
    entries.push({ walRef, t, value: value[0], labels: readLabels(reader) });
  }
  return entries;
}

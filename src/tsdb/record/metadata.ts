/**
 * Metadata records (type 6): type, unit and help of a series' metric, when they change.
 *
 * record = 6 u8 | entry*
 * entry  = walRef uvarint | metric type u8 | field count uvarint | (name, value)*   strings with their uvarint length
 *
 * The fields we know are UNIT and HELP; others are passed over.
 */
import type { ByteWriter } from "../../base/bytes.ts";
import type { Metadata } from "../../storage/appender.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

export interface MetadataEntry {
  readonly walRef: number;
  readonly metadata: Metadata;
}

/** By their number in the file. */
const metricTypes = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
];

export function encodeMetadata(entries: Iterable<MetadataEntry>, out: ByteWriter): void {
  out.u8(RecordType.metadata);
  for (const { walRef, metadata } of entries) {
    out.uvarint(walRef);
    out.u8(Math.max(0, metricTypes.indexOf(metadata.type)));
    out.uvarint(2);
    out.string("UNIT");
    out.string(metadata.unit);
    out.string("HELP");
    out.string(metadata.help);
  }
}

export function decodeMetadata(record: Uint8Array): MetadataEntry[] {
  const reader = bodyOf(record, RecordType.metadata);
  const entries: MetadataEntry[] = [];
  while (reader.remaining > 0) {
    const walRef = checkedRef(reader.uvarint(), reader);
    const type = metricTypes[reader.u8()] ?? "unknown";
    const fieldCount = reader.uvarint();
    if (fieldCount * 2 > reader.remaining) {
      throw reader.corrupt(`${fieldCount} fields in ${reader.remaining} bytes`);
    }
    let unit = "";
    let help = "";
    for (let i = 0; i < fieldCount; i++) {
      const name = reader.string();
      const value = reader.string();
      if (name === "UNIT") unit = value;
      else if (name === "HELP") help = value;
    }
    entries.push({ walRef, metadata: { type, unit, help } });
  }
  return entries;
}

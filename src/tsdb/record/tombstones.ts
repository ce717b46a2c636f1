/**
 * Tombstone records (type 3): which time of which series was deleted.
 *
 * record = 3 u8 | (walRef u64 | mint varint | maxt varint)*   both times inclusive
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

export interface TombstoneEntry {
  readonly walRef: number;
  readonly mint: number;
  readonly maxt: number;
}

export function encodeTombstones(entries: readonly TombstoneEntry[], out: ByteWriter): void {
  out.u8(RecordType.tombstones);
  for (const { walRef, mint, maxt } of entries) {
    out.u64(walRef);
    out.varint(mint);
    out.varint(maxt);
  }
}

export function decodeTombstones(record: Uint8Array): TombstoneEntry[] {
  const reader = bodyOf(record, RecordType.tombstones);
  const entries: TombstoneEntry[] = [];
  while (reader.remaining > 0) {
    entries.push({
      walRef: checkedRef(reader.u64(), reader),
      mint: reader.varint(),
      maxt: reader.varint(),
    });
  }
  return entries;
}

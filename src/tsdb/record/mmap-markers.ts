/**
 * Markers (type 5) in the write-behind log: all out-of-order samples of a series up to here are in a chunk of
 * `chunks_head`.
 *
 * record = 5 u8 | (walRef u64 | chunk ref u64)*
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";

export interface MmapMarker {
  readonly walRef: number;
  /** File number * 2^32 + offset; see chunks/head-chunks.ts. */
  readonly chunkRef: number;
}

export function encodeMmapMarkers(markers: readonly MmapMarker[], out: ByteWriter): void {
  out.u8(RecordType.mmapMarkers);
  for (const { walRef, chunkRef } of markers) {
    out.u64(walRef);
    out.u64(chunkRef);
  }
}

export function decodeMmapMarkers(record: Uint8Array): MmapMarker[] {
  const reader = bodyOf(record, RecordType.mmapMarkers);
  const markers: MmapMarker[] = [];
  while (reader.remaining > 0) {
    const walRef = checkedRef(reader.u64(), reader);
    markers.push({ walRef, chunkRef: checkedRef(reader.u64(), reader) });
  }
  return markers;
}

/** What a snapshot has of the writer's own objects: exemplars, metadata, deleted intervals, expiries of WAL refs, out-of-order chunks. */
import { ByteWriter } from "../../base/bytes.ts";
import type { Head } from "../head/head.ts";
import { LabelBytes } from "../head/label-bytes.ts";
import { seriesRecord } from "../head/memory.ts";
import type { HeadReplay } from "../head/replay.ts";
import { walRefOf } from "../head/series-table.ts";
import { decodeExemplars, type ExemplarEntry, encodeExemplars } from "../record/exemplars.ts";
import { decodeMetadata, encodeMetadata } from "../record/metadata.ts";
import { RecordType, recordType } from "../record/record-type.ts";
import { decodeTombstones, encodeTombstones } from "../record/tombstones.ts";
import type { WriterPart } from "./write-snapshot.ts";

export function writerPart(head: Head): WriterPart {
  const { words } = head.memory;
  const walRef = (ref: number) => walRefOf(words, seriesRecord(words, ref));
  const records: Uint8Array[] = [];
  const add = <T>(entries: readonly T[], encode: (entries: readonly T[], out: ByteWriter) => void) => {
    if (entries.length === 0) return;
    const out = new ByteWriter(entries.length * 32);
    encode(entries, out);
    records.push(out.bytes().slice());
  };
  const live = ([ref]: readonly [number, unknown]) => head.series.isLive(ref);
  add(
    [...head.metadata].filter(live).map(([ref, metadata]) => ({ walRef: walRef(ref), metadata })),
    encodeMetadata,
  );
  add(exemplars(head, walRef), encodeExemplars);
  add(
    [...head.deleted.bySeries]
      .filter(live)
      .flatMap(([ref, intervals]) =>
        intervals.map(({ mint, maxt }) => ({ walRef: walRef(ref), mint, maxt })),
      ),
    encodeTombstones,
  );
  const lateChunks = head.late
    .inFiles()
    .flatMap(({ walRef, ref, mint, maxt, samples, encoding }) => [
      ...[walRef, ref, mint, maxt],
      samples + encoding * 65536,
    ]);
  return {
    records,
    expiries: Float64Array.from([...head.walExpiries].flat()),
    lateChunks: Float64Array.from(lateChunks),
  };
}

/** Those of series that are gone go too, as they do in a full replay. */
function exemplars(head: Head, walRef: (ref: number) => number): ExemplarEntry[] {
  const labelBytes = new LabelBytes();
  const entries: ExemplarEntry[] = [];
  for (const { labels, exemplar } of head.exemplars.entries()) {
    labelBytes.set(labels);
    const ref = head.series.find(labelBytes.bytes, 0, labelBytes.length);
    if (ref === 0) continue;
    entries.push({ walRef: walRef(ref), t: exemplar.t, value: exemplar.value, labels: exemplar.labels });
  }
  return entries;
}

/** Delivers the records to a head whose series are there. Throws a CorruptionError where one does not decode. */
export function restoreRecords(records: readonly Uint8Array[], replay: HeadReplay): void {
  for (const record of records) {
    switch (recordType(record)) {
      case RecordType.metadata:
        for (const { walRef, metadata } of decodeMetadata(record)) replay.metadata(walRef, metadata);
        break;
      case RecordType.exemplars:
        for (const entry of decodeExemplars(record)) replay.exemplar(entry);
        break;
      case RecordType.tombstones:
        for (const { walRef, mint, maxt } of decodeTombstones(record)) replay.tombstone(walRef, mint, maxt);
    }
  }
}

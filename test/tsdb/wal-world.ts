/** What tests of the WAL share: an environment in memory, a receiver that remembers, batches to write. */
import type { Fs } from "../../src/base/fs.ts";
import type { Labels } from "../../src/model/labels.ts";
import { loadCodecs } from "../../src/node/codecs.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import type { ExemplarEntry } from "../../src/tsdb/record/exemplars.ts";
import type { HistogramBatch } from "../../src/tsdb/record/histograms.ts";
import type { MetadataEntry } from "../../src/tsdb/record/metadata.ts";
import type { SampleBatch } from "../../src/tsdb/record/samples.ts";
import type { SeriesCursor } from "../../src/tsdb/record/series.ts";
import type { TombstoneEntry } from "../../src/tsdb/record/tombstones.ts";
import type { Segment } from "../../src/tsdb/wal/segment.ts";
import { SegmentReader } from "../../src/tsdb/wal/segment-reader.ts";
import type { WalSink } from "../../src/tsdb/wal/wal-sink.ts";

export const codecs = await loadCodecs();

export interface WalWorld<F extends Fs> {
  readonly fs: F;
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  readonly codecs: typeof codecs;
}

export function walWorld<F extends Fs>(fs: F): WalWorld<F> {
  return { fs, clock: new ManualClock(), logger: new RecordingLogger(), codecs };
}

/** Remembers a replay; samples as "walRef t bits". */
export class ReplayedWal implements WalSink {
  readonly labels = new Map<number, Labels>();
  readonly sampleLines: string[] = [];
  readonly tombstoneEntries: TombstoneEntry[] = [];
  readonly exemplarEntries: ExemplarEntry[] = [];
  readonly metadataEntries: MetadataEntry[] = [];
  histogramCount = 0;
  readonly segments: number[] = [];

  series(cursor: SeriesCursor): void {
    while (cursor.next()) this.labels.set(cursor.walRef, cursor.labels());
  }

  samples(batch: SampleBatch): void {
    this.sampleLines.push(...sampleLines(batch.walRefs, batch.t, batch.v, batch.n));
  }

  histograms(batch: HistogramBatch): void {
    this.histogramCount += batch.n;
  }

  tombstones(entries: readonly TombstoneEntry[]): void {
    this.tombstoneEntries.push(...entries);
  }

  exemplars(entries: readonly ExemplarEntry[]): void {
    this.exemplarEntries.push(...entries);
  }

  metadata(entries: readonly MetadataEntry[]): void {
    this.metadataEntries.push(...entries);
  }

  progress(segment: number): void {
    this.segments.push(segment);
  }
}

export function sampleLines(
  walRefs: ArrayLike<number>,
  t: Float64Array,
  v: Float64Array,
  n: number,
): string[] {
  const bits = new BigUint64Array(v.buffer, v.byteOffset, v.length);
  return Array.from({ length: n }, (_, i) => `${walRefs[i]} ${t[i]} ${bits[i].toString(16)}`);
}

/** Copies of all records of some segments. */
export function recordsOf(fs: Fs, segments: readonly Segment[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (const segment of segments) {
    const reader = new SegmentReader({ fs, codecs }, segment);
    try {
      while (reader.next()) records.push(reader.record.slice());
    } finally {
      reader.close();
    }
  }
  return records;
}

/** What a replay of the WAL delivers, in the order in which it was written. */
import type { ExemplarEntry } from "../record/exemplars.ts";
import type { HistogramBatch } from "../record/histograms.ts";
import type { MetadataEntry } from "../record/metadata.ts";
import type { MmapMarker } from "../record/mmap-markers.ts";
import type { SampleBatch } from "../record/samples.ts";
import type { SeriesCursor } from "../record/series.ts";
import type { TombstoneEntry } from "../record/tombstones.ts";

/**
 * The receiver of a replay: the head. One call per record. Every record was decoded to its end before it is delivered,
 * so a receiver never sees half a record. WAL refs that no series record has introduced may occur (their series record
 * was lost or dropped): count them and go on.
 */
export interface WalSink {
  /** The receiver steps through the cursor; it and its bytes are valid during the call. */
  series(cursor: SeriesCursor): void;
  /** Float samples; the batch is used again for the next record. */
  samples(batch: SampleBatch): void;
  /** Native histograms; the batch is used again for the next record, its histograms are not. */
  histograms(batch: HistogramBatch): void;
  tombstones(entries: readonly TombstoneEntry[]): void;
  exemplars(entries: readonly ExemplarEntry[]): void;
  metadata(entries: readonly MetadataEntry[]): void;
  /** Only in a WBL. */
  mmapMarkers?(entries: readonly MmapMarker[]): void;
  /** Before each segment: its number, and the range of numbers to be replayed. Not called for the checkpoint. */
  progress(segment: number, first: number, last: number): void;
}

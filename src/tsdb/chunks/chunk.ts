/**
 * A chunk: the encoded samples of one series over a short range, as they lie in chunk files. The bytes are the
 * chunk's data alone, without length, encoding byte and checksum. (Encodings: chunkenc/encoding.ts.)
 */
import type { Labels } from "../../model/labels.ts";

export interface Chunk {
  readonly encoding: number;
  /** First and last timestamp, both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  /** A view that is valid until the next chunk is asked for; copy it to keep it. */
  readonly bytes: Uint8Array;
  /** Where it lies in a segment file: the whole verified entry (segments.ts), to be copied as it is. */
  readonly entry?: Uint8Array;
}

/** A series with its chunks, in time order, not overlapping. */
export interface ChunkSeries {
  readonly labels: Labels;
  chunks(): Iterable<Chunk>;
}

/** What a block is written from: the head, other blocks, an import. Series come sorted by compareLabels. */
export interface ChunkSource {
  series(): Iterable<ChunkSeries>;
}

/** Decodes chunks of any encoding into columns of samples. */
import { CorruptionError } from "../base/errors.ts";
import { chunkSamples, Encoding, encodingName } from "./encoding.ts";
import { decodeHistograms, type HistogramSink } from "./histogram.ts";
import { decodeXor, type SampleSink } from "./xor.ts";
import { decodeXor2 } from "./xor2.ts";

/** Where decoded samples go: a SampleColumns of storage/ is one. */
export type ChunkSink = SampleSink & HistogramSink;

/**
 * Appends the samples of the chunk `bytes[start, end)` with mint <= t <= maxt to `out`. `count` is for a chunk that is
 * still growing: its first samples. Throws a CorruptionError, also for an encoding that nobody knows.
 */
export function decodeChunk(
  encoding: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ChunkSink,
  mint: number,
  maxt: number,
  count = chunkSamples(encoding, bytes, start, end),
): void {
  switch (encoding) {
    case Encoding.xor: {
      const before = out.n;
      decodeXor(bytes, start, end, out, mint, maxt, count);
      out.starts?.fill(0, before, out.n);
      return;
    }
    case Encoding.xor2:
      decodeXor2(bytes, start, end, out, mint, maxt, count);
      return;
    case Encoding.histogram:
    case Encoding.floatHistogram:
    case Encoding.histogramST:
    case Encoding.floatHistogramST:
      decodeHistograms(
        encoding,
        bytes,
        start,
        end,
        mint,
        maxt,
        (t, histogram, startTime) => out.pushHistogram(t, histogram, startTime),
        count,
      );
      return;
    default:
      throw new CorruptionError("chunk", 0, `the encoding ${encodingName(encoding)} cannot be decoded`);
  }
}

import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import { encodingsLike, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import { maxSamplesPerChunk } from "../../chunkenc/xor.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Chunk } from "../chunks/chunk.ts";

const columns = new SampleColumns(256, true);
const encoder = new SampleEncoder();

/**
 * The part of a chunk in [mint, maxt], both inclusive: the chunk itself where it lies inside, undefined where nothing
 * is left. A chunk that is cut anew is valid until the next call.
 */
export function trimChunk(chunk: Chunk, mint: number, maxt: number): Chunk | undefined {
  if (chunk.mint >= mint && chunk.maxt <= maxt) return chunk;
  if (chunk.mint > maxt || chunk.maxt < mint) return undefined;
  columns.clear();
  decodeChunk(chunk.encoding, chunk.bytes, 0, chunk.bytes.length, columns, mint, maxt);
  // What was one chunk fits into one.
  const encodings = encodingsLike(chunk.encoding);
  const [trimmed] = encoder.encode(columns, 0, columns.n, encodings, maxSamplesPerChunk);
  return trimmed;
}

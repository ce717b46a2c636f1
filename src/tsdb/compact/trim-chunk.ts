import { NarthexError } from "../../base/errors.ts";
import { Encoding, encodingName } from "../../chunkenc/encoding.ts";
import { decodeXor, XorAppender } from "../../chunkenc/xor.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Chunk } from "../chunks/chunk.ts";

const columns = new SampleColumns();
const appender = new XorAppender(1024);

/**
 * The part of a chunk in [mint, maxt], both inclusive: the chunk itself where it lies inside, undefined where nothing
 * is left. A chunk that is cut anew is valid until the next call.
 */
export function trimChunk(chunk: Chunk, mint: number, maxt: number): Chunk | undefined {
  if (chunk.mint >= mint && chunk.maxt <= maxt) return chunk;
  if (chunk.mint > maxt || chunk.maxt < mint) return undefined;
  if (chunk.encoding !== Encoding.xor) {
    throw new NarthexError(
      "STORAGE",
      `a chunk of encoding ${encodingName(chunk.encoding)} reaches over the end of the block's range, and this version cannot cut those; nothing was written and nothing is lost`,
    );
  }
  columns.clear();
  decodeXor(chunk.bytes, 0, chunk.bytes.length, columns, mint, maxt);
  if (columns.n === 0) return undefined;
  appender.reset();
  for (let i = 0; i < columns.n; i++) appender.append(columns.t[i], columns.v, i);
  return {
    encoding: Encoding.xor,
    mint: columns.t[0],
    maxt: columns.t[columns.n - 1],
    bytes: appender.bytes(),
  };
}

/** The data of open chunks as the bytes of a chunk file. */
import { Chunk } from "../../kernels/head-layout.ts";

/**
 * Copies `count` words of the data of the chunk in `slab` to `out` from byte `at` on, in the order of the file, with the
 * number of samples put in front. Works while the writer appends: what it adds meanwhile lies behind the bits that the
 * caller knows of.
 */
export function copyChunkData(
  words: Uint32Array,
  slab: number,
  count: number,
  samples: number,
  out: Uint8Array,
  at: number,
): void {
  const data = slab + Chunk.data;
  for (let i = 0, to = at; i < count; i++, to += 4) {
    const word = words[data + i];
    out[to] = word >>> 24;
    out[to + 1] = word >>> 16;
    out[to + 2] = word >>> 8;
    out[to + 3] = word;
  }
  out[at] = samples >>> 8;
  out[at + 1] = samples;
}

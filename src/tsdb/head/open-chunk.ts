/** The data of open chunks as the bytes of a chunk file. */
import { Chunk, ChunkPart } from "../../kernels/head-layout.ts";

/**
 * Copies the data of the open chunk at `chunk`, at most `count` words of it, to `out` from byte `at` on, in the order of
 * the file and with the number of samples put in front; returns the number of words. Works while the writer appends:
 * what it adds meanwhile lies behind the samples that the caller knows of.
 */
export function copyChunkData(
  words: Uint32Array,
  chunk: number,
  count: number,
  samples: number,
  out: Uint8Array,
  at: number,
): number {
  let copied = 0;
  let to = at;
  for (let part = chunk, first: number = Chunk.data; part !== 0 && copied < count; first = ChunkPart.data) {
    const end = Math.min(part + ChunkPart.words, part + first + count - copied);
    for (let word = part + first; word < end; word++, to += 4) {
      const bits = words[word];
      out[to] = bits >>> 24;
      out[to + 1] = bits >>> 16;
      out[to + 2] = bits >>> 8;
      out[to + 3] = bits;
    }
    copied += end - part - first;
    part = Atomics.load(words, part + Chunk.next);
  }
  out[at] = samples >>> 8;
  out[at + 1] = samples;
  return copied;
}

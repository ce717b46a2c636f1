/** The data of open chunks: chains of parts in the shared memory (docs/formats/head-memory.md), bytes in a chunk file. */
import { Encoding, hasStartTimes } from "../../chunkenc/encoding.ts";
import { Chunk, ChunkPart, HistogramChunk, Xor2Chunk } from "../../kernels/head-layout.ts";

/** The encoding of the open chunk at `chunk`. */
export function openEncoding(words: Uint32Array, chunk: number): Encoding {
  return ((words[chunk + HistogramChunk.encoding] >>> 16) as Encoding) || Encoding.xor;
}

function firstDataWord(words: Uint32Array, chunk: number): number {
  const encoding = openEncoding(words, chunk);
  if (encoding === Encoding.xor) return Chunk.data;
  return encoding === Encoding.xor2 ? Xor2Chunk.data : HistogramChunk.data;
}

/** How many bytes of data the open chunk at `chunk` has; `xorBits`: the bits of an XOR chunk, which only its series knows. */
export function openChunkBytes(words: Uint32Array, chunk: number, xorBits: number): number {
  const encoding = openEncoding(words, chunk);
  if (encoding === Encoding.xor) return (xorBits + 7) >>> 3;
  if (encoding === Encoding.xor2) return ((words[chunk + Xor2Chunk.encoding] & 0xffff) + 7) >>> 3;
  return words[chunk + HistogramChunk.bytes];
}

/** How many words of data the parts have room for that the chunk has by now. */
export function openChunkWords(words: Uint32Array, chunk: number): number {
  let count = ChunkPart.words - firstDataWord(words, chunk);
  for (
    let part = Atomics.load(words, chunk + Chunk.next);
    part !== 0;
    part = Atomics.load(words, part + Chunk.next)
  )
    count += ChunkPart.words - ChunkPart.data;
  return count;
}

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
  let first = firstDataWord(words, chunk);
  for (let part = chunk; part !== 0 && copied < count; first = ChunkPart.data) {
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
  // Zeros besides the flags that some encodings have beside the count.
  out[at] |= samples >>> 8;
  out[at + 1] |= samples;
  return copied;
}

/** How many words of data the first part of a histogram chunk holds, and every other part. */
const firstPartWords = ChunkPart.words - HistogramChunk.data;
const partWords = ChunkPart.words - ChunkPart.data;

/**
 * Stores bytes[from, end) of a histogram chunk behind those that are there; of the bytes at `from` those of the same word are
 * stored again. `last` is the chunk's last part, `newPart` makes another. Returns which is the last part then.
 */
export function storeChunkData(
  words: Uint32Array,
  encoding: number,
  last: number,
  bytes: Uint8Array,
  from: number,
  end: number,
  newPart: () => number,
): number {
  const flags = hasStartTimes(encoding) ? (bytes[0] & 0xc0) << 24 : 0;
  let part = last;
  let word = from >>> 2;
  let at =
    part +
    (word < firstPartWords
      ? HistogramChunk.data + word
      : ChunkPart.data + ((word - firstPartWords) % partWords));
  for (; word * 4 < end; word++, at++) {
    if (at === part + ChunkPart.words) {
      const next = newPart();
      words[next + Chunk.next] = 0;
      Atomics.store(words, part + Chunk.next, next);
      part = next;
      at = part + ChunkPart.data;
    }
    const i = word * 4;
    // Beyond the end there is nothing yet; the first two bytes are the count, which readers put in, and flags.
    const high = word === 0 ? flags : (bytes[i] << 24) | (i + 1 < end ? bytes[i + 1] << 16 : 0);
    words[at] = high | (i + 2 < end ? bytes[i + 2] << 8 : 0) | (i + 3 < end ? bytes[i + 3] : 0);
  }
  return part;
}

/** A block as the source of a new block: all its series with their chunks as they are. */
import type { Chunk, ChunkSeries, ChunkSource } from "../chunks/chunk.ts";
import { chunkFields } from "../index/reader.ts";
import type { BlockReaders } from "./block.ts";

/** `onClose` runs once, at the first close. */
export function blockChunkSource(
  readers: BlockReaders,
  onClose: () => void,
): ChunkSource & { close(): void } {
  let closed = false;
  return {
    series: () => allSeries(readers),
    close() {
      if (closed) return;
      closed = true;
      onClose();
    },
  };
}

function* allSeries(readers: BlockReaders): Iterable<ChunkSeries> {
  const { index } = readers;
  for (const ref of index.postings("", "")) {
    const series = index.series(ref, -Infinity, Infinity);
    if (series === undefined) continue;
    yield { labels: series.labels, chunks: () => chunksOf(readers, series.chunks) };
  }
}

function* chunksOf({ chunks: segments }: BlockReaders, chunks: readonly number[]): Iterable<Chunk> {
  for (let i = 0; i < chunks.length; i += chunkFields) {
    yield segments.storedChunk(chunks[i + 2], chunks[i], chunks[i + 1]);
  }
}

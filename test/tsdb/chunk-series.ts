/** Series made for tests, as a source that a block can be written from. */
import { Encoding } from "../../src/chunkenc/encoding.ts";
import { XorAppender } from "../../src/chunkenc/xor.ts";
import { compareLabels, Labels } from "../../src/model/labels.ts";
import type { QueryContext, SelectHints } from "../../src/storage/querier.ts";
import type { Chunk, ChunkSource } from "../../src/tsdb/chunks/chunk.ts";

export interface TestSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Time and value, or the value's bits. */
  readonly samples: readonly (readonly [t: number, v: number | bigint])[];
}

/** Float series in label order, `perChunk` samples to a chunk. */
export function chunkSource(series: readonly TestSeries[], perChunk = 120): ChunkSource {
  const sorted = series
    .map(({ labels, samples }) => ({ labels: Labels.of(labels), chunks: xorChunks(samples, perChunk) }))
    .sort((a, b) => compareLabels(a.labels, b.labels));
  return { series: () => sorted.map(({ labels, chunks }) => ({ labels, chunks: () => chunks })) };
}

export function xorChunks(samples: TestSeries["samples"], perChunk = 120): Chunk[] {
  const values = new Float64Array(BigUint64Array.from(samples, ([, v]) => bitsOf(v)).buffer);
  const chunks: Chunk[] = [];
  for (let from = 0; from < samples.length; from += perChunk) {
    const to = Math.min(from + perChunk, samples.length);
    const appender = new XorAppender();
    for (let i = from; i < to; i++) appender.append(samples[i][0], values, i);
    chunks.push({
      encoding: Encoding.xor,
      mint: samples[from][0],
      maxt: samples[to - 1][0],
      bytes: appender.bytes(),
    });
  }
  return chunks;
}

export function bitsOf(value: number | bigint): bigint {
  return typeof value === "bigint" ? value : new BigUint64Array(Float64Array.of(value).buffer)[0];
}

/** A query without limits. */
export const unlimited: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };

export const noHints: SelectHints = { startMs: 0, endMs: 0, stepMs: 0, func: "" };

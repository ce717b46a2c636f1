/** How many samples the head has of one series; for the writer's thread alone. */
import { Root } from "../../kernels/head-layout.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { Head } from "./head.ts";
import type { ChunkStore } from "./head-log.ts";
import { decodeGathered } from "./head-series.ts";
import { seriesRecord } from "./memory.ts";
import { GatheredChunks } from "./series-chunks.ts";

/** In [mint, maxt], deleted ones too; those in order only. */
export function countSamples(head: Head, ref: number, store: ChunkStore, mint: number, maxt: number): number {
  const { memory } = head;
  const record = seriesRecord(memory.words, ref);
  const chunks = new GatheredChunks(memory, 8);
  chunks.gather(record, memory.words[Root.committed], mint, maxt);
  const samples = new SampleColumns();
  for (let i = 0; i < chunks.n; i++) decodeGathered(chunks, i, store, samples, mint, maxt);
  return samples.n;
}

/** Reading samples that came out of order (late-chunks.ts), in any thread, with the head pinned while they are gathered. */
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import {
  directoryHeaderWords,
  LateChunk,
  LateFile,
  LateHistogram,
  LateKind,
  LateNode,
  LateSample,
  Root,
  recordsPerPage,
  recordsPerPageBits,
} from "../../kernels/head-layout.ts";
import type { Labels } from "../../model/labels.ts";
import type { Series } from "../../storage/querier.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { type Interval, removeDeleted } from "../tombstones/intervals.ts";
import { batchesAfter } from "./epochs.ts";
import type { ChunkStore } from "./head-log.ts";
import type { HeadMemory } from "./memory.ts";

/** What was gathered of a series: refs of chunks in files, and samples of those in memory in any order. */
export interface LateSamples {
  readonly fileRefs: readonly number[];
  readonly samples: SampleColumns;
}

/** The newest node of a series; 0 where it has no late samples. */
export function lateRoot(words: Uint32Array, ref: number): number {
  const directory = Atomics.load(words, Root.outOfOrder);
  const index = ref >>> recordsPerPageBits;
  if (directory === 0 || index >= words[directory]) return 0;
  const page = Atomics.load(words, directory + directoryHeaderWords + index);
  return page === 0 ? 0 : Atomics.load(words, page + (ref & (recordsPerPage - 1)));
}

/**
 * What a series has of late samples as of a batch, chunks in files only if they overlap [mint, maxt] and their ref is
 * `lastFileRef` at most. Undefined where that is nothing.
 */
export function gatherLate(
  memory: HeadMemory,
  ref: number,
  asOf: number,
  mint: number,
  maxt: number,
  lastFileRef = Number.POSITIVE_INFINITY,
): LateSamples | undefined {
  const { words, doubles } = memory;
  const samples = new SampleColumns(0, true);
  const fileRefs: number[] = [];
  for (let node = lateRoot(words, ref); node !== 0; node = Atomics.load(words, node + LateNode.older)) {
    if (words[node + LateNode.kind] === LateKind.open) {
      if (lastFileRef === Number.POSITIVE_INFINITY) copyLateChunk(memory, node, asOf, samples, mint, maxt);
      continue;
    }
    const fileRef = words[node + LateFile.refHigh] * 0x100000000 + words[node + LateFile.refLow];
    const overlaps =
      doubles[(node + LateFile.mint) >> 1] <= maxt && doubles[(node + LateFile.maxt) >> 1] >= mint;
    if (overlaps && fileRef <= lastFileRef) fileRefs.push(fileRef);
  }
  return samples.n + fileRefs.length === 0 ? undefined : { fileRefs: fileRefs.reverse(), samples };
}

/** Appends the samples of a chunk in memory in [mint, maxt], as of a batch if one is given, in the order in which they came. */
export function copyLateChunk(
  { words, doubles }: HeadMemory,
  node: number,
  asOf: number | undefined,
  out: SampleColumns,
  mint = Number.NEGATIVE_INFINITY,
  maxt = Number.POSITIVE_INFINITY,
): void {
  const count = Atomics.load(words, node + LateChunk.count);
  for (let i = 0; i < count; i++) {
    const at = node + LateChunk.header + i * LateSample.words;
    if (asOf !== undefined && batchesAfter(words[at + LateSample.batch], asOf) > 0) continue;
    const t = doubles[(at + LateSample.t) >> 1];
    if (t < mint || t > maxt) continue;
    const data = words[at + LateSample.histogram];
    if (data !== 0) {
      const start = 4 * (data + LateHistogram.data);
      const bytes = new Uint8Array(words.buffer, start, words[data + LateHistogram.bytes]).slice();
      decodeChunk(words[data + LateHistogram.encoding], bytes, 0, bytes.length, out, mint, maxt);
      continue;
    }
    out.reserve(1);
    const bits = new Uint32Array(out.v.buffer, out.v.byteOffset + 8 * out.n, 2);
    out.t[out.n] = t;
    if (out.starts !== undefined) out.starts[out.n] = 0;
    bits[0] = words[at + LateSample.v];
    bits[1] = words[at + LateSample.v + 1];
    out.n++;
  }
}

/** The samples in time order, of those at one time the first. */
export function sortedColumns(samples: SampleColumns): SampleColumns {
  const { t, v, n, starts, histograms } = samples;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => t[a] - t[b] || a - b);
  const sorted = new SampleColumns(n, starts !== undefined);
  const from = new Uint32Array(v.buffer, v.byteOffset, 2 * n);
  const to = new Uint32Array(sorted.v.buffer, 0, 2 * n);
  for (const i of order) {
    const at = sorted.n;
    if (at > 0 && sorted.t[at - 1] === t[i]) continue;
    sorted.t[at] = t[i];
    to[2 * at] = from[2 * i];
    to[2 * at + 1] = from[2 * i + 1];
    if (sorted.starts !== undefined && starts !== undefined) sorted.starts[at] = starts[i];
    const histogram = histograms?.[i];
    if (histogram !== undefined) {
      sorted.histograms ??= [];
      sorted.histograms[at] = histogram;
    }
    sorted.n++;
  }
  return sorted;
}

/** All of it within [mint, maxt], sorted; `withStarts`: with start timestamps. */
export function decodeLate(
  { fileRefs, samples }: LateSamples,
  store: ChunkStore,
  mint: number,
  maxt: number,
  withStarts = false,
): SampleColumns {
  const all = new SampleColumns(256, withStarts);
  for (const ref of fileRefs) {
    const { encoding, bytes } = store.read(ref);
    decodeChunk(encoding, bytes, 0, bytes.length, all, mint, maxt);
  }
  appendColumns(samples, all, mint, maxt);
  return sortedColumns(all);
}

function appendColumns(from: SampleColumns, to: SampleColumns, mint: number, maxt: number): void {
  to.reserve(from.n);
  const source = new Uint32Array(from.v.buffer, from.v.byteOffset, 2 * from.n);
  const target = new Uint32Array(to.v.buffer, to.v.byteOffset, 2 * to.t.length);
  for (let i = 0; i < from.n; i++) {
    if (from.t[i] < mint || from.t[i] > maxt) continue;
    const histogram = from.histograms?.[i];
    if (histogram !== undefined) {
      to.histograms ??= [];
      to.histograms[to.n] = histogram;
    }
    if (to.starts !== undefined) to.starts[to.n] = from.starts?.[i] ?? 0;
    to.t[to.n] = from.t[i];
    target[2 * to.n] = source[2 * i];
    target[2 * to.n + 1] = source[2 * i + 1];
    to.n++;
  }
}

/** The late samples of a series that a query selected. */
export class LateSeries implements Series {
  readonly labels: Labels;
  readonly #late: LateSamples;
  readonly #store: ChunkStore;
  readonly #deleted: readonly Interval[];

  constructor(labels: Labels, late: LateSamples, store: ChunkStore, deleted: readonly Interval[]) {
    this.labels = labels;
    this.#late = late;
    this.#store = store;
    this.#deleted = deleted;
  }

  read(out: SampleColumns, mint: number, maxt: number): void {
    const before = out.n;
    const withStarts = out.starts !== undefined;
    appendColumns(decodeLate(this.#late, this.#store, mint, maxt, withStarts), out, mint, maxt);
    removeDeleted(out, before, this.#deleted);
  }
}

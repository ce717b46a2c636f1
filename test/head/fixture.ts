// A head with a log and chunk files in memory, for the tests of src/tsdb/head.
import { ByteWriter } from "../../src/base/bytes.ts";
import { Labels } from "../../src/model/labels.ts";
import type { Matcher } from "../../src/model/matcher.ts";
import type { QueryContext, SelectHints } from "../../src/storage/querier.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";
import type { Chunk } from "../../src/tsdb/chunks/chunk.ts";
import { HeadAppender } from "../../src/tsdb/head/appender.ts";
import { Head } from "../../src/tsdb/head/head.ts";
import type {
  ChunkSink,
  ChunkStore,
  HeadLog,
  MetadataEntry,
  NewSeries,
} from "../../src/tsdb/head/head-log.ts";
import type { HeadMemoryOptions, HeadOptions } from "../../src/tsdb/head/head-options.ts";
import type { HeadQuerier } from "../../src/tsdb/head/head-querier.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import type { ExemplarEntry } from "../../src/tsdb/record/exemplars.ts";
import type { HistogramEntry } from "../../src/tsdb/record/histograms.ts";
import { writeLabels } from "../../src/tsdb/record/labels.ts";

/** Keeps chunks by ref; those not flushed yet cannot be read. */
export class MemoryChunks implements ChunkSink, ChunkStore {
  readonly chunks = new Map<number, Chunk & { readonly walRef: number }>();
  #waiting: [number, Chunk & { readonly walRef: number }][] = [];
  #next = 0x100000008;
  /** Set to let flushes fail. */
  failing = false;
  reads = 0;

  append(walRef: number, mint: number, maxt: number, encoding: number, bytes: Uint8Array): number {
    const ref = this.#next;
    this.#next += 40 + bytes.length;
    this.#waiting.push([ref, { walRef, mint, maxt, encoding, bytes: bytes.slice() }]);
    return ref;
  }

  flush(): void {
    if (this.failing) throw new Error("ENOSPC: no space left on device");
    for (const [ref, chunk] of this.#waiting) this.chunks.set(ref, chunk);
    this.#waiting = [];
  }

  read(ref: number): Chunk {
    this.reads++;
    const chunk = this.chunks.get(ref);
    if (chunk === undefined) throw new Error(`no chunk ${ref}`);
    return chunk;
  }
}

/** Remembers what was logged, batch by batch. */
export class MemoryLog implements HeadLog {
  readonly series: { walRef: number; labels: Labels }[] = [];
  readonly samples: { walRef: number; t: number; bits: bigint }[] = [];
  readonly histograms: HistogramEntry[] = [];
  readonly metadata: MetadataEntry[] = [];
  readonly exemplars: ExemplarEntry[] = [];
  flushes = 0;
  /** Set to let flushes fail. */
  failing = false;

  logSeries(series: NewSeries): void {
    for (let i = 0; i < series.n; i++) {
      const labels = series.labels(i);
      const [record, plain] = [new ByteWriter(), new ByteWriter()];
      series.writeLabels(i, record);
      writeLabels(plain, labels);
      if (Buffer.compare(record.bytes(), plain.bytes()) !== 0)
        throw new Error(`the record of ${labels} is wrong`);
      this.series.push({ walRef: series.walRefs[i], labels });
    }
  }

  logMetadata(entries: readonly MetadataEntry[]): void {
    this.metadata.push(...entries);
  }

  logHistograms(entries: readonly HistogramEntry[]): void {
    this.histograms.push(...entries);
  }

  logSamples(walRefs: Float64Array, timestamps: Float64Array, values: Float64Array, n: number): void {
    const bits = bitsOf(values, n);
    for (let i = 0; i < n; i++) this.samples.push({ walRef: walRefs[i], t: timestamps[i], bits: bits[i] });
  }

  logExemplars(entries: readonly ExemplarEntry[]): void {
    this.exemplars.push(...entries);
  }

  flush(): void {
    if (this.failing) throw new Error("EIO: i/o error");
    this.flushes++;
  }
}

export interface TestHead {
  readonly memory: HeadMemory;
  readonly head: Head;
  readonly appender: HeadAppender;
  readonly log: MemoryLog;
  readonly chunks: MemoryChunks;
  readonly reader: HeadReader;
}

export function testHead(options: HeadOptions = {}, memoryOptions: HeadMemoryOptions = {}): TestHead {
  const memory = HeadMemory.create({ pages: 2048, poison: true, ...memoryOptions });
  const chunks = new MemoryChunks();
  const log = new MemoryLog();
  const head = new Head(memory, chunks, options);
  const appender = new HeadAppender(head, log);
  const reader = new HeadReader(HeadMemory.attach(memory.handle), chunks);
  return { memory, head, appender, log, chunks, reader };
}

export const noContext: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };

export const hints: SelectHints = { startMs: 0, endMs: 0, stepMs: 0, func: "" };

export function bitsOf(values: Float64Array, n = values.length): bigint[] {
  return [...new BigUint64Array(values.slice(0, n).buffer)];
}

/** A row of a batch: series, time, value (a number, or its bits). */
export type Row = readonly [labels: Readonly<Record<string, string>>, t: number, value: number | bigint];

/** Stages rows as one append call; returns the outcomes. */
export function stage(appender: HeadAppender, rows: readonly Row[]): number[] {
  const refs = Uint32Array.from(rows, ([labels]) => appender.series(Labels.of(labels)));
  const times = Float64Array.from(rows, ([, t]) => t);
  const values = new Float64Array(rows.length);
  const bits = new BigUint64Array(values.buffer);
  rows.forEach(([, , value], i) => {
    if (typeof value === "bigint") bits[i] = value;
    else values[i] = value;
  });
  const outcomes = new Uint8Array(rows.length);
  appender.append(refs, times, values, rows.length, outcomes);
  return [...outcomes];
}

/** Stages and commits. */
export function append(appender: HeadAppender, rows: readonly Row[]): number[] {
  const outcomes = stage(appender, rows);
  appender.commit();
  return outcomes;
}

/** What a querier shows of the series that match: `t:bits` by label set. */
export function dump(
  querier: HeadQuerier,
  matchers: readonly Matcher[],
  context = noContext,
): Record<string, string[]> {
  const shown: Record<string, string[]> = {};
  for (const series of querier.select(context, matchers, -Infinity, Infinity, hints, false)) {
    const out = new SampleColumns(4);
    series.read(out, -Infinity, Infinity);
    const bits = bitsOf(out.v, out.n);
    shown[series.labels.toString()] = bits.map((value, i) => `${out.t[i]}:${value.toString(16)}`);
  }
  return shown;
}

/** The same of a new querier over everything. */
export function dumpAll(reader: HeadReader, matchers: readonly Matcher[]): Record<string, string[]> {
  const querier = reader.querier(-Infinity, Infinity);
  try {
    return dump(querier, matchers);
  } finally {
    querier.close();
  }
}

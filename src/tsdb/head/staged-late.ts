/**
 * The samples of a batch that come out of order, and which samples do: those older than what their series has, in the head
 * or earlier in the batch, as Prometheus's headAppender judges them.
 */
import { storableStart } from "../../chunkenc/start-times.ts";
import type { Histogram } from "../../model/histogram.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { HistogramEntry } from "../record/histograms.ts";
import type { Head } from "./head.ts";
import type { LateLog } from "./head-log.ts";
import { seriesRecord } from "./memory.ts";
import { walRefOf } from "./series-table.ts";
import type { HeadStats } from "./stats.ts";

export class StagedLate {
  readonly #head: Head;
  #refs = new Uint32Array(64);
  readonly #columns: SampleColumns;
  /** By ref: the newest time that this batch has for the series, where #batch names the batch. */
  #newest = new Float64Array(0);
  #batches = new Uint32Array(0);
  #batch = 1;
  /** The head's newest time when the batch began. */
  headMaxTime = Number.NEGATIVE_INFINITY;

  constructor(head: Head) {
    this.#head = head;
    this.#columns = new SampleColumns(64, head.keepsStarts);
  }

  get n(): number {
    return this.#columns.n;
  }

  /** Whether a sample at `t` is within the window. */
  isTaken(t: number): boolean {
    return t >= this.headMaxTime - this.#head.outOfOrderWindowMs;
  }

  /** Notes that the batch has a sample at `t` that is in order as far as the head goes; false where the batch has a newer one. */
  isNewest(ref: number, t: number): boolean {
    if (ref >= this.#newest.length) this.#grow(ref);
    if (this.#batches[ref] === this.#batch && t < this.#newest[ref]) return false;
    this.#batches[ref] = this.#batch;
    this.#newest[ref] = t;
    return true;
  }

  /** Stages sample `i` of the words of a column of floats. `start`: since when it counts, 0 for not known. */
  push(ref: number, t: number, values: Uint32Array, i: number, start = 0): void {
    const columns = this.#columns;
    this.#reserve();
    const bits = new Uint32Array(columns.v.buffer, columns.v.byteOffset + 8 * columns.n, 2);
    this.#refs[columns.n] = ref;
    columns.t[columns.n] = t;
    if (columns.starts !== undefined) columns.starts[columns.n] = storableStart(start, t);
    bits[0] = values[2 * i];
    bits[1] = values[2 * i + 1];
    columns.n++;
    this.#observe(t);
  }

  pushHistogram(ref: number, t: number, histogram: Histogram, start: number): void {
    this.#reserve();
    this.#refs[this.#columns.n] = ref;
    this.#columns.pushHistogram(t, histogram, start);
    this.#observe(t);
  }

  /** Leaves out what open chunks have already, writes chunks that are full, and logs the rest. */
  log(log: LateLog): void {
    this.#removeDuplicates();
    const { late, memory } = this.#head;
    const columns = this.#columns;
    const seen = new Set<number>();
    for (let i = 0; i < columns.n; i++) {
      const ref = this.#refs[i];
      if (seen.has(ref)) continue;
      seen.add(ref);
      if (late.isFull(ref)) log.logMmapMarkers(late.seal(ref));
    }
    const { keepsStarts } = this.#head;
    const floats = new SampleColumns(columns.n, keepsStarts);
    const walRefs = new Float64Array(columns.n);
    const histograms: HistogramEntry[] = [];
    const from = new Uint32Array(columns.v.buffer, columns.v.byteOffset, 2 * columns.n);
    const to = new Uint32Array(floats.v.buffer);
    for (let i = 0; i < columns.n; i++) {
      const walRef = walRefOf(memory.words, seriesRecord(memory.words, this.#refs[i]));
      const histogram = columns.histograms?.[i];
      if (histogram !== undefined) {
        histograms.push({ walRef, t: columns.t[i], histogram, start: columns.starts?.[i] });
        continue;
      }
      walRefs[floats.n] = walRef;
      floats.t[floats.n] = columns.t[i];
      if (floats.starts !== undefined) floats.starts[floats.n] = columns.starts?.[i] ?? 0;
      to[2 * floats.n] = from[2 * i];
      to[2 * floats.n + 1] = from[2 * i + 1];
      floats.n++;
    }
    if (floats.n > 0) log.logSamples(walRefs, floats.t, floats.v, floats.n, floats.starts);
    for (const isFloat of [false, true]) {
      const record = histograms.filter(({ histogram }) => histogram.isFloat === isFloat);
      if (record.length > 0) log.logHistograms(record, keepsStarts);
    }
    log.flush();
  }

  /** Inserts them as the batch in progress. */
  apply(): void {
    const { late, stats } = this.#head;
    const columns = this.#columns;
    for (let i = 0; i < columns.n; i++) {
      if (!late.insert(this.#refs[i], columns, i)) continue;
      if (columns.histograms?.[i] === undefined) {
        stats.samplesAppended++;
        stats.lateAppended++;
      } else {
        stats.histogramsAppended++;
        stats.lateHistogramsAppended++;
      }
    }
  }

  clear(): void {
    this.#columns.clear();
    this.#batch = (this.#batch + 1) >>> 0 || 1;
  }

  #removeDuplicates(): void {
    const columns = this.#columns;
    const { late } = this.#head;
    const { histograms } = columns;
    let kept = 0;
    for (let i = 0; i < columns.n; i++) {
      // A full chunk is written out first: the next one has no samples yet, in Prometheus too.
      if (!late.isFull(this.#refs[i]) && late.hasTime(this.#refs[i], columns.t[i])) continue;
      this.#refs[kept] = this.#refs[i];
      columns.t[kept] = columns.t[i];
      columns.v.copyWithin(kept, i, i + 1);
      columns.starts?.copyWithin(kept, i, i + 1);
      if (histograms !== undefined) histograms[kept] = histograms[i];
      kept++;
    }
    columns.truncate(kept);
  }

  #reserve(): void {
    this.#columns.reserve(1);
    if (this.#columns.n < this.#refs.length) return;
    const refs = new Uint32Array(2 * this.#refs.length);
    refs.set(this.#refs);
    this.#refs = refs;
  }

  #grow(ref: number): void {
    const length = Math.max(ref + 1, 2 * this.#newest.length, 1024);
    const newest = new Float64Array(length);
    newest.set(this.#newest);
    const batches = new Uint32Array(length);
    batches.set(this.#batches);
    this.#newest = newest;
    this.#batches = batches;
  }

  #observe(t: number): void {
    observeDelay(this.#head.stats, Math.max(0, this.headMaxTime - t) / 1000);
  }
}

/** Counts how late a sample is. */
function observeDelay(stats: HeadStats, seconds: number): void {
  stats.lateSecondsSum += seconds;
  stats.lateSecondsCount++;
  if (seconds <= 43200) stats.lateSecondsUpTo43200++;
  if (seconds <= 21600) stats.lateSecondsUpTo21600++;
  if (seconds <= 10800) stats.lateSecondsUpTo10800++;
  if (seconds <= 7200) stats.lateSecondsUpTo7200++;
  if (seconds <= 3600) stats.lateSecondsUpTo3600++;
  if (seconds <= 1800) stats.lateSecondsUpTo1800++;
  if (seconds <= 600) stats.lateSecondsUpTo600++;
}

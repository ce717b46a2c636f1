/**
 * The staged columns of a batch and the buffers of the append kernel, in the shared memory so that a WebAssembly kernel
 * can work on them. The writer's alone.
 */
import { storableStart } from "../../chunkenc/start-times.ts";
import { takeNote } from "../../kernels/head-append.ts";
import {
  Append,
  AppendStatus,
  Cut,
  HistogramChunk,
  Purpose,
  retiredNotes,
  Series,
  Slot,
} from "../../kernels/head-layout.ts";
import { Judgement, stageSamples } from "../../kernels/head-stage.ts";
import { Stage } from "../../kernels/write-layout.ts";
import { oldestBatch } from "./epochs.ts";
import type { Head } from "./head.ts";
import { seriesRecord } from "./memory.ts";
import { walRefOf } from "./series-table.ts";
import type { SampleGroup, StagedHistogram } from "./staged-histograms.ts";

const capacityMin = 4096;
const cutsMax = 4096;
const retiredMax = 4096;

/** What a kernel run made of the staged samples. */
export interface Applied {
  appended: number;
  /** Infinity and -Infinity where nothing was. */
  mint: number;
  maxt: number;
}

export class Staging {
  readonly #head: Head;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #control: number;
  readonly #stageControl: number;
  #refs = 0;
  #times = 0;
  #values = 0;
  /** Start times of the staged samples, where the head keeps them. */
  #starts: Float64Array | undefined;
  #capacity = 0;
  /** Samples staged. */
  n = 0;
  #walRefs = new Float64Array(capacityMin);

  constructor(head: Head) {
    this.#head = head;
    this.#words = head.memory.words;
    this.#doubles = head.memory.doubles;
    this.#starts = head.keepsStarts ? new Float64Array(0) : undefined;
    const { arena } = head;
    this.#control = arena.allocZeroed(Append.words, Purpose.staging);
    this.#stageControl = arena.allocZeroed(Stage.words, Purpose.staging);
    this.#words[this.#control + Append.cuts] = arena.alloc(cutsMax * Cut.words, Purpose.staging);
    this.#words[this.#control + Append.cutCapacity] = cutsMax;
    this.#words[this.#control + Append.retired] = arena.alloc(retiredMax * 2, Purpose.staging);
    this.#words[this.#control + Append.retiredCapacity] = retiredMax;
    this.reserve(capacityMin);
  }

  /** The staged times and values; valid until the next reserve. */
  get times(): Float64Array {
    return this.#doubles.subarray(this.#times >> 1, (this.#times >> 1) + this.#capacity);
  }

  get values(): Float64Array {
    return this.#doubles.subarray(this.#values >> 1, (this.#values >> 1) + this.#capacity);
  }

  get refs(): Uint32Array {
    return this.#words.subarray(this.#refs, this.#refs + this.#capacity);
  }

  /** Undefined where the head keeps none. */
  get starts(): Float64Array | undefined {
    return this.#starts;
  }

  /** Puts the staged sample `from` where an earlier one was. */
  move(from: number, to: number): void {
    const { refs, times, values } = this;
    refs[to] = refs[from];
    times[to] = times[from];
    // As a whole-array copy: a number in between could lose a staleness marker's bits.
    values.copyWithin(to, from, from + 1);
    if (this.#starts !== undefined) this.#starts[to] = this.#starts[from];
  }

  /** Makes room for `extra` more samples. */
  reserve(extra: number): void {
    const needed = this.n + extra;
    if (needed <= this.#capacity) return;
    const { arena } = this.#head;
    const capacity = Math.max(needed, this.#capacity * 2);
    const old = [this.#refs, this.#times, this.#values];
    const sizes = [this.n, 2 * this.n, 2 * this.n];
    const columns = [capacity, 2 * capacity, 2 * capacity].map((count) =>
      arena.alloc(count, Purpose.staging),
    );
    columns.forEach((column, i) => {
      this.#words.copyWithin(column, old[i], old[i] + sizes[i]);
    });
    [this.#refs, this.#times, this.#values] = columns;
    for (const column of old) if (column !== 0) arena.free(column, Purpose.staging);
    if (this.#starts !== undefined) {
      const starts = new Float64Array(capacity);
      starts.set(this.#starts.subarray(0, this.n));
      this.#starts = starts;
    }
    this.#capacity = capacity;
  }

  /** Judges and stages; see head-stage.ts. `given`: start times, where there are any. */
  stage(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    minValidTime: number,
    given?: Float64Array,
  ): void {
    this.reserve(n);
    const before = this.n;
    if (refs.buffer === this.#words.buffer) {
      this.#stageShared(refs, timestamps, values, n, outcomes, minValidTime);
    } else this.#stageOwn(refs, timestamps, values, n, outcomes, minValidTime);
    const starts = this.#starts;
    if (starts === undefined) return;
    let at = before;
    for (let i = 0; i < n; i++) {
      if (outcomes[i] !== Judgement.ok) continue;
      starts[at++] = given === undefined ? 0 : storableStart(given[i], timestamps[i]);
    }
  }

  #stageOwn(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    minValidTime: number,
  ): void {
    const valueWords = new Uint32Array(values.buffer, values.byteOffset, 2 * n);
    this.n = stageSamples(
      this.#words,
      this.#doubles,
      refs,
      timestamps,
      valueWords,
      n,
      outcomes,
      minValidTime,
      this.#refs,
      this.#times,
      this.#values,
      this.n,
    );
  }

  /** The same for columns that lie in the shared memory. */
  #stageShared(
    refs: Uint32Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    outcomes: Uint8Array,
    minValidTime: number,
  ): void {
    const words = this.#words;
    const control = this.#stageControl;
    words[control + Stage.refs] = refs.byteOffset / 4;
    words[control + Stage.times] = timestamps.byteOffset / 4;
    words[control + Stage.values] = values.byteOffset / 4;
    words[control + Stage.outcomes] = outcomes.byteOffset / 4;
    words[control + Stage.count] = n;
    words[control + Stage.stagedRefs] = this.#refs;
    words[control + Stage.stagedTimes] = this.#times;
    words[control + Stage.stagedValues] = this.#values;
    words[control + Stage.staged] = this.n;
    this.#doubles[(control + Stage.minValidTime) >> 1] = minValidTime;
    this.#head.kernel.stageSamples(control);
    this.n = words[control + Stage.staged];
  }

  /** The WAL refs of the staged samples. Valid until the next call. */
  walRefs(): Float64Array {
    if (this.#walRefs.length < this.n) this.#walRefs = new Float64Array(2 * this.n);
    const words = this.#words;
    for (let i = 0; i < this.n; i++) {
      this.#walRefs[i] = walRefOf(words, seriesRecord(words, words[this.#refs + i]));
    }
    return this.#walRefs;
  }

  /**
   * Appends the staged samples to the open chunks as the batch in progress, and forgets them: group by group, where there
   * are histograms too.
   */
  apply(minValidTime: number, groups?: readonly SampleGroup[]): Applied {
    const head = this.#head;
    const words = this.#words;
    const doubles = this.#doubles;
    const control = this.#control;
    words[control + Append.next] = 0;
    words[control + Append.count] = this.n;
    words[control + Append.refs] = this.#refs;
    words[control + Append.times] = this.#times;
    words[control + Append.values] = this.#values;
    words[control + Append.batch] = head.batch;
    words[control + Append.watermark] = oldestBatch(words, Slot.pinned);
    words[control + Append.samplesPerChunk] = head.samplesPerChunk;
    words.fill(0, control + Append.appended, control + Append.staleSeries + 1);
    doubles[(control + Append.chunkRange) >> 1] = head.chunkRangeMs;
    doubles[(control + Append.minValidTime) >> 1] = minValidTime;
    doubles[(control + Append.mint) >> 1] = Number.POSITIVE_INFINITY;
    doubles[(control + Append.maxt) >> 1] = Number.NEGATIVE_INFINITY;
    if (groups === undefined) this.#applyFloats(this.n, minValidTime);
    else for (const group of groups) this.#applyGroup(group, minValidTime);
    this.n = 0;
    const { stats } = head;
    const created = words[control + Append.chunksCreated];
    stats.chunks += created;
    stats.chunksCreated += created;
    stats.samplesAppended += words[control + Append.appended];
    stats.outOfOrder += words[control + Append.outOfOrder];
    stats.outOfBounds += words[control + Append.outOfBounds];
    stats.staleSeries += words[control + Append.staleSeries] | 0;
    return {
      appended: words[control + Append.appended],
      mint: doubles[(control + Append.mint) >> 1],
      maxt: doubles[(control + Append.maxt) >> 1],
    };
  }

  /** Those from Append.next on, up to `end`. */
  #applyFloats(end: number, minValidTime: number): void {
    const head = this.#head;
    const words = this.#words;
    const control = this.#control;
    if (head.encodings.floats === "xor2") {
      for (; words[control + Append.next] < end; words[control + Append.next]++) {
        this.#applyXor2(words[control + Append.next], minValidTime);
      }
      return;
    }
    words[control + Append.count] = end;
    for (;;) {
      const status = head.kernel.appendStaged(control);
      this.#drain();
      if (status === AppendStatus.done) break;
      if (status === AppendStatus.classMissing) head.arena.refill(words[control + Append.missingClass]);
    }
  }

  #applyGroup({ floatsEnd, integers, floats }: SampleGroup, minValidTime: number): void {
    this.#applyFloats(floatsEnd, minValidTime);
    for (const staged of integers) this.#applyHistogram(staged, minValidTime);
    for (const staged of floats) this.#applyHistogram(staged, minValidTime);
  }

  /** What the kernel does for a float (kernels/head-append.ts), with an XOR2 chunk. */
  #applyXor2(i: number, minValidTime: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const control = this.#control;
    const t = doubles[(this.#times >> 1) + i];
    const ref = words[this.#refs + i];
    if (t < minValidTime) {
      words[control + Append.outOfBounds]++;
      return;
    }
    const record = seriesRecord(words, ref);
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    if (t <= lastTime) {
      if (t < lastTime && words[record + Series.open] !== 0) words[control + Append.outOfOrder]++;
      return;
    }
    this.#note(record);
    const value = this.#values + 2 * i;
    this.#head.xor2.append(ref, t, words[value + 1], words[value], this.#starts?.[i] ?? 0);
    words[control + Append.appended]++;
    this.#extendTimes(t);
  }

  /** What the kernel does for a float. */
  #applyHistogram({ ref, t, histogram, start }: StagedHistogram, minValidTime: number): void {
    const head = this.#head;
    const words = this.#words;
    const doubles = this.#doubles;
    const { stats } = head;
    if (t < minValidTime) {
      stats.histogramsOutOfBounds++;
      return;
    }
    const record = seriesRecord(words, ref);
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    if (t <= lastTime) {
      if (t < lastTime && words[record + Series.open] !== 0) stats.histogramsOutOfOrder++;
      return;
    }
    this.#note(record);
    head.histograms.append(ref, t, histogram, start);
    stats.histogramsAppended++;
    this.#extendTimes(t);
  }

  /** For the isolation of readers, before the first sample of the batch. */
  #note(record: number): void {
    const words = this.#words;
    const control = this.#control;
    const { batch, arena } = this.#head;
    if (words[record + Series.noteBatch] === batch) return;
    while (!takeNote(words, control, record, batch)) arena.refill(words[control + Append.missingClass]);
    if (words[control + Append.retiredCount] === words[control + Append.retiredCapacity]) this.#drain();
  }

  #extendTimes(t: number): void {
    const doubles = this.#doubles;
    const mint = (this.#control + Append.mint) >> 1;
    const maxt = (this.#control + Append.maxt) >> 1;
    doubles[mint] = Math.min(doubles[mint], t);
    doubles[maxt] = Math.max(doubles[maxt], t);
  }

  /** Gives the memory back; nothing may be called afterwards. */
  release(): void {
    const { arena } = this.#head;
    const words = this.#words;
    arena.free(words[this.#control + Append.cuts], Purpose.staging);
    arena.free(words[this.#control + Append.retired], Purpose.staging);
    arena.free(this.#control, Purpose.staging);
    arena.free(this.#stageControl, Purpose.staging);
    for (const column of [this.#refs, this.#times, this.#values]) arena.free(column, Purpose.staging);
  }

  #drain(): void {
    const words = this.#words;
    const control = this.#control;
    const { cuts, retired, stats } = this.#head;
    const cutCount = words[control + Append.cutCount];
    if (cutCount > 0) {
      cuts.take(words[control + Append.cuts], cutCount, (slab) => {
        stats.nativeHistogramSeries--;
        stats.nativeHistogramBuckets -= words[slab + HistogramChunk.buckets];
      });
    }
    words[control + Append.cutCount] = 0;
    const from = words[control + Append.retired];
    const to = from + 2 * words[control + Append.retiredCount];
    for (let entry = from; entry < to; entry += 2) {
      const kind = words[entry + 1];
      if (kind === retiredNotes) retired.notes(words[entry]);
      else retired.memory(words[entry], kind as Purpose);
    }
    words[control + Append.retiredCount] = 0;
  }
}

/**
 * The head from the writer's side: one object in the writer's thread that owns the shared memory. It knows the times of
 * the head and publishes batches; {@link ./appender.ts}, {@link ./replay.ts} and {@link ./collection.ts} work on it.
 */
import { assert } from "../../base/assert.ts";
import { type ChunkEncodings, plainEncodings } from "../../chunkenc/encode-samples.ts";
import type { HeadKernel } from "../../kernels/head-kernel.ts";
import { Purpose, pageWords, Root, State, StateFlag } from "../../kernels/head-layout.ts";
import { headTwin } from "../../kernels/head-twin.ts";
import { WriteMemory } from "../../kernels/write-memory.ts";
import type { Labels } from "../../model/labels.ts";
import type { Metadata } from "../../storage/appender.ts";
import { Arena } from "./arena.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { CutChunks } from "./cut-chunks.ts";
import { DeletedIntervals } from "./deleted-intervals.ts";
import { nextBatch } from "./epochs.ts";
import { ExemplarRing } from "./exemplars.ts";
import { HeadBudget } from "./head-budget.ts";
import type { ChunkSink } from "./head-log.ts";
import type { HeadOptions } from "./head-options.ts";
import { HistogramChunks } from "./histogram-chunks.ts";
import { LateChunks } from "./late-chunks.ts";
import { type HeadHandle, type HeadMemory, seriesRecord } from "./memory.ts";
import { PairStrings } from "./pair-strings.ts";
import { Retired } from "./retired.ts";
import { isLiveRecord, SeriesTable, walRefOf } from "./series-table.ts";
import { newHeadStats } from "./stats.ts";
import { Xor2Chunks } from "./xor2-chunks.ts";

/** What requests are taken apart in must leave this much for their samples; half of it where the arena is small. */
const pagesLeftByRequests = 256;
const defaultChunkRangeMs = 2 * 60 * 60 * 1000;
const defaultSamplesPerChunk = 120;
/** A chunk is cut at twice the target at the latest, and its count has 16 bits. */
const samplesPerChunkMax = 32767;
/** Differences of times within a chunk are kept in 32 bits. */
const chunkRangeMsMax = 2 ** 32 - 1;

export class Head {
  readonly memory: HeadMemory;
  readonly arena: Arena;
  readonly retired: Retired;
  readonly series: SeriesTable;
  readonly budget: HeadBudget;
  readonly lists: ChunkLists;
  readonly cuts: CutChunks;
  readonly histograms: HistogramChunks;
  readonly xor2: Xor2Chunks;
  readonly strings: PairStrings;
  readonly exemplars: ExemplarRing;
  readonly deleted: DeletedIntervals;
  readonly late: LateChunks;
  /**
   * WAL refs of series that are gone, with the time until which the WAL may still hold their samples: so long their
   * series records are needed.
   */
  readonly walExpiries = new Map<number, number>();
  /** By ref. */
  readonly metadata = new Map<number, Metadata>();
  readonly stats = newHeadStats();
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** Whether start times are logged and kept in chunks that can hold them. */
  readonly keepsStarts: boolean;
  readonly kernel: HeadKernel;
  /** The WAL ref that the next series gets. */
  nextWalRef: number;
  /** Infinity while nothing was ever appended. */
  minTime = Number.POSITIVE_INFINITY;
  /** -Infinity while nothing was ever appended. */
  maxTime = Number.NEGATIVE_INFINITY;
  /** Nothing before this is accepted: it belongs to blocks. */
  minValidTime = Number.NEGATIVE_INFINITY;
  /** How far behind the newest sample others are still taken out of order; 0: not at all. */
  outOfOrderWindowMs = 0;

  constructor(memory: HeadMemory, chunks: ChunkSink, options: HeadOptions = {}) {
    this.memory = memory;
    this.arena = new Arena(memory);
    this.retired = new Retired(memory, this.arena);
    this.series = new SeriesTable(memory, this.arena, this.retired);
    this.budget = new HeadBudget(memory, this.arena, () => this.stats.series);
    this.lists = new ChunkLists(memory, this.arena, this.retired);
    this.cuts = new CutChunks(memory, this.lists, this.retired, chunks);
    this.deleted = new DeletedIntervals(memory, this.arena, this.retired);
    this.late = new LateChunks(memory, this.arena, this.retired, chunks);
    this.strings = new PairStrings(memory);
    this.exemplars = new ExemplarRing(options.exemplarsMax ?? 0);
    this.chunkRangeMs = options.chunkRangeMs ?? defaultChunkRangeMs;
    this.samplesPerChunk = options.samplesPerChunk ?? defaultSamplesPerChunk;
    this.nextWalRef = options.nextWalRef ?? 1;
    const { words, doubles } = memory;
    this.kernel = options.kernel ?? headTwin(words, doubles);
    this.histograms = new HistogramChunks(this);
    this.xor2 = new Xor2Chunks(this);
    this.keepsStarts = options.keepsStarts ?? false;
    this.encodings = options.encodings ?? plainEncodings;
    if (!(this.samplesPerChunk >= 4 && this.samplesPerChunk <= samplesPerChunkMax)) {
      throw new RangeError(`samplesPerChunk is 4 to ${samplesPerChunkMax}, not ${this.samplesPerChunk}`);
    }
    if (!(this.chunkRangeMs >= 2 && this.chunkRangeMs <= chunkRangeMsMax)) {
      throw new RangeError(`chunkRangeMs is 2 to ${chunkRangeMsMax}, not ${this.chunkRangeMs}`);
    }
    this.publish();
  }

  /** Of chunks that are begun from now on; an open one of another encoding ends with the next sample. */
  get encodings(): ChunkEncodings {
    return this.late.encodings;
  }

  set encodings(encodings: ChunkEncodings) {
    this.late.encodings = encodings;
  }

  /** For the threads that read. */
  get handle(): HeadHandle {
    return this.memory.handle;
  }

  get isInitialized(): boolean {
    return this.minTime !== Number.POSITIVE_INFINITY;
  }

  /** The number that the batch in progress will have. */
  get batch(): number {
    return nextBatch(this.memory.words[Root.committed]);
  }

  /** Memory of the head in which remote-write requests are taken apart, unless it is nearly full. */
  newWriteMemory(): WriteMemory {
    const { arena, budget } = this;
    return new WriteMemory(this.memory.words, this.memory.doubles, this.kernel, {
      alloc(words) {
        const left = Math.min(pagesLeftByRequests, budget.pagesKept >>> 1);
        arena.reserve(Math.ceil(words / pageWords) + left);
        return arena.alloc(words, Purpose.staging);
      },
      free: (at) => arena.free(at, Purpose.staging),
    });
  }

  /** Bytes in use for one purpose. */
  bytesInUse(purpose: Purpose): number {
    return this.arena.bytesInUse(purpose);
  }

  /** The labels of a series. */
  labels(ref: number): Labels {
    const record = seriesRecord(this.memory.words, ref);
    assert(this.series.isLive(ref), `series ${ref} is not in the head`);
    return this.strings.labels(record);
  }

  /** Samples before this are refused: the range that is about to become a block must not change any more. */
  appendableMinValidTime(): number {
    return Math.max(this.maxTime - Math.trunc(this.chunkRangeMs / 2), this.minValidTime);
  }

  /** Whether enough has gathered for a block: one and a half ranges. */
  get isCompactable(): boolean {
    return this.isInitialized && this.maxTime - this.minTime > Math.trunc(this.chunkRangeMs / 2) * 3;
  }

  /** The first time that a head without any gets. */
  initializeTime(t: number): void {
    if (this.isInitialized) return;
    this.maxTime = t;
    this.minTime = t;
  }

  /** Widens the head's range. */
  extendTimes(mint: number, maxt: number): void {
    if (mint < this.minTime) this.minTime = mint;
    if (maxt > this.maxTime) this.maxTime = maxt;
  }

  /**
   * Which series records a checkpoint has to keep when everything before `mint` leaves the WAL: those of series that
   * live, and of those whose samples may still be in it. To be asked for at the time of the checkpoint.
   */
  checkpointKeeps(mint: number): (walRef: number) => boolean {
    const { words } = this.memory;
    const live: number[] = [];
    for (let ref = 1; ref <= this.series.lastRef; ref++) {
      const record = seriesRecord(words, ref);
      if (record !== 0 && isLiveRecord(words, record)) live.push(walRefOf(words, record));
    }
    const sorted = Float64Array.from(live).sort();
    return (walRef) => contains(sorted, walRef) || (this.walExpiries.get(walRef) ?? -Infinity) >= mint;
  }

  /** The WAL may hold samples up to `t` under a WAL ref that no series of the head has. */
  keepUntil(walRef: number, t: number): void {
    this.walExpiries.set(walRef, Math.max(t, this.walExpiries.get(walRef) ?? Number.NEGATIVE_INFINITY));
  }

  /** Forgets expiries before `mint`: the checkpoint without them is written. */
  checkpointWritten(mint: number): void {
    for (const [walRef, until] of this.walExpiries) if (until < mint) this.walExpiries.delete(walRef);
  }

  /** Makes everything that was stored visible as the next batch, and frees what nobody can hold any more. */
  publish(): void {
    const { words, doubles } = this.memory;
    const { batch } = this;
    const state = Root.states + (batch & 1) * State.words;
    const flags = this.isInitialized ? StateFlag.initialized : 0;
    doubles[(state + State.minTime) >> 1] = this.minTime;
    doubles[(state + State.maxTime) >> 1] = this.maxTime;
    doubles[(state + State.lateMinTime) >> 1] = this.late.minTime;
    Atomics.store(words, state + State.flags, flags);
    Atomics.store(words, state + State.lastRef, words[Root.lastRef]);
    Atomics.store(words, Root.committed, batch);
    this.retired.free();
  }
}

function contains(sorted: Float64Array, wanted: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low] === wanted;
}

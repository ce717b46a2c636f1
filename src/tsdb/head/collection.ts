/**
 * Dropping what is older than a time from the head: chunks, then series without any, then labels without series. In
 * slices, so that batches can be committed in between; docs/formats/head-memory.md, section 7, has the steps and why
 * readers do not notice. A slice must not come between the first call for a batch and its commit.
 */
import {
  Chunk,
  directoryHeaderWords,
  labelCountMask,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  SeriesFlag,
  Slot,
} from "../../kernels/head-layout.ts";
import { batchesAfter, oldestBatch } from "./epochs.ts";
import type { Head } from "./head.ts";
import { seriesRecord } from "./memory.ts";
import { PostingsCompaction } from "./postings.ts";
import { isLiveRecord, pairIdsOf, walRefOf } from "./series-table.ts";

/** `waiting`: queries that were opened before still run, nothing can be done until they are closed. */
export type CollectionState = "working" | "waiting" | "done";

const seriesPerUnit = 256;

export class Collection {
  readonly #head: Head;
  readonly #mint: number;
  #work: Generator<CollectionState, void>;
  readonly #announces: boolean;
  #state: CollectionState = "working";
  readonly #dead: number[] = [];
  /** Of the dead: their records may be gone when these are needed. */
  readonly #deadWalRefs: number[] = [];
  /** How many of the dead are retired. */
  #retired = 0;
  readonly #affected = new Set<number>();
  readonly #ids = new Uint32Array(labelCountMask);
  #oldestTime = Number.POSITIVE_INFINITY;
  #chunksRemoved = 0;

  private constructor(head: Head, mint: number, announce: boolean) {
    this.#head = head;
    this.#mint = mint;
    this.#announces = announce;
    this.#work = announce ? this.#run() : this.#collect();
  }

  /**
   * Truncation of the head: what ends before `mint` is in a block by now. Does nothing where the head begins at `mint`
   * or later; a head that never had a sample only learns that nothing before `mint` is to come.
   */
  static truncation(head: Head, mint: number): Collection {
    return new Collection(head, mint, true);
  }

  /**
   * After the replay of a WAL, while nobody reads: what is before the head's min time, series without samples, and what
   * hangs from series that replay has killed.
   */
  static afterReplay(head: Head, killed: readonly number[]): Collection {
    const collection = new Collection(head, head.minTime, false);
    for (const ref of killed) collection.#bury(ref);
    return collection;
  }

  /** What the head is to begin with. */
  get mint(): number {
    return this.#mint;
  }

  /** Valid once done. */
  get seriesRemoved(): number {
    return this.#dead.length;
  }

  get chunksRemoved(): number {
    return this.#chunksRemoved;
  }

  /**
   * Works until `isOver` says so, which is asked about every 100 µs, or until it has to wait; publishes what it did.
   * Throws a STORAGE error when the memory is full; the next step then tries again with what has been freed meanwhile.
   */
  step(isOver: () => boolean): CollectionState {
    if (this.#state === "done") return this.#state;
    try {
      do {
        const next = this.#work.next();
        this.#state = next.done === true ? "done" : next.value;
      } while (this.#state === "working" && !isOver());
    } catch (error) {
      this.#work = this.#collect();
      throw error;
    } finally {
      this.#head.publish();
    }
    return this.#state;
  }

  /** All at once; throws where queries keep it from going on. */
  runToEnd(): void {
    while (this.#state !== "done") {
      if (this.step(() => false) === "waiting")
        throw new Error("queries that were opened before are not closed yet");
    }
  }

  *#run(): Generator<CollectionState, void> {
    const head = this.#head;
    const wasInitialized = head.isInitialized;
    if (wasInitialized && head.minTime >= this.#mint) return;
    head.minTime = this.#mint;
    head.minValidTime = this.#mint;
    head.maxTime = Math.max(head.maxTime, this.#mint);
    if (!wasInitialized) return;
    head.stats.truncations++;
    head.publish();
    const { words } = head.memory;
    const announced = words[Root.committed];
    while (batchesAfter(announced, oldestBatch(words, Slot.opened)) > 0) yield "waiting";
    yield* this.#collect();
  }

  /** Steps 3 to 6. Can be begun again where it threw: what was done is then found done. */
  *#collect(): Generator<CollectionState, void> {
    const { pairs } = this.#head.series;
    const swept = yield* this.#sweep();
    const empty = yield* this.#compactPostings();
    pairs.remove(empty);
    yield "working";
    yield* this.#retireSeries();
    this.#finish(swept);
  }

  /** Step 3; returns the last ref that was looked at. */
  *#sweep(): Generator<CollectionState, number> {
    const { words } = this.#head.memory;
    const lastRef = words[Root.lastRef];
    for (let ref = 1; ref <= lastRef; ) {
      const page = words[words[Root.seriesDirectory] + directoryHeaderWords + (ref >>> recordsPerPageBits)];
      const pageEnd = (ref | (recordsPerPage - 1)) + 1;
      if (page === 0) {
        ref = pageEnd;
        continue;
      }
      const watermark = oldestBatch(words, Slot.pinned);
      const end = Math.min(pageEnd, ref + seriesPerUnit, lastRef + 1);
      for (; ref < end; ref++) this.#sweepSeries(ref, watermark);
      yield "working";
    }
    return lastRef;
  }

  #sweepSeries(ref: number, watermark: number): void {
    const head = this.#head;
    const { words } = head.memory;
    const record = seriesRecord(words, ref);
    if (!isLiveRecord(words, record)) return;
    this.#dropNotes(record, watermark);
    let dropped = head.lists.dropBefore(record, this.#mint);
    dropped += this.#dropOpen(ref, record);
    this.#chunksRemoved += dropped;
    head.stats.chunks -= dropped;
    head.stats.chunksRemoved += dropped;
    if (words[record + Series.open] !== 0 || words[record + Series.chunkList] !== 0) {
      this.#oldestTime = Math.min(this.#oldestTime, this.#oldestOf(record));
      return;
    }
    if (head.late.has(ref)) return;
    head.series.kill(ref);
    this.#bury(ref);
  }

  /** Notes a series that is dead, for the steps to come. */
  #bury(ref: number): void {
    const head = this.#head;
    const { words } = head.memory;
    const record = seriesRecord(words, ref);
    if ((words[record + Series.samples] & SeriesFlag.stale) !== 0) head.stats.staleSeries--;
    const count = pairIdsOf(words, record, this.#ids);
    for (let i = 0; i < count; i++) this.#affected.add(this.#ids[i]);
    head.metadata.delete(ref);
    head.stats.series--;
    head.stats.seriesRemoved++;
    this.#dead.push(ref);
    this.#deadWalRefs.push(walRefOf(words, record));
  }

  #dropNotes(record: number, watermark: number): void {
    const { words } = this.#head.memory;
    const noted = words[record + Series.noteBatch];
    if (noted === 0 || batchesAfter(noted, watermark) > 0) return;
    Atomics.store(words, record + Series.noteBatch, 0);
    const older = words[record + Series.olderNotes];
    if (older === 0) return;
    Atomics.store(words, record + Series.olderNotes, 0);
    this.#head.retired.notes(older);
  }

  /** Drops the open chunk, and with it all in memory, if it has nothing from `mint` on; returns how many. */
  #dropOpen(ref: number, record: number): number {
    const { words, doubles } = this.#head.memory;
    if (words[record + Series.open] === 0 || doubles[(record + Series.lastTime) >> 1] >= this.#mint) return 0;
    return dropOpenChunks(this.#head, ref, record);
  }

  #oldestOf(record: number): number {
    const { words, doubles } = this.#head.memory;
    let oldest = this.#head.lists.mint(record);
    for (let slab = words[record + Series.open]; slab !== 0; slab = words[slab + Chunk.older]) {
      oldest = Math.min(oldest, doubles[(slab + Chunk.firstTime) >> 1]);
    }
    return oldest;
  }

  /** Step 4; returns the pairs that have no series left. */
  *#compactPostings(): Generator<CollectionState, number[]> {
    const { memory, arena, retired, series } = this.#head;
    const empty: number[] = [];
    for (const pair of this.#affected) {
      const compaction = new PostingsCompaction(
        memory.words,
        arena,
        retired,
        pair,
        (ref) => !series.isLive(ref),
      );
      while (compaction.step()) yield "working";
      if (compaction.isEmpty) empty.push(pair);
      yield "working";
    }
    // A new series may have come to one of them in the meantime.
    return empty.filter(
      (pair) => new PostingsCompaction(memory.words, arena, retired, pair, () => false).isEmpty,
    );
  }

  *#retireSeries(): Generator<CollectionState, void> {
    const { series } = this.#head;
    let page = -1;
    while (this.#retired < this.#dead.length) {
      const ref = this.#dead[this.#retired++];
      series.retire(ref);
      this.#head.late.drop(ref);
      if (ref >>> recordsPerPageBits === page) continue;
      if (page >= 0) series.retirePage(page * recordsPerPage);
      page = ref >>> recordsPerPageBits;
      yield "working";
    }
    if (page >= 0) series.retirePage(page * recordsPerPage);
  }

  /** Refs after `swept` came while this was at work; they count for the oldest time, and are left alone. */
  #finish(swept: number): void {
    const head = this.#head;
    const { words } = head.memory;
    for (let ref = swept + 1; ref <= words[Root.lastRef]; ref++) {
      const record = seriesRecord(words, ref);
      if (record !== 0 && isLiveRecord(words, record)) {
        this.#oldestTime = Math.min(this.#oldestTime, this.#oldestOf(record));
      }
    }
    const oldest = this.#oldestTime === Number.POSITIVE_INFINITY ? this.#mint : this.#oldestTime;
    for (const walRef of this.#deadWalRefs) head.keepUntil(walRef, oldest);
    head.deleted.truncate((ref) => head.series.isLive(ref), Math.min(head.minTime, head.late.minTime));
    if (this.#announces && oldest > head.minTime) {
      // What lies in the window that still takes samples must not be closed for them.
      const start = Math.min(oldest, head.appendableMinValidTime());
      head.minTime = start;
      head.minValidTime = start;
    }
  }
}

/** Drops all chunks of a series that are in memory; returns how many there were. */
export function dropOpenChunks(head: Head, ref: number, record: number): number {
  const { words } = head.memory;
  let dropped = 0;
  const open = words[record + Series.open];
  head.histograms.forget(ref, record);
  Atomics.store(words, record + Series.open, 0);
  for (let slab = open; slab !== 0; slab = words[slab + Chunk.older]) {
    head.retired.chunk(slab);
    dropped++;
  }
  words[record + Series.samples] &= ~0xffff;
  if (dropped > 1) head.cuts.forget((other) => other === ref);
  return dropped;
}

/**
 * The series of the head, from the writer's side: finds them by label bytes, creates them, takes dead ones out.
 * Layout: docs/formats/head-memory.md.
 */
import { NarthexError } from "../../base/errors.ts";
import {
  Bits,
  directoryHeaderWords,
  inlinePairs,
  labelCountBits,
  labelCountMask,
  Purpose,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  SeriesFlag,
} from "../../kernels/head-layout.ts";
import { hashBytes, hashHigh } from "../../kernels/label-hash.ts";
import { findSeries } from "../../kernels/series-find.ts";
import type { Arena } from "./arena.ts";
import { growDirectory, newDirectory } from "./directory.ts";
import { LabelCursor } from "./label-bytes.ts";
import { type HeadMemory, seriesRecord } from "./memory.ts";
import { Pairs } from "./pairs.ts";
import { appendPosting } from "./postings.ts";
import type { Retired } from "./retired.ts";
import { SeriesIndex } from "./series-index.ts";

/** Room for everything that one new series may need: its page, its pairs' page and tables, blocks, a table to grow. */
const pagesForNewSeries = 24;
const lastRefMax = 0xfffffffe;

export class SeriesTable {
  readonly pairs: Pairs;
  readonly index: SeriesIndex;
  readonly #memory: HeadMemory;
  readonly #words: Uint32Array;
  readonly #arena: Arena;
  readonly #retired: Retired;
  readonly #seed: number;
  readonly #cursor = new LabelCursor();
  #ids = new Uint32Array(64);

  constructor(memory: HeadMemory, arena: Arena, retired: Retired) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#arena = arena;
    this.#retired = retired;
    this.#seed = memory.words[Root.hashSeed];
    memory.words[Root.seriesDirectory] = newDirectory(memory, arena);
    this.pairs = new Pairs(memory, arena, retired);
    this.index = new SeriesIndex(memory, arena);
  }

  /** The highest ref that was ever given out. */
  get lastRef(): number {
    return this.#words[Root.lastRef];
  }

  /** The ref of the series with these label bytes; 0 if there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const low = hashBytes(bytes, start, end, this.#seed);
    return findSeries(this.#words, bytes, start, end, low, hashHigh);
  }

  /** Whether `ref` is a series that lives. */
  isLive(ref: number): boolean {
    if (!(ref > 0 && ref <= this.lastRef)) return false;
    const record = seriesRecord(this.#words, ref);
    return record !== 0 && isLiveRecord(this.#words, record);
  }

  /**
   * Creates the series with these label bytes, which must not be there yet. Returns 0 where they are not in canonical
   * form. Throws a STORAGE error, with nothing changed, when the memory is full.
   */
  create(bytes: Uint8Array, start: number, end: number, walRef: number): number {
    const count = this.#internAll(bytes, start, end);
    if (count === 0) return 0;
    const low = hashBytes(bytes, start, end, this.#seed);
    return this.#add(count, walRef, low, hashHigh);
  }

  /** Gives the label at the cursor, as it is in a snapshot of another head, its pair here. */
  restorePair(cursor: LabelCursor): number {
    this.pairs.makeRoom(1);
    this.#arena.reserve(pagesForNewSeries);
    return this.pairs.intern(cursor);
  }

  /**
   * Creates a series that is not there yet from a snapshot of a head with the same hash seed: with the pairs
   * `ids[0, count)`, sorted by name, and the hash of its label bytes.
   */
  restore(ids: Uint32Array, count: number, walRef: number, low: number, high: number): number {
    if (count > this.#ids.length) this.#ids = new Uint32Array(2 * count);
    for (let i = 0; i < count; i++) this.#ids[i] = ids[i];
    this.#arena.reserve(pagesForNewSeries);
    return this.#add(count, walRef, low, high);
  }

  /** A series with the first `count` of #ids. */
  #add(count: number, walRef: number, low: number, high: number): number {
    const words = this.#words;
    const ref = words[Root.lastRef] + 1;
    const record = this.#newRecord(ref);
    words[Root.lastRef] = ref;
    words[record + Series.hashLow] = low;
    words[record + Series.hashHigh] = high;
    words[record + Series.walRefLow] = walRef;
    this.#storePairs(record, count);
    words[record + Series.bits] = Bits.noWindow << Bits.leadingShift;
    this.#memory.doubles[(record + Series.lastTime) >> 1] = Number.NEGATIVE_INFINITY;
    words[record + Series.labelCount] = count | (Math.floor(walRef / 0x100000000) << labelCountBits);
    for (let i = 0; i < count; i++) appendPosting(words, this.#arena, this.#ids[i], ref);
    this.index.insert(ref, low, high);
    return ref;
  }

  /** Takes a series out of the index, so that its labels may come back as another one, and marks it dead. */
  kill(ref: number): void {
    this.index.remove(ref);
    this.#words[seriesRecord(this.#words, ref) + Series.samples] |= SeriesFlag.dead;
  }

  /** Retires what hangs from the record of a dead series; the record itself goes with its page. */
  retire(ref: number): void {
    const words = this.#words;
    const record = seriesRecord(words, ref);
    if ((words[record + Series.labelCount] & labelCountMask) > inlinePairs) {
      this.#retired.memory(words[record + Series.pairSpill], Purpose.series);
    }
    const notes = words[record + Series.olderNotes];
    if (notes !== 0) this.#retired.notes(notes);
    const list = words[record + Series.chunkList];
    if (list !== 0) this.#retired.memory(list, Purpose.chunkLists);
  }

  /** Takes the page with record number `first` out of the directory, if no series on it lives or is still to come. */
  retirePage(first: number): boolean {
    const words = this.#words;
    const entry = words[Root.seriesDirectory] + directoryHeaderWords + (first >>> recordsPerPageBits);
    const page = words[entry];
    if (page === 0 || first + recordsPerPage > this.lastRef) return false;
    for (let i = 0; i < recordsPerPage; i++) {
      if (isLiveRecord(words, page + i * Series.words)) return false;
    }
    Atomics.store(words, entry, 0);
    this.#retired.memory(page, Purpose.series);
    return true;
  }

  /** Gives every label its pair; returns how many there are, 0 where the bytes are not canonical. */
  #internAll(bytes: Uint8Array, start: number, end: number): number {
    const cursor = this.#cursor;
    let count = 0;
    cursor.reset(bytes, start, end);
    while (cursor.next()) count++;
    if (cursor.malformed || count === 0) return 0;
    if (count > labelCountMask) {
      throw new NarthexError(
        "STORAGE",
        `a series has ${count} labels, the head takes ${labelCountMask} at most; drop some by relabelling`,
      );
    }
    if (this.lastRef >= lastRefMax) {
      throw new NarthexError("STORAGE", "the head has given out all 2^32 series refs; restart the server");
    }
    this.pairs.makeRoom(count);
    this.#arena.reserve(pagesForNewSeries);
    if (count > this.#ids.length) this.#ids = new Uint32Array(2 * count);
    cursor.reset(bytes, start, end);
    for (let i = 0; cursor.next(); i++) this.#ids[i] = this.pairs.intern(cursor);
    return count;
  }

  #storePairs(record: number, count: number): void {
    const words = this.#words;
    const inline = count <= inlinePairs ? count : inlinePairs - 1;
    for (let i = 0; i < inline; i++) words[record + Series.pairs + i] = this.#ids[i];
    if (inline === count) return;
    const spill = this.#arena.alloc(count - inline, Purpose.series);
    for (let i = inline; i < count; i++) words[spill + i - inline] = this.#ids[i];
    words[record + Series.pairSpill] = spill;
  }

  #newRecord(ref: number): number {
    const words = this.#words;
    const page = ref >>> recordsPerPageBits;
    const directory = growDirectory(this.#memory, this.#arena, this.#retired, Root.seriesDirectory, page);
    const entry = directory + directoryHeaderWords + page;
    if (words[entry] === 0) {
      Atomics.store(words, entry, this.#arena.allocZeroed(recordsPerPage * Series.words, Purpose.series));
    }
    return seriesRecord(words, ref);
  }
}

/** Whether the record is that of a series that lives. */
export function isLiveRecord(words: Uint32Array, record: number): boolean {
  return words[record + Series.labelCount] !== 0 && (words[record + Series.samples] & SeriesFlag.dead) === 0;
}

/**
 * The record of a series that a reader has selected; 0 where the series was removed in the meantime, which is counted
 * for prometheus_tsdb_head_series_not_found_total.
 */
export function selectedRecord(words: Uint32Array, ref: number): number {
  const record = seriesRecord(words, ref);
  if (record !== 0 && isLiveRecord(words, record)) return record;
  Atomics.add(words, Root.seriesNotFound, 1);
  return 0;
}

/** The WAL ref of a series. */
export function walRefOf(words: Uint32Array, record: number): number {
  return (
    (words[record + Series.labelCount] >>> labelCountBits) * 0x100000000 + words[record + Series.walRefLow]
  );
}

/** The pair ids of a series into `out`; returns how many. */
export function pairIdsOf(words: Uint32Array, record: number, out: Uint32Array): number {
  const count = words[record + Series.labelCount] & labelCountMask;
  const inline = count <= inlinePairs ? count : inlinePairs - 1;
  for (let i = 0; i < inline; i++) out[i] = words[record + Series.pairs + i];
  const spill = words[record + Series.pairSpill];
  for (let i = inline; i < count; i++) out[i] = words[spill + i - inline];
  return count;
}

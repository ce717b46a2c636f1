/**
 * Fills an empty head from chunk files and the WAL, by Prometheus's rules. Records come in the order of the log; series
 * are named by WAL ref there, and one that came under several WAL refs is one series here. Nobody may read the head
 * meanwhile.
 *
 * Order of calls: the chunks of `chunks_head` into a {@link ReplayChunks}, then the records of the WAL, {@link attachLate},
 * those of the WBL, then {@link finish}.
 */
import { storableStart } from "../../chunkenc/start-times.ts";
import { Chunk, Series, SeriesFlag } from "../../kernels/head-layout.ts";
import { type Histogram, staleHistogram } from "../../model/histogram.ts";
import type { Labels } from "../../model/labels.ts";
import { staleHigh, staleLow } from "../../model/value.ts";
import type { Metadata } from "../../storage/appender.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import type { ExemplarEntry } from "../record/exemplars.ts";
import type { MmapMarker } from "../record/mmap-markers.ts";
import { higherWalRef } from "../record/record-reader.ts";
import type { PersistedChunk } from "./chunk-lists.ts";
import { Collection, dropOpenChunks } from "./collection.ts";
import type { Head } from "./head.ts";
import { LabelBytes } from "./label-bytes.ts";
import { seriesRecord } from "./memory.ts";
import type { ReplayChunks } from "./replay-chunks.ts";
import { walRefOf } from "./series-table.ts";
import type { StagedHistogram } from "./staged-histograms.ts";
import { Staging } from "./staging.ts";
import { WalRefMap } from "./wal-ref-map.ts";

const samplesPerApply = 8192;
/** Pages that late samples may need, besides some for each. */
const lateReserve = 64;

/** Records that named series which no series record had introduced. */
export interface UnknownRefs {
  samples: number;
  histograms: number;
  exemplars: number;
  metadata: number;
  tombstones: number;
}

/** A snapshot and what came after it do not go together: only a full replay tells what is right. */
export class SnapshotMismatch extends Error {
  override name = "SnapshotMismatch";
}

export class HeadReplay {
  readonly unknown: UnknownRefs = { samples: 0, histograms: 0, exemplars: 0, metadata: 0, tombstones: 0 };
  readonly #head: Head;
  readonly #chunks: ReplayChunks;
  readonly #staging: Staging;
  readonly #refs = new WalRefMap();
  readonly #labelBytes = new LabelBytes();
  readonly #stagedRefs = new Uint32Array(samplesPerApply);
  readonly #stagedTimes = new Float64Array(samplesPerApply);
  readonly #stagedValues = new Float64Array(samplesPerApply);
  readonly #stagedStarts = new Float64Array(samplesPerApply);
  readonly #outcomes = new Uint8Array(samplesPerApply);
  readonly #killed: number[] = [];
  #lastWalRef = 0;
  /** Refs up to this came from a snapshot. */
  #restoredMax = 0;

  /** `minValidTime`: where the newest block ends; nothing before it is taken from the log. */
  constructor(head: Head, minValidTime: number, chunks: ReplayChunks) {
    this.#head = head;
    this.#chunks = chunks;
    this.#staging = new Staging(head);
    head.minValidTime = minValidTime;
  }

  series(walRef: number, labels: Labels): void {
    this.#apply();
    const head = this.#head;
    this.#lastWalRef = higherWalRef(this.#lastWalRef, walRef);
    // Its chunks are in the snapshot, which was taken after this record.
    if (this.#restoredMax > 0 && this.#isRestored(this.#refs.get(walRef))) return;
    const labelBytes = this.#labelBytes;
    labelBytes.set(labels);
    let ref = head.series.find(labelBytes.bytes, 0, labelBytes.length);
    if (this.#isRestored(ref)) {
      throw new SnapshotMismatch(
        `series ${labels} has WAL ref ${walRef} in the log, another in the snapshot`,
      );
    }
    if (ref === 0) {
      ref = head.series.create(labelBytes.bytes, 0, labelBytes.length, walRef);
      // A record without labels cannot be written by an appender; there is nothing to be done with it.
      if (ref === 0) return;
      head.stats.series++;
      head.stats.seriesCreated++;
    }
    this.#refs.set(walRef, ref);
    this.#attach(ref, walRef);
  }

  /** `n` samples as columns; values as bits. `starts`: start times, where the record has them. */
  samples(
    walRefs: Float64Array,
    timestamps: Float64Array,
    values: Float64Array,
    n: number,
    starts?: Float64Array,
  ): void {
    const head = this.#head;
    const { minValidTime } = head;
    const { words } = head.memory;
    const from = new Uint32Array(values.buffer, values.byteOffset, 2 * n);
    const to = new Uint32Array(this.#stagedValues.buffer);
    let staged = 0;
    for (let i = 0; i < n; i++) {
      const t = timestamps[i];
      if (t < minValidTime) continue;
      const ref = this.#refs.get(walRefs[i]);
      if (ref === 0) {
        this.unknown.samples++;
        continue;
      }
      const record = seriesRecord(words, ref);
      if (walRefOf(words, record) !== walRefs[i]) head.keepUntil(walRefs[i], t);
      if (from[2 * i + 1] === staleHigh && from[2 * i] === staleLow) {
        this.#stage(staged);
        staged = 0;
        if (this.#markedStale(ref, record, t, starts?.[i] ?? 0)) continue;
      }
      this.#stagedRefs[staged] = ref;
      this.#stagedTimes[staged] = t;
      this.#stagedStarts[staged] = starts === undefined ? 0 : starts[i];
      to[2 * staged] = from[2 * i];
      to[2 * staged + 1] = from[2 * i + 1];
      if (++staged === samplesPerApply) {
        this.#stage(staged);
        staged = 0;
      }
    }
    this.#stage(staged);
  }

  /** Since 3.14 the log may have a float's staleness marker for a series of histograms: it is one of these. */
  #markedStale(ref: number, record: number, t: number, start: number): boolean {
    const head = this.#head;
    const { words } = head.memory;
    if (head.stats.nativeHistogramSeries === 0) return false;
    this.#apply();
    if ((words[record + Series.samples] & SeriesFlag.histogram) === 0) return false;
    const histogram = staleHistogram(head.histograms.lastIsFloat(ref) === true);
    this.#apply([{ ref, t, histogram, start }]);
    return true;
  }

  /** The histograms of one record. */
  histograms(
    walRefs: Float64Array,
    timestamps: Float64Array,
    histograms: readonly Histogram[],
    n: number,
    starts?: Float64Array,
  ): void {
    const head = this.#head;
    const { minValidTime, keepsStarts } = head;
    const staged: StagedHistogram[] = [];
    for (let i = 0; i < n; i++) {
      const t = timestamps[i];
      if (t < minValidTime) continue;
      const ref = this.#refs.get(walRefs[i]);
      if (ref === 0) {
        this.unknown.histograms++;
        continue;
      }
      this.#keepDuplicate(ref, walRefs[i], t);
      const start = keepsStarts && starts !== undefined ? storableStart(starts[i], t) : 0;
      staged.push({ ref, t, histogram: histograms[i], start });
    }
    // What the log has before them goes first; a group has its floats in front anyway.
    if (staged.length > 0) this.#apply(staged);
  }

  /**
   * A deleted interval, both ends inclusive. One over all times says that the series was removed: its labels may come
   * back as another series.
   */
  tombstone(walRef: number, mint: number, maxt: number): void {
    const head = this.#head;
    this.#lastWalRef = higherWalRef(this.#lastWalRef, walRef);
    const ref = this.#refs.get(walRef);
    if (mint <= -(2 ** 63) && maxt >= 2 ** 63 - 1) {
      this.#apply();
      if (ref !== 0) this.#remove(ref, walRef);
      return;
    }
    if (maxt < head.minValidTime) return;
    if (ref === 0) {
      this.unknown.tombstones++;
      return;
    }
    this.#keepDuplicate(ref, walRef, maxt);
    head.deleted.add(ref, { mint, maxt });
  }

  metadata(walRef: number, metadata: Metadata): void {
    const ref = this.#refs.get(walRef);
    if (ref === 0) this.unknown.metadata++;
    else this.#head.metadata.set(ref, metadata);
  }

  exemplar(entry: ExemplarEntry): void {
    const { walRef, t, value, labels } = entry;
    if (t < this.#head.minValidTime) return;
    const ref = this.#refs.get(walRef);
    if (ref === 0) {
      this.unknown.exemplars++;
      return;
    }
    this.#keepDuplicate(ref, walRef, t);
    this.#head.exemplars.add(this.#head.labels(ref), { labels, value, t, hasTimestamp: true });
  }

  /** The series of a snapshot, which consists of what the snapshot has of it. */
  restored(walRef: number, ref: number): void {
    this.#lastWalRef = higherWalRef(this.#lastWalRef, walRef);
    this.#refs.set(walRef, ref);
    this.#restoredMax = ref;
  }

  /** The series that is there for a WAL ref; 0 where none is. */
  refOf(walRef: number): number {
    const ref = this.#refs.get(walRef);
    return ref !== 0 && this.#head.series.isLive(ref) ? ref : 0;
  }

  /** Appends what was staged so far. */
  applyStaged(): void {
    this.#apply();
  }

  /**
   * Gives the series of a snapshot the chunks that were written after it was taken: the first one of each is what became
   * of its open chunk.
   */
  attachLaterChunks(): void {
    this.#apply();
    for (const walRef of this.#chunks.walRefs()) {
      const ref = this.#refs.get(walRef);
      if (this.#isRestored(ref)) this.#attachLater(ref, walRef);
    }
  }

  #isRestored(ref: number): boolean {
    return ref !== 0 && ref <= this.#restoredMax && this.#head.series.isLive(ref);
  }

  #attachLater(ref: number, walRef: number): void {
    const head = this.#head;
    const { words, doubles } = head.memory;
    const record = seriesRecord(words, ref);
    const listed = head.lists.lastRef(record);
    const later = this.#chunks.of(walRef).filter((chunk) => chunk.ref > listed);
    if (later.length === 0) return;
    const open = words[record + Series.open];
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    const fits =
      open === 0 ? later[0].mint > lastTime : later[0].mint === doubles[(open + Chunk.firstTime) >> 1];
    if (!fits) {
      throw new SnapshotMismatch(
        `a chunk of series ${walRef} that begins at ${later[0].mint} does not go on from it`,
      );
    }
    let total = open === 0 ? words[record + Series.total] : words[open + Chunk.ordinal];
    const dropped = dropOpenChunks(head, ref, record);
    for (const chunk of later) {
      head.lists.append(record, total, chunk);
      total = (total + chunk.samples) >>> 0;
    }
    words[record + Series.total] = total;
    const { maxt } = later[later.length - 1];
    doubles[(record + Series.lastTime) >> 1] = maxt;
    head.extendTimes(later[0].mint, maxt);
    head.stats.chunks += later.length - dropped;
    head.stats.chunksCreated += later.length - dropped;
  }

  /** A chunk of out-of-order samples that a snapshot names. */
  lateChunk(walRef: number, chunk: PersistedChunk): void {
    this.#chunks.addLate(walRef, chunk);
  }

  /** Gives each series its chunks of out-of-order samples; between the WAL and the WBL. */
  attachLate(): void {
    this.#apply();
    const { late, stats } = this.#head;
    for (const [walRef, chunks] of this.#chunks.late) {
      const ref = this.#refs.get(walRef);
      // Those that a snapshot names come after later ones.
      for (const chunk of chunks.sort((a, b) => a.ref - b.ref)) {
        late.lastFileRef = Math.max(late.lastFileRef, chunk.ref);
        if (ref === 0) continue;
        late.attach(ref, chunk);
        stats.chunks++;
      }
    }
  }

  /** Samples of a record of the WBL. */
  lateSamples(walRefs: Float64Array, samples: SampleColumns): void {
    const head = this.#head;
    if (!head.keepsStarts) samples.starts = undefined;
    head.arena.reserve(lateReserve + (samples.n >>> 5));
    for (let i = 0; i < samples.n; i++) {
      const ref = this.#refs.get(walRefs[i]);
      if (ref !== 0) {
        head.late.insert(ref, samples, i);
        const { words } = head.memory;
        if (walRefOf(words, seriesRecord(words, ref)) !== walRefs[i]) head.late.hasOtherRefs = true;
      } else if (samples.histograms?.[i] === undefined) this.unknown.samples++;
      else this.unknown.histograms++;
    }
    head.publish();
    head.late.settle();
  }

  /**
   * What the WBL had of these series before is in chunks. One that is not in the files was lost, and counts for nothing
   * though there are later ones (to Prometheus it is enough that there are). A series may have several in a record.
   */
  lateMarkers(markers: readonly MmapMarker[]): void {
    const { late } = this.#head;
    const lost = new Set(
      markers.filter((marker) => !this.#chunks.hasLate(marker)).map(({ walRef }) => walRef),
    );
    for (const { walRef } of markers) {
      const ref = this.#refs.get(walRef);
      if (ref !== 0 && !lost.has(walRef)) late.forgetOpen(ref);
    }
  }

  /** Drops what is left over from before, and makes the head ready for queries and batches. */
  finish(): void {
    this.#apply();
    const head = this.#head;
    head.nextWalRef = Math.max(head.nextWalRef, this.#lastWalRef + 1);
    if (head.isInitialized) head.minTime = Math.max(head.minTime, head.minValidTime);
    head.deleted.publish();
    Collection.afterReplay(head, this.#killed).runToEnd();
    this.#staging.release();
  }

  /**
   * At each series record the series consists of its chunks in files, and of nothing else, as in Prometheus: samples that
   * came before the record are in blocks.
   */
  #attach(ref: number, walRef: number): void {
    const head = this.#head;
    const { words, doubles } = head.memory;
    const record = seriesRecord(words, ref);
    const removed = head.lists.count(record) + dropOpenChunks(head, ref, record);
    head.lists.clear(record);
    const chunks = this.#chunksOf(record, walRef);
    let total = words[record + Series.total];
    for (const chunk of chunks) {
      head.lists.append(record, total, chunk);
      total = (total + chunk.samples) >>> 0;
    }
    words[record + Series.total] = total;
    const lastTime = chunks.at(-1)?.maxt ?? Number.NEGATIVE_INFINITY;
    doubles[(record + Series.lastTime) >> 1] = lastTime;
    if (chunks.length > 0) head.extendTimes(chunks[0].mint, lastTime);
    head.stats.chunks += chunks.length - removed;
    head.stats.chunksCreated += chunks.length;
    head.stats.chunksRemoved += removed;
  }

  /**
   * A series that had gone and came back has a second WAL ref, but from the next start on its chunks are written under
   * the first one again: those that follow in the files are its own too. (Prometheus takes those under the last one only,
   * and so writes what follows them again and again.)
   */
  #chunksOf(record: number, walRef: number): readonly PersistedChunk[] {
    const chunks = this.#chunks.of(walRef);
    const first = walRefOf(this.#head.memory.words, record);
    if (first === walRef) return chunks;
    const last = chunks.at(-1);
    if (last === undefined) return this.#chunks.of(first);
    const later = this.#chunks.of(first).filter(({ ref }) => ref > last.ref);
    return later.length > 0 && later[0].mint > last.maxt ? [...chunks, ...later] : chunks;
  }

  #stage(n: number): void {
    if (n === 0) return;
    if (this.#staging.n + n > samplesPerApply) this.#apply();
    this.#staging.stage(
      this.#stagedRefs,
      this.#stagedTimes,
      this.#stagedValues,
      n,
      this.#outcomes,
      Number.NEGATIVE_INFINITY,
      this.#stagedStarts,
    );
  }

  #apply(histograms: readonly StagedHistogram[] = []): void {
    const floatsEnd = this.#staging.n;
    if (floatsEnd === 0 && histograms.length === 0) return;
    const head = this.#head;
    // What a log repeats is neither news nor a mistake of the sender.
    const { samplesAppended, outOfOrder, histogramsAppended, histogramsOutOfOrder } = head.stats;
    const group = { floatsEnd, integers: histograms, floats: [] };
    const { mint, maxt } = this.#staging.apply(Number.NEGATIVE_INFINITY, [group]);
    head.stats.samplesAppended = samplesAppended;
    head.stats.outOfOrder = outOfOrder;
    head.stats.histogramsAppended = histogramsAppended;
    head.stats.histogramsOutOfOrder = histogramsOutOfOrder;
    head.extendTimes(mint, maxt);
    if (!head.cuts.persist()) head.stats.chunkWriteErrors++;
    head.publish();
  }

  #remove(ref: number, walRef: number): void {
    const head = this.#head;
    const { words, doubles } = head.memory;
    this.#refs.set(walRef, 0);
    if (!head.series.isLive(ref)) return;
    const record = seriesRecord(words, ref);
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    if (lastTime > Number.NEGATIVE_INFINITY) head.keepUntil(walRefOf(words, record), lastTime);
    const removed = head.lists.count(record) + dropOpenChunks(head, ref, record);
    head.lists.clear(record);
    head.stats.chunks -= removed;
    head.stats.chunksRemoved += removed;
    head.series.kill(ref);
    this.#killed.push(ref);
  }

  #keepDuplicate(ref: number, walRef: number, t: number): void {
    const { words } = this.#head.memory;
    if (walRefOf(words, seriesRecord(words, ref)) !== walRef) this.#head.keepUntil(walRef, t);
  }
}

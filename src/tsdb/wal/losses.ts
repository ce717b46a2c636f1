/**
 * What a damaged log has lost, as far as what is left of it tells. A damaged record does not say any more whose samples it
 * held. But records stand in the log in the order in which they came, so the times of what is missing are judged by those
 * around it; and samples that follow under a WAL ref that no series record gives a name to are the samples of a series
 * whose record was damaged: their times and number are known.
 *
 * Only called where there is damage: it reads all of the log once more.
 */
import type { Codecs } from "../../base/codec.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import type { Loss } from "../../base/quarantine-note.ts";
import { decodeHistogramRecord, HistogramBatch } from "../record/histograms.ts";
import { isHistogramRecord, RecordType, recordType } from "../record/record-type.ts";
import { decodeSamples, SampleBatch } from "../record/samples.ts";
import { SeriesCursor } from "../record/series.ts";
import { type DamagedPlace, forEachRecord, type SegmentDamage } from "./repair.ts";
import type { Segment } from "./segment.ts";
import type { SegmentReader } from "./segment-reader.ts";

/** So many records with samples on either side of a damaged place are looked at: several senders may take turns. */
const neighbours = 32;

/** Segments that are missing between others; both inclusive. */
export interface SegmentGap {
  readonly from: number;
  readonly to: number;
}

/** The log as it lies on the disk, in order. */
export interface LogParts {
  readonly checkpoint: readonly Segment[];
  readonly segments: readonly Segment[];
  /** Nothing is needed of samples that are older: blocks have them. -Infinity: all are needed. */
  readonly neededFrom: number;
  /** Whether samples come in any order of time, as in a WBL: then all records are neighbours. */
  readonly late: boolean;
}

export interface LogLosses {
  /** As many as there are damages, in their order. */
  readonly ofDamages: readonly (readonly Loss[])[];
  readonly ofGaps: readonly (readonly Loss[])[];
}

/** The damages and gaps must be all that the log has. */
export function findLosses(
  env: { readonly fs: Fs; readonly codecs: Codecs },
  parts: LogParts,
  damages: readonly SegmentDamage[],
  gaps: readonly SegmentGap[],
): LogLosses {
  const reading = new Reading(parts);
  const holesOf = new Map<SegmentDamage, Hole[]>(damages.map((damage) => [damage, []]));
  const gapHoles = gaps.map(() => [] as Hole[]);
  for (const segment of [...parts.checkpoint, ...parts.segments]) {
    const damage = damages.find((one) => one.segment.path === segment.path);
    if (!parts.checkpoint.includes(segment)) {
      for (const [i, gap] of gaps.entries()) {
        if (gap.to + 1 === segment.index) gapHoles[i].push(reading.hole(describeGap(gap)));
      }
    }
    const places = [...(damage?.places ?? [])];
    const holes = damage === undefined ? [] : (holesOf.get(damage) as Hole[]);
    const meet = (offset: number) => {
      while (places.length > 0 && places[0].error.recordStart <= offset) {
        holes.push(reading.hole(describePlace(places.shift() as DamagedPlace)));
      }
    };
    const spoilt = new Set(places.map(({ error }) => error.recordStart));
    forEachRecord(env, segment, (reader) => {
      meet(reader.start);
      if (!spoilt.has(reader.start)) reading.record(reader);
    });
    meet(Number.POSITIVE_INFINITY);
    reading.endOfSegment(env.fs.stat(segment.path)?.mtimeMs ?? Number.NEGATIVE_INFINITY);
  }
  return {
    ofDamages: damages.map((damage) =>
      (holesOf.get(damage) as Hole[]).flatMap((hole) => reading.losses(hole)),
    ),
    ofGaps: gapHoles.map((holes) => holes.flatMap((hole) => reading.losses(hole))),
  };
}

function describePlace({ error, end }: DamagedPlace): string {
  return `what bytes ${error.recordStart} to ${end} held; its times are judged by the records around it`;
}

function describeGap({ from, to }: SegmentGap): string {
  const which = from === to ? `segment ${from}` : `segments ${from} to ${to}`;
  return `what ${which} held; its times are judged by the records around it`;
}

/** Milliseconds, both inclusive; empty while mint > maxt. */
class Times {
  mint = Number.POSITIVE_INFINITY;
  maxt = Number.NEGATIVE_INFINITY;

  add({ mint, maxt }: { readonly mint: number; readonly maxt: number }): void {
    this.mint = Math.min(this.mint, mint);
    this.maxt = Math.max(this.maxt, maxt);
  }

  get isEmpty(): boolean {
    return this.mint > this.maxt;
  }
}

/** A place where records are missing. */
interface Hole {
  readonly what: string;
  readonly before: Times;
  readonly after: Times;
  /** Records with samples since. */
  followers: number;
  /** When its file was last written to. */
  writtenMs: number;
  /** What follows under WAL refs without a name. */
  readonly orphans: Times;
  orphanSamples: number;
  orphanSeries: number;
}

class Reading {
  readonly #neededFrom: number;
  readonly #late: boolean;
  readonly #before: Times[] = [];
  readonly #all = new Times();
  #last: Hole | undefined;
  /** Those with fewer followers than are looked at. */
  #open: Hole[] = [];
  readonly #named = new RefSet();
  /** Refs without a name, with the hole that must have had it. */
  readonly #orphans = new Map<number, Hole>();
  readonly #batch = new SampleBatch();
  readonly #histograms = new HistogramBatch();

  constructor({ neededFrom, late }: LogParts) {
    this.#neededFrom = neededFrom;
    this.#late = late;
  }

  hole(what: string): Hole {
    const before = new Times();
    for (const times of this.#before) before.add(times);
    const hole: Hole = {
      what,
      before,
      after: new Times(),
      followers: 0,
      writtenMs: Number.NEGATIVE_INFINITY,
      orphans: new Times(),
      orphanSamples: 0,
      orphanSeries: 0,
    };
    this.#last = hole;
    this.#open.push(hole);
    return hole;
  }

  record({ record }: SegmentReader): void {
    const type = recordType(record);
    try {
      if (type === RecordType.series) {
        const cursor = new SeriesCursor(record);
        while (cursor.next()) this.#named.add(cursor.walRef);
      } else if (type === RecordType.samples || type === RecordType.samplesV2) {
        decodeSamples(record, this.#batch);
        this.#samples(this.#batch);
      } else if (type !== undefined && isHistogramRecord(type)) {
        decodeHistogramRecord(record, this.#histograms);
        this.#samples(this.#histograms);
      }
    } catch (error) {
      // A histogram that nobody can follow.
      if (!(error instanceof CorruptionError)) throw error;
    }
  }

  endOfSegment(writtenMs: number): void {
    for (const hole of this.#open) {
      if (hole.writtenMs === Number.NEGATIVE_INFINITY) hole.writtenMs = writtenMs;
    }
  }

  losses(hole: Hole): Loss[] {
    const losses: Loss[] = [];
    const { mint, maxt } = this.#late ? this.#lateTimes() : timesOf(hole);
    if (maxt >= this.#neededFrom) {
      losses.push({ series: "", mint: Math.max(mint, this.#neededFrom), maxt, what: hole.what });
    }
    if (!hole.orphans.isEmpty) {
      const { orphanSamples, orphanSeries, orphans } = hole;
      const what = `${orphanSamples} samples of ${orphanSeries} series that follow: the record with their labels is lost`;
      losses.push({ series: "", mint: orphans.mint, maxt: orphans.maxt, what });
    }
    return losses;
  }

  #lateTimes(): { readonly mint: number; readonly maxt: number } {
    return this.#all.isEmpty ? anyTime : this.#all;
  }

  #samples({
    walRefs,
    t,
    n,
  }: {
    readonly walRefs: Float64Array;
    readonly t: Float64Array;
    readonly n: number;
  }): void {
    if (n === 0) return;
    const times = new Times();
    for (let i = 0; i < n; i++) times.add({ mint: t[i], maxt: t[i] });
    this.#all.add(times);
    this.#before.push(times);
    if (this.#before.length > neighbours) this.#before.shift();
    if (this.#last === undefined) return;
    for (const hole of this.#open) {
      hole.after.add(times);
      hole.followers++;
    }
    this.#open = this.#open.filter(({ followers }) => followers < neighbours);
    if (this.#late) return;
    for (let i = 0; i < n; i++) {
      if (t[i] >= this.#neededFrom && !this.#named.has(walRefs[i])) this.#orphan(walRefs[i], t[i]);
    }
  }

  #orphan(walRef: number, t: number): void {
    let hole = this.#orphans.get(walRef);
    if (hole === undefined) {
      hole = this.#last as Hole;
      this.#orphans.set(walRef, hole);
      hole.orphanSeries++;
    }
    hole.orphanSamples++;
    hole.orphans.add({ mint: t, maxt: t });
  }
}

const anyTime = { mint: Number.NEGATIVE_INFINITY, maxt: Number.POSITIVE_INFINITY };

/**
 * Where nothing stands before, all that is older may have been there. Where nothing follows, the times are taken to reach as
 * far again as those before, at least until the file was last written to.
 */
function timesOf({ before, after, writtenMs }: Hole): { readonly mint: number; readonly maxt: number } {
  if (before.isEmpty && after.isEmpty) return anyTime;
  const mint = before.isEmpty ? Number.NEGATIVE_INFINITY : before.mint;
  const maxt = after.isEmpty ? Math.max(2 * before.maxt - before.mint, writtenMs) : after.maxt;
  return { mint: Math.min(mint, after.mint), maxt: Math.max(maxt, before.maxt) };
}

const refsPerPage = 1024;

/** WAL refs, which come in rows. */
class RefSet {
  readonly #pages = new Map<number, Uint8Array>();

  add(walRef: number): void {
    const number = Math.floor(walRef / refsPerPage);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint8Array(refsPerPage / 8);
      this.#pages.set(number, page);
    }
    const bit = walRef % refsPerPage;
    page[bit >>> 3] |= 1 << (bit & 7);
  }

  has(walRef: number): boolean {
    const bit = walRef % refsPerPage;
    const byte = this.#pages.get(Math.floor(walRef / refsPerPage))?.[bit >>> 3] ?? 0;
    return (byte & (1 << (bit & 7))) !== 0;
  }
}

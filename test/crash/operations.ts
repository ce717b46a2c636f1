/**
 * What a storage does to its data directory, one row each: the crash matrix cuts the power at every file operation of a
 * row, the faults proof fails each of them. A new operation of the storage gets a row here, and both proofs have it.
 */
import { joinPath } from "../../src/base/fs.ts";
import type { MemFs } from "../../src/testkit/mem-fs.ts";
import type { SeededRandom } from "../../src/testkit/seeded-random.ts";
import type { Row } from "./knowledge.ts";
import { batch, bulkySum, dir, type Life, lateBatch, lateWindowMs, t0 } from "./life.ts";

const stepMs = 40;

/** A storage at work, with the time that its next batch gets. */
export class World {
  life: Life;
  readonly random: SeededRandom;
  t: number;

  constructor(life: Life, random: SeededRandom, t: number) {
    this.life = life;
    this.random = random;
    this.t = t;
  }

  append(batches: number): void {
    for (let k = 0; k < batches; k++) this.life.append(batch(this.random, (this.t += stepMs)));
  }

  /** Batches most of which are late; the storage has a window. */
  appendLate(batches: number): void {
    for (let k = 0; k < batches; k++) {
      const rows = lateBatch(this.random, (this.t += stepMs), (i, t) => this.#isLate(i, t));
      // One series may have got the same time twice.
      this.life.append([...new Map(rows.map((row) => [`${row.i} ${row.t}`, row])).values()]);
    }
  }

  /** A late histogram that takes a good part of a segment. */
  appendBulkyLate(): void {
    let t = (this.t += stepMs) - 1000;
    while (!this.#isLate("h", t)) t--;
    this.life.append([{ i: "h", t, v: bulkySum + (t % 1000), isHistogram: true, isLate: true }]);
  }

  /** Whether a series has a newer sample, and none at this time. */
  #isLate(i: string, t: number): boolean {
    const { acknowledged, doubtful } = this.life.known;
    const isSame = (row: Row) => row.i === i && row.t === t;
    const newest = acknowledged.findLast((row) => row.i === i && row.isLate !== true)?.t ?? 0;
    return t < newest && !acknowledged.some(isSame) && !doubtful.some(isSame);
  }
}

export interface Operation {
  readonly name: string;
  /** Brings the storage into the state that the operation needs; nothing is disturbed yet. */
  readonly prepare?: (world: World) => void;
  /** Changes the files while nobody has them open, after {@link Operation.prepare} and an orderly end. */
  readonly disturb?: (disk: MemFs) => void;
  /** The storage takes samples out of order, some of which it has. */
  readonly hasLate?: boolean;
  /** Can be repeated after it failed at any point. */
  readonly run: (world: World) => void;
  /** Whether damage was done that may cost samples, and things may be set aside. */
  readonly damages?: boolean;
  /** The storage does not end in order before; what it has not synced is still to be lost. */
  readonly isKilled?: boolean;
  /** The operation is the start itself: `run` begins anew on the same disk. */
  readonly isStart?: boolean;
}

/** Enough for four blocks and a head that is nearly due for the next. */
export function usualWorld(world: World, hasLate: boolean): void {
  for (let k = 0; k < 12; k++) {
    world.append(12);
    if (hasLate && k > 4) world.appendLate(2);
    if (k % 2 === 1) world.life.maintain();
  }
}

/** What the storage of an operation is opened with. */
export const optionsOf = ({ hasLate = false }: Operation) => ({
  outOfOrderWindowMs: hasLate ? lateWindowMs : 0,
});

export const snapshotTarget = joinPath(dir, "snapshots", "20261128T000000Z-0000000000000000");

/** A long label makes a series record of many bytes: a few of them fill a segment. */
const bulky = (k: number, t: number) => ({ i: `${k}-${"x".repeat(7000)}`, t, v: k });

const segmentsOf = (disk: MemFs, log: "wal" | "wbl") =>
  disk.list(joinPath(dir, log)).filter((name) => /^\d+$/.test(name));

/** Half a record at the end, as a process leaves it that was killed. */
function tearLog(disk: MemFs, log: "wal" | "wbl"): void {
  const file = disk.open(joinPath(dir, log, segmentsOf(disk, log).at(-1) as string), "write");
  file.writeAt(Uint8Array.of(2, 0, 200, 1, 2, 3, 4, 5, 6, 7, 8), file.size());
  file.close();
}

function flip(disk: MemFs, path: string, position: number): void {
  const file = disk.open(path, "write");
  const byte = new Uint8Array(1);
  file.readAt(byte, position);
  file.writeAt(
    byte.map((value) => value ^ 4),
    position,
  );
  file.sync();
  file.close();
}

export const operations: readonly Operation[] = [
  {
    name: "append",
    run(world) {
      world.append(3);
      // Every fifth begins a new segment.
      for (let k = 0; k < 11; k++) world.life.append([bulky(k, (world.t += stepMs))]);
      world.append(6);
    },
  },
  {
    name: "head compaction",
    prepare: (world) => world.append(30),
    run(world) {
      world.life.cutHead();
      world.append(1);
    },
  },
  {
    name: "checkpoint",
    prepare(world) {
      for (let k = 0; k < 16; k++) world.life.append([bulky(k, (world.t += stepMs))]);
      world.append(20);
      world.life.cutHead();
    },
    run(world) {
      world.life.checkpoint(world.life.db.head.minTime);
      world.append(1);
    },
  },
  { name: "block compaction", run: ({ life }) => life.compactBlocks() },
  {
    name: "delete",
    run({ life, t }) {
      life.deleteSeries("1", t0 + 500, t0 + 2500);
      life.deleteSeries("0", t - 3000, t);
    },
  },
  {
    name: "clean",
    prepare({ life }) {
      life.deleteSeries("1", t0 + 500, t0 + 2500);
      life.deleteSeries("2", t0, t0 + 700);
    },
    run: ({ life }) => life.cleanTombstones(),
  },
  {
    name: "snapshot",
    run({ life }) {
      life.env.fs.removeDir(snapshotTarget);
      life.snapshot(snapshotTarget);
    },
  },
  { name: "retention", run: ({ life }) => life.retain(1500) },
  {
    name: "late append",
    hasLate: true,
    run(world) {
      world.appendLate(12);
      // Every fifth begins a new segment.
      for (let k = 0; k < 7; k++) world.appendBulkyLate();
      world.appendLate(6);
    },
  },
  {
    name: "late compaction",
    hasLate: true,
    prepare(world) {
      world.appendLate(20);
      world.append(30);
      world.life.cutHead();
    },
    run(world) {
      world.life.compactLate();
      world.appendLate(2);
    },
  },
  {
    name: "round with late samples",
    hasLate: true,
    prepare(world) {
      world.appendLate(20);
      world.append(30);
    },
    run(world) {
      // While blocks are written, samples go on coming in. What failed is due again.
      const between = () => world.appendLate(1);
      const { life } = world;
      life.cutHead(between);
      life.compactLate(between);
      life.checkpoint(life.db.head.minTime, between);
      life.compactBlocks();
    },
  },
  { name: "end", run: ({ life }) => life.close() },
  { name: "start", isStart: true, run() {} },
  {
    name: "start after a kill",
    isStart: true,
    isKilled: true,
    prepare: (world) => world.append(20),
    disturb(disk) {
      // With unfinished blocks and checkpoints.
      tearLog(disk, "wal");
      disk.makeDir(joinPath(dir, "01HF00000000000000000000AA.tmp-for-creation", "chunks"));
      disk.makeDir(joinPath(dir, "01HF00000000000000000000AB.tmp-for-deletion", "chunks"));
      disk.makeDir(joinPath(dir, "wal", "checkpoint.00000099.tmp"));
    },
    run() {},
  },
  {
    name: "quarantine",
    isStart: true,
    damages: true,
    prepare(world) {
      for (let k = 0; k < 11; k++) world.life.append([bulky(k, (world.t += stepMs))]);
    },
    disturb(disk) {
      // A bit in the first of the younger segments, so that there are some behind it; one in a chunk file.
      flip(disk, joinPath(dir, "wal", segmentsOf(disk, "wal").at(-2) as string), 9000);
      const chunks = joinPath(dir, "chunks_head");
      flip(disk, joinPath(chunks, disk.list(chunks).at(-1) as string), 60);
    },
    run() {},
  },
  {
    name: "start with late samples, after a kill",
    isStart: true,
    isKilled: true,
    hasLate: true,
    prepare(world) {
      world.appendLate(20);
      for (let k = 0; k < 6; k++) world.appendBulkyLate();
      world.appendLate(2);
    },
    disturb(disk) {
      tearLog(disk, "wal");
      tearLog(disk, "wbl");
    },
    run() {},
  },
  {
    name: "quarantine of late samples",
    isStart: true,
    damages: true,
    hasLate: true,
    prepare(world) {
      for (let k = 0; k < 11; k++) world.appendBulkyLate();
      world.appendLate(20);
    },
    disturb(disk) {
      flip(disk, joinPath(dir, "wbl", segmentsOf(disk, "wbl").at(-2) as string), 9000);
      const chunks = joinPath(dir, "chunks_head");
      flip(disk, joinPath(chunks, disk.list(chunks).at(-1) as string), 60);
    },
    run() {},
  },
];

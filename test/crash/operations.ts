/**
 * What a storage does to its data directory, one row each: the crash matrix cuts the power at every file operation of a
 * row, the faults proof fails each of them. A new operation of the storage gets a row here, and both proofs have it.
 */
import { joinPath } from "../../src/base/fs.ts";
import type { MemFs } from "../../src/testkit/mem-fs.ts";
import type { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { batch, dir, type Life, t0 } from "./life.ts";

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
}

export interface Operation {
  readonly name: string;
  /** Brings the storage into the state that the operation needs; nothing is disturbed yet. */
  readonly prepare?: (world: World) => void;
  /** Changes the files while nobody has them open, after {@link Operation.prepare} and an orderly end. */
  readonly disturb?: (disk: MemFs) => void;
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
export function usualWorld(world: World): void {
  for (let k = 0; k < 12; k++) {
    world.append(12);
    if (k % 2 === 1) world.life.maintain();
  }
}

export const snapshotTarget = joinPath(dir, "snapshots", "20261128T000000Z-0000000000000000");

/** A long label makes a series record of many bytes: a few of them fill a segment. */
const bulky = (k: number, t: number) => ({ i: `${k}-${"x".repeat(7000)}`, t, v: k });

const walSegments = (disk: MemFs) => disk.list(joinPath(dir, "wal")).filter((name) => /^\d+$/.test(name));

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
  { name: "end", run: ({ life }) => life.close() },
  { name: "start", isStart: true, run() {} },
  {
    name: "start after a kill",
    isStart: true,
    isKilled: true,
    prepare: (world) => world.append(20),
    disturb(disk) {
      // As a process leaves it that was killed: half a record at the end, unfinished blocks and checkpoints.
      const name = walSegments(disk).at(-1) as string;
      const file = disk.open(joinPath(dir, "wal", name), "write");
      file.writeAt(Uint8Array.of(2, 0, 200, 1, 2, 3, 4, 5, 6, 7, 8), file.size());
      file.close();
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
      const flip = (path: string, position: number) => {
        const file = disk.open(path, "write");
        const byte = new Uint8Array(1);
        file.readAt(byte, position);
        file.writeAt(
          byte.map((value) => value ^ 4),
          position,
        );
        file.sync();
        file.close();
      };
      const segments = walSegments(disk);
      flip(joinPath(dir, "wal", segments[segments.length - 2]), 9000);
      const chunks = joinPath(dir, "chunks_head");
      const file = disk.list(chunks).at(-1) as string;
      flip(joinPath(chunks, file), 60);
    },
    run() {},
  },
];

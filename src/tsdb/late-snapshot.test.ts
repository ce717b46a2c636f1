/** Head snapshots of a storage that has out-of-order samples: taken, used, and the WBL replayed over them. */
import { describe, expect, test } from "vitest";
import { dataDir, type Row, SnapshotWorld, startTime } from "../../test/tsdb/snapshot-world.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { traceFs } from "../testkit/trace-fs.ts";
import type { Wal } from "./wal/wal.ts";
import { WalLog } from "./wal/wal-log.ts";

const windowMs = 1500;
const seed = Number(process.env.SEED ?? Date.now() % 1e6);

/** Names of blocks follow from it. */
let starts = 0;

function begin(fs: MemFs, thorough = false): SnapshotWorld {
  const world = new SnapshotWorld(fs, { verifyOnStart: thorough }, ++starts);
  world.db.outOfOrderWindowMs = windowMs;
  world.db.head.late.capMax = 4;
  return world;
}

/** Batches with a sample in order of each series, and some late ones; no time of a series comes twice. */
class Batches {
  t = startTime;
  readonly #random: SeededRandom;
  readonly #used = new Set<string>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Row[] {
    this.t += 30;
    const rows: Row[] = ["a", "b", "c"].map((i, k) => ({ i, t: this.t + k, v: this.#random.below(99) }));
    for (let k = this.#random.below(6); k > 0; k--) {
      const late = {
        i: this.#random.pick(["a", "b", "c"]),
        t: this.t - 50 - this.#random.below(windowMs - 100),
      };
      if (late.t < startTime) continue;
      rows.push({ ...late, v: this.#random.below(99) });
    }
    return rows.filter(({ i, t }) => {
      const isNew = !this.#used.has(`${i} ${t}`);
      this.#used.add(`${i} ${t}`);
      return isNew;
    });
  }
}

/** Without what a full replay finds otherwise: it counts chunks anew, and the head begins with its oldest sample. */
const shown = ({ chunks: _, minTime: __, ...rest }: ReturnType<SnapshotWorld["read"]>) => rest;

test(`killed anywhere: the same with the snapshot as without (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  const disk = new MemFs();
  const batches = new Batches(random);
  let world = begin(disk);
  let used = 0;
  for (let life = 0; life < 25; life++) {
    for (let k = random.below(40); k >= 0; k--) {
      world.append(batches.next());
      if (random.below(9) === 0) world.snapshot(() => world.append(batches.next()));
      if (random.below(25) === 0) world.maintain();
      if (random.below(40) === 0) world.compactLate();
    }
    const before = world.read();
    const full = begin(disk.clone(), true).read();
    if (random.below(2) === 0) world.db.close();
    const hadLate = !world.db.head.late.isEmpty;
    world = begin(disk);
    if (world.db.snapshotSeries !== undefined && hadLate) used++;
    expect(shown(world.read()), `life ${life}`).toEqual(shown(full));
    expect(world.read().samples, `life ${life}`).toEqual(before.samples);
    expect(world.env.logger.lines.filter(({ message }) => message.includes("does not name"))).toEqual([]);
  }
  expect(used).toBeGreaterThan(5);
});

test("none is taken while the WBL names a series by its second WAL ref, as a Prometheus may have written it", () => {
  const disk = new MemFs();
  const world = begin(disk);
  world.append([{ i: "a", t: startTime, v: 1 }]);
  const [wal, wbl] = [world.db.wal, world.db.wbl as Wal].map((log) => new WalLog(log));
  wal.logSeries({ n: 1, walRefs: Float64Array.of(9), labels: () => world.db.head.labels(1) });
  wal.flush();
  // With its record a series begins anew: what was before is in blocks.
  world.append([{ i: "a", t: startTime + 10, v: 1 }]);
  wbl.logSamples(Float64Array.of(9), Float64Array.of(startTime - 5), Float64Array.of(2), 1);
  wbl.flush();
  const next = begin(disk);
  const { samples } = next.read();
  expect(Object.values(samples).map((rows) => rows.length)).toEqual([2]);
  expect(next.snapshot()).toBe(false);
  next.compactLate();
  expect(next.snapshot()).toBe(true);
  expect(begin(disk).read().samples).toEqual(samples);
});

describe("a snapshot with late chunks in the files and late samples in memory", () => {
  const prepared = () => {
    const disk = new MemFs();
    const batches = new Batches(new SeededRandom(3));
    const world = begin(disk);
    for (let k = 0; k < 25; k++) world.append(batches.next());
    expect(world.snapshot()).toBe(true);
    expect(world.db.head.late.inFiles().length).toBeGreaterThan(1);
    for (let k = 0; k < 5; k++) world.append(batches.next());
    return { disk, batches, world };
  };

  test("is used, and the files stay until blocks have the chunks", () => {
    const { disk, world } = prepared();
    const next = begin(disk);
    expect(next.db.snapshotSeries).toBe(3);
    expect(next.read().samples).toEqual(world.read().samples);
    expect(next.db.head.late.inFiles().map(({ ref }) => ref)).toEqual(
      expect.arrayContaining(world.db.head.late.inFiles().map(({ ref }) => ref)),
    );
    const files = disk.list(`${dataDir}/chunks_head`);
    next.maintain();
    expect(disk.list(`${dataDir}/chunks_head`)).toEqual(expect.arrayContaining(files));
    next.compactLate();
    expect(next.read().samples).toEqual(world.read().samples);
  });

  test("a Prometheus was there in between: it is discarded", () => {
    const { disk, world } = prepared();
    world.db.close();
    const last = Number(disk.list(`${dataDir}/wal`).at(-1));
    disk.open(`${dataDir}/wal/${String(last + 1).padStart(8, "0")}`, "create").close();
    const next = begin(disk);
    expect(next.db.snapshotSeries).toBeUndefined();
    expect(next.read().samples).toEqual(world.read().samples);
  });

  test("the power is lost at any moment: as without it", () => {
    const { disk } = prepared();
    const coin = new SeededRandom(7);
    const pictures: { line: string; disk: MemFs }[] = [];
    let watching = false;
    const fs = traceFs(disk, dataDir, (line) => {
      if (watching) pictures.push({ line, disk: disk.clone() });
    });
    const world = new SnapshotWorld(fs, {}, ++starts);
    world.db.outOfOrderWindowMs = windowMs;
    watching = true;
    world.snapshot();
    world.compactLate();
    watching = false;
    const { samples } = world.read();
    expect(pictures.length).toBeGreaterThan(30);
    for (const { line, disk: before } of pictures) {
      for (const after of [before.crash("lost"), before.crash("kept"), before.crash(coin)]) {
        expect(begin(after).read().samples, `before ${line}`).toEqual(samples);
      }
    }
  });
});

// Proof 4, head snapshot: every byte of its file and of the note beside it, one random bit and 0xFF. The start works, and
// the head is the one that a full replay gives.
import { expect, test } from "vitest";
import type { Fs } from "../../src/base/fs.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { snapshotPath } from "../../src/tsdb/head-snapshot/files.ts";
import { dataDir, type Row, SnapshotWorld, startTime } from "../tsdb/snapshot-world.ts";
import { size } from "./size.ts";

/** A head with chunks in files and open ones, deletions, exemplars and metadata; a snapshot, and batches after it. Killed. */
function killed(fs: Fs): void {
  let world = new SnapshotWorld(fs);
  const run = (from: number, to: number) => {
    for (let k = from; k < to; k++) {
      const rows = ["a", "b", "c", "d"].map((i, n): Row => ({ i, t: startTime + 21 * k + n, v: k / 3 }));
      world.append(rows);
    }
  };
  run(0, 20);
  world.db.close();
  world = new SnapshotWorld(fs);
  run(20, 30);
  world.delete("b", startTime + 100, startTime + 300);
  expect(world.snapshot()).toBe(true);
  run(30, 42);
  world.delete("c", startTime + 500, startTime + 600);
}

const disk = new MemFs();
killed(disk);
const whole = new SnapshotWorld(disk.clone(), { verifyOnStart: true }).read();
const step = size(37, 1);

test("left alone it is used", () => {
  const world = new SnapshotWorld(disk.clone());
  expect(world.db.snapshotSeries).toBe(4);
  expect(world.read()).toEqual(whole);
});

test.each([
  [snapshotPath(dataDir), step],
  [`${dataDir}/head_snapshot/wal-segment`, 1],
])("%s, byte by byte", (path, each) => {
  const bytes = disk.readFile(path);
  const seed = 4;
  const random = new SeededRandom(seed);
  const counts = { damaged: 0, used: 0, discarded: 0 };
  for (let at = 0; at < bytes.length; at += each) {
    for (const value of [bytes[at] ^ (1 << (random.u32() >>> 29)), 0xff]) {
      if (value === bytes[at]) continue;
      const where = `${path} byte ${at} set to ${value} (seed ${seed})`;
      counts.damaged++;
      const fs = disk.clone();
      fs.open(path, "write").writeAt(Uint8Array.of(value), at);
      const world = new SnapshotWorld(fs);
      expect(world.read(), where).toEqual(whole);
      expect(world.db.damageCount, where).toBe(0);
      if (world.db.snapshotSeries === undefined) counts.discarded++;
      else counts.used++;
      world.append([{ i: "a", t: startTime + 2000, v: 1 }]);
      world.db.close();
    }
  }
  console.log(path, JSON.stringify({ ...counts, bytes: bytes.length }));
  expect(counts.discarded).toBeGreaterThan(0);
});

/**
 * Starts from head snapshots: whatever the snapshot was taken during and whatever came after it, the head is the one that
 * a full replay gives, and goes on like it.
 */
import { describe, expect, test } from "vitest";
import { dataDir, type Row, SnapshotWorld, startTime } from "../../test/tsdb/snapshot-world.ts";
import { silentLogger } from "../base/env.ts";
import { interceptFs } from "../testkit/intercept-fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { type ScannedChunk, scanHeadChunks } from "./chunks/head-chunk-scan.ts";
import { headChunkHeaderBytes } from "./chunks/head-chunks.ts";
import { snapshotPath, temporarySnapshotPath } from "./head-snapshot/files.ts";

const stale = new Float64Array(new BigUint64Array([0x7ff0000000000002n]).buffer)[0];

/** Batches whose series come and go, some for longer than a block, with values and times of all kinds. */
function batch(random: SeededRandom, t: number): Row[] {
  const phase = Math.floor((t - startTime) / 1700);
  const rows: Row[] = [];
  for (let i = 0; i < 12; i++) {
    const lives = i < 3 || ((phase + i) * 2654435761) % 3 === 0;
    if (!lives || random.below(10) === 0) continue;
    const v = random.below(12) === 0 ? Number.NaN : random.below(2) === 0 ? phase : random.below(1000) / 3;
    rows.push({ i: `${i}`, t: t + random.below(12), v: random.below(30) === 0 ? stale : v });
  }
  return rows;
}

/** The chunks of the files that were not there before. A series that came back may have another WAL ref. */
function newChunks(disk: MemFs, before: readonly string[]): string[] {
  const chunks: string[] = [];
  const dir = `${dataDir}/chunks_head`;
  const first = Math.max(0, ...before.map(Number)) + 1;
  const from = { number: first, bytes: headChunkHeaderBytes };
  const visit = ({ ref, mint, maxt, sampleCount }: ScannedChunk) => {
    chunks.push(`${ref} ${mint} ${maxt} ${sampleCount}`);
    return "";
  };
  scanHeadChunks({ fs: disk, logger: silentLogger }, dir, "quarantine", visit, from);
  return chunks;
}

describe.each([1, 2, 3])("seed %i", (seed) => {
  test("a start from the snapshot gives the head of a full replay, which goes on alike", () => {
    const random = new SeededRandom(seed);
    const disk = new MemFs();
    let t = startTime;
    let world: SnapshotWorld | undefined;
    let busy = false;
    // Batches come while the file is written.
    const fs = interceptFs(disk, (call, run) => {
      if (!busy && call.operation === "write" && call.path === temporarySnapshotPath(dataDir)) {
        busy = true;
        if (random.below(2) === 0) world?.append(batch(random, (t += 40)));
        busy = false;
      }
      return run();
    });
    let used = 0;
    for (let start = 0; start < 6; start++) {
      world = new SnapshotWorld(fs, {}, seed + start);
      for (let k = 0; k < 60; k++) {
        world.append(batch(random, (t += 40)));
        if (random.below(25) === 0) world.delete(`${random.below(12)}`, t - 300, t - random.below(300));
        if (random.below(15) === 0) world.maintain();
        if (random.below(12) === 0)
          world.snapshot(() => random.below(2) === 0 && world?.append(batch(random, (t += 40))));
        if (random.below(20) > 0) continue;

        const before = disk.list(`${dataDir}/chunks_head`);
        const [quickDisk, fullDisk] = [disk.clone(), disk.clone()];
        const quick = new SnapshotWorld(quickDisk);
        const full = new SnapshotWorld(fullDisk, { verifyOnStart: true });
        if (quick.db.snapshotSeries !== undefined) used++;
        expect(full.db.snapshotSeries).toBeUndefined();
        // A full replay remembers metadata of a series before it went and came back; the head that was killed did not.
        const { metadata } = quick.db.snapshotSeries === undefined ? full.read() : world.read();
        expect(quick.read(), `batch ${k} of start ${start}`).toEqual({ ...full.read(), metadata });
        const more = new SeededRandom(seed + k);
        for (let j = 1; j < 30; j++) {
          const rows = batch(more, t + 40 * j);
          quick.append(rows);
          full.append(rows);
        }
        expect(quick.read().samples, "batches later").toEqual(full.read().samples);
        expect(newChunks(quickDisk, before)).toEqual(newChunks(fullDisk, before));
      }
      if (start % 2 === 0) world.db.close();
    }
    expect(used).toBeGreaterThan(3);
  });
});

test("there is a snapshot to be tested with", () => {
  const disk = new MemFs();
  const world = new SnapshotWorld(disk);
  world.append([{ i: "a", t: startTime, v: 1 }]);
  expect(world.snapshot()).toBe(true);
  expect(disk.stat(snapshotPath(dataDir))?.sizeBytes).toBeGreaterThan(100);
});

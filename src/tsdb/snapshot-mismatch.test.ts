/** Snapshots that do not belong to what is on the disk, damaged ones, and ends at every moment of taking one. */
import { describe, expect, test } from "vitest";
import { dataDir, SnapshotWorld, snapshotOptions, startTime } from "../../test/tsdb/snapshot-world.ts";
import { type Fs, joinPath } from "../base/fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { traceFs } from "../testkit/trace-fs.ts";
import { snapshotPath } from "./head-snapshot/files.ts";
import { headChunksDir, quarantineDir, walDir } from "./recover.ts";

/** A head with chunks in two files, a snapshot, and batches after it; killed. */
function killed(fs: Fs): SnapshotWorld {
  let world = new SnapshotWorld(fs);
  let k = 0;
  const run = (batches: number) => {
    for (const end = k + batches; k < end; k++) {
      world.append(["a", "b", "c"].map((i, n) => ({ i, t: startTime + 30 * k + n, v: k / 3 })));
    }
  };
  run(20);
  world.db.close();
  world = new SnapshotWorld(fs);
  run(12);
  expect(world.snapshot()).toBe(true);
  run(12);
  return world;
}

const wal = joinPath(dataDir, walDir);
const chunks = joinPath(dataDir, headChunksDir);

function change(disk: MemFs, path: string, at: (size: number) => number): void {
  const content = disk.readFile(path);
  content[at(content.length)] ^= 1;
  const file = disk.open(path, "write");
  file.writeAt(content, 0);
  file.close();
}

function truncate(disk: MemFs, path: string, bytes: number): void {
  const file = disk.open(path, "write");
  file.truncate(bytes);
  file.close();
}

const cases: [string, (disk: MemFs) => void, RegExp][] = [
  ["its WAL segment is gone", (disk) => disk.removeFile(`${wal}/00000001`), /WAL segment 1 is missing/],
  ["its WAL segment is shorter", (disk) => truncate(disk, `${wal}/00000001`, 500), /has 500 bytes, \d+ when/],
  [
    "its WAL segment is another",
    (disk) => change(disk, `${wal}/00000001`, () => 300),
    /has other content before/,
  ],
  [
    "another program went on with the WAL",
    (disk) => disk.open(`${wal}/00000002`, "create").close(),
    /segment 2 was begun by another program, ours end at 1/,
  ],
  [
    "nobody knows who went on with the WAL",
    (disk) => disk.removeFile(`${dataDir}/head_snapshot/wal-segment`),
    /begun by another program/,
  ],
  ["a chunk file is gone", (disk) => disk.removeFile(`${chunks}/000001`), /chunk file 1 is missing/],
  ["a chunk file is shorter", (disk) => truncate(disk, `${chunks}/000001`, 60), /chunk file 1 has 60 bytes/],
  [
    "a chunk file is another",
    (disk) => change(disk, `${chunks}/000001`, (size) => size - 1),
    /chunk file 1 has other content/,
  ],
  ["it is empty", (disk) => truncate(disk, snapshotPath(dataDir), 0), /no room for its header/],
  [
    "it ends early",
    (disk) => truncate(disk, snapshotPath(dataDir), 700),
    /a section of \d+ bytes where|ends before/,
  ],
  ["it is damaged", (disk) => change(disk, snapshotPath(dataDir), (size) => size - 40), /checksum/],
];

describe("a snapshot is not used, the log says why, and nothing else is different", () => {
  test.each(cases)("%s", (_, spoil, reason) => {
    const disk = new MemFs();
    killed(disk);
    spoil(disk);
    const thorough = new SnapshotWorld(disk.clone(), { verifyOnStart: true });
    const world = new SnapshotWorld(disk);
    expect(world.db.snapshotSeries).toBeUndefined();
    expect([world.db.snapshotRefused, thorough.db.snapshotRefused]).toEqual([true, false]);
    const said = world.env.logger.lines.filter(({ message }) =>
      message.includes("head snapshot is not used"),
    );
    expect(said.map(({ fields }) => String(fields?.reason))).toEqual([expect.stringMatching(reason)]);
    expect(world.read()).toEqual(thorough.read());
    // The next start has none to refuse.
    expect(disk.stat(snapshotPath(dataDir))).toBeUndefined();
  });

  test("the block range is another", () => {
    const disk = new MemFs();
    killed(disk);
    const world = new SnapshotWorld(disk, { blockRangeMs: 2 * snapshotOptions.blockRangeMs });
    expect(world.db.snapshotSeries).toBeUndefined();
  });

  test("a damaged one is kept", () => {
    const disk = new MemFs();
    killed(disk);
    change(disk, snapshotPath(dataDir), (size) => size - 40);
    new SnapshotWorld(disk);
    expect(disk.list(`${dataDir}/${quarantineDir}`)).toEqual(["head_snapshot-head"]);
  });
});

test("left alone it is used, and chunks that were written after it go on from it", () => {
  const disk = new MemFs();
  const before = killed(disk).read();
  const world = new SnapshotWorld(disk);
  expect(world.db.snapshotSeries).toBe(3);
  expect(world.db.snapshotRefused).toBe(false);
  expect(world.env.logger.at("warn")).toEqual([]);
  expect(world.read()).toEqual(before);
});

test("the power is lost at any moment of taking one: what is acknowledged is there", () => {
  const disk = new MemFs();
  const coin = new SeededRandom(7);
  const pictures: { line: string; disk: MemFs; samples: unknown }[] = [];
  let world: SnapshotWorld | undefined;
  let watching = false;
  const fs = traceFs(disk, dataDir, (line) => {
    if (!watching) return;
    watching = false;
    pictures.push({ line, disk: disk.clone(), samples: world?.read().samples });
    watching = true;
  });
  world = killed(fs);
  watching = true;
  expect(world.snapshot()).toBe(true);
  pictures.push({ line: "the end", disk: disk.clone(), samples: world.read().samples });
  watching = false;
  expect(pictures.map(({ line }) => line).some((line) => line.includes("rename"))).toBe(true);
  for (const { line, disk: before, samples } of pictures) {
    for (const after of [before.clone(), before.crash("lost"), before.crash("kept"), before.crash(coin)]) {
      const next = new SnapshotWorld(after);
      expect(next.read().samples, `before ${line}`).toEqual(samples);
      next.append([{ i: "a", t: startTime + 100_000, v: 1 }]);
    }
  }
});

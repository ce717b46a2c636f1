// What the notes of a damaged log say is missing: it holds what was there, and not much more.
import { expect, test } from "vitest";
import { ReplayedWal, walWorld } from "../../../test/tsdb/wal-world.ts";
import { type Loss, readNotes } from "../../base/quarantine-note.ts";
import { Labels } from "../../model/labels.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { pageBytes } from "./segment.ts";
import { Wal, type WalOptions } from "./wal.ts";
import { WalLog } from "./wal-log.ts";

const quarantineDir = "data/quarantine";

function open(fs: MemFs, options: Partial<WalOptions> = {}, dir = "data/wal") {
  const world = walWorld(fs);
  const replayed = new ReplayedWal();
  const wal = Wal.open(world, dir, { quarantineDir, compression: "none", ...options }, replayed);
  return { ...world, wal, log: new WalLog(wal), replayed };
}

/** Returns where its record begins. */
function logSamples({ wal, log }: ReturnType<typeof open>, walRef: number, times: number[]): number {
  const { offset } = wal.position;
  const t = Float64Array.from(times);
  log.logSamples(new Float64Array(t.length).fill(walRef), t, new Float64Array(t.length), t.length);
  log.flush();
  return offset;
}

function logSeries({ wal, log }: ReturnType<typeof open>, walRef: number): number {
  const { offset } = wal.position;
  log.logSeries({ n: 1, walRefs: Float64Array.of(walRef), labels: () => Labels.of({ i: `${walRef}` }) });
  log.flush();
  return offset;
}

const damage = (fs: MemFs, path: string, at: number) => {
  fs.open(path, "write").writeAt(Uint8Array.of(fs.readFile(path)[at] ^ 0x10), at);
};

const lossesIn = (fs: MemFs): (readonly Loss[])[] =>
  [...readNotes(fs, quarantineDir).values()].map(({ lost }) => lost);
const spans = (losses: readonly Loss[]) => losses.map(({ mint, maxt }) => [mint, maxt]);

test("the times around a damaged record, over all of 32 records on either side, across segments", () => {
  const fs = new MemFs();
  let world = open(fs);
  logSeries(world, 1);
  let at = 0;
  for (let i = 0; i < 200; i++) {
    if (i === 90) {
      world.wal.close();
      world = open(fs);
    }
    const offset = logSamples(world, 1, [1000 * i, 1000 * i + 7]);
    if (i === 100) at = offset;
  }
  world.wal.close();
  damage(fs, "data/wal/00000001", at + 20);
  open(fs);
  expect(lossesIn(fs).map(spans)).toEqual([[[68_000, 132_007]]]);
  expect(lossesIn(fs)[0][0].what).toMatch(/^what bytes \d+ to \d+ held/);
  expect(lossesIn(fs)[0][0].what).toContain(`bytes ${at} to`);
});

test("what blocks have is not missing", () => {
  for (const [neededFrom, want] of [
    [1500, [[[1500, 3000]]]],
    [3000, [[[3000, 3000]]]],
    [3001, [[]]],
  ] as const) {
    const fs = new MemFs();
    const world = open(fs);
    logSeries(world, 1);
    const offsets = [1000, 2000, 3000].map((t) => logSamples(world, 1, [t]));
    world.wal.close();
    damage(fs, "data/wal/00000000", offsets[1] + 20);
    open(fs, { neededFrom });
    expect(lossesIn(fs).map(spans), `from ${neededFrom}`).toEqual(want);
  }
});

test("the last record: as far again as those before; the first: all that is older", () => {
  const fs = new MemFs();
  const world = open(fs);
  logSeries(world, 1);
  const offsets = [100_000, 101_000, 102_000, 103_000].map((t) => logSamples(world, 1, [t]));
  world.wal.close();
  const first = fs.clone();
  damage(fs, "data/wal/00000000", offsets[3] + 20);
  open(fs);
  expect(lossesIn(fs).map(spans)).toEqual([[[100_000, 104_000]]]);
  damage(first, "data/wal/00000000", offsets[0] + 20);
  open(first);
  expect(lossesIn(first).map(spans)).toEqual([[[null, 103_000]]]);
});

test("the samples that follow a lost series record are named with their number and times", () => {
  const fs = new MemFs();
  const world = open(fs);
  logSeries(world, 1);
  logSamples(world, 1, [1000]);
  const at = logSeries(world, 2);
  logSamples(world, 2, [2000, 2500]);
  logSeries(world, 3);
  logSamples(world, 3, [3000]);
  // Much later, in another segment.
  world.wal.close();
  const second = open(fs);
  for (let i = 0; i < 40; i++) logSamples(second, 1, [4000 + i]);
  logSamples(second, 2, [900_000]);
  second.wal.close();
  damage(fs, "data/wal/00000000", at + 12);
  open(fs);
  expect(lossesIn(fs).map(spans)).toEqual([
    [
      [1000, 4029],
      [2000, 900_000],
    ],
  ]);
  expect(lossesIn(fs)[0][1].what).toBe(
    "3 samples of 1 series that follow: the record with their labels is lost",
  );
});

test("a segment that somebody removed has a note alone, once, until a checkpoint covers it", () => {
  const fs = new MemFs();
  for (let i = 0; i < 3; i++) {
    const world = open(fs);
    logSeries(world, i + 1);
    logSamples(world, i + 1, [1000 * (i + 1)]);
    world.wal.close();
  }
  fs.removeFile("data/wal/00000001");
  const { wal } = open(fs);
  expect(wal.replayed.gaps).toEqual([{ from: 1, to: 1 }]);
  expect(fs.list(quarantineDir)).toEqual(["wal-00000001-to-00000001-missing.note.json"]);
  expect(lossesIn(fs).map(spans)).toEqual([[[1000, 3000]]]);
  wal.close();
  expect(open(fs).wal.replayed.gaps).toEqual([]);
});

test("a log of late samples: any time that is in it", () => {
  const fs = new MemFs();
  const world = open(fs, { segmentBytes: pageBytes }, "data/wbl");
  logSamples(world, 1, [77]);
  for (let i = 0; i < 40; i++) logSamples(world, 1, [5000]);
  const at = logSamples(world, 1, [6000]);
  for (let i = 0; i < 40; i++) logSamples(world, 1, [5000]);
  logSamples(world, 1, [9000]);
  world.wal.close();
  damage(fs, "data/wbl/00000000", at + 20);
  open(fs, {}, "data/wbl");
  expect(lossesIn(fs).map(spans)).toEqual([[[77, 9000]]]);
  expect(readNotes(fs, quarantineDir).get("wbl-00000000")?.kind).toBe("wbl");
});

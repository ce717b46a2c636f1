// The power is cut before every single file operation of a run with appends, segment cuts, checkpoints and truncations.
import { describe, expect, test } from "vitest";
import { ReplayedWal, sampleLines, walWorld } from "../../../test/tsdb/wal-world.ts";
import type { Random } from "../../base/env.ts";
import { Labels } from "../../model/labels.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { pageBytes } from "./segment.ts";
import { Wal, type WalSync } from "./wal.ts";
import { WalLog } from "./wal-log.ts";

/** The disk at a moment, and what a start from it owes. */
interface Moment {
  readonly before: string;
  readonly disk: MemFs;
  /** Batches that had been acknowledged, and how many of them in segments that were full and synced. */
  readonly acknowledged: number;
  readonly synced: number;
  /** The highest mint of any checkpoint that was begun: older samples may be gone. */
  readonly mint: number;
}

const options = { quarantineDir: "data/quarantine", segmentBytes: pageBytes };

/** Runs the workload; batch i has a new series i and samples of it and some others, all at time i. */
function run(sync: WalSync, seed: number): { moments: Moment[]; batches: string[][] } {
  const random = new SeededRandom(seed);
  const moments: Moment[] = [];
  const batches: string[][] = [];
  const disk = new MemFs();
  let synced = 0;
  let mint = 0;
  const fs = traceFs(disk, "data", (before) => {
    moments.push({ before, disk: disk.clone(), acknowledged: batches.length, synced, mint });
  });
  const world = walWorld(fs);
  const wal = Wal.open(
    world,
    "data/wal",
    { ...options, sync, compression: "none", onSync: () => (synced = batches.length) },
    new ReplayedWal(),
  );
  const log = new WalLog(wal);
  for (let i = 1; i <= 36; i++) {
    const n = random.below(30);
    const walRefs = Float64Array.from({ length: n + 1 }, () => random.below(i) + 1);
    const t = new Float64Array(n + 1).fill(i);
    const v = Float64Array.from({ length: n + 1 }, () => random.u32());
    log.logSeries({ n: 1, walRefs: Float64Array.of(i), labels: () => Labels.of({ i: String(i) }) });
    // Something bulky, so that segments get full.
    const help = "x".repeat(random.below(5000));
    log.logMetadata([{ walRef: i, metadata: { type: "gauge", unit: "", help } }]);
    log.logSamples(walRefs, t, v, n + 1);
    log.flush();
    batches.push(sampleLines(walRefs, t, v, n + 1));
    if (i % 4 !== 0) continue;
    const plan = wal.planCheckpoint();
    if (plan === undefined) continue;
    mint = i - 10;
    writeCheckpoint({ ...world, fs }, wal.dir, plan, { mint, keep: () => true });
    wal.dropCovered();
  }
  wal.close();
  moments.push({ before: "the end", disk, acknowledged: batches.length, synced: batches.length, mint });
  return { moments, batches };
}

function check(disk: MemFs, batches: string[][], owed: number, mint: number, what: string): void {
  const replayed = new ReplayedWal();
  const world = walWorld(disk);
  const wal = Wal.open(world, "data/wal", { ...options, compression: "none" }, replayed);
  const young = (lines: readonly string[]) => lines.filter((line) => Number(line.split(" ")[1]) >= mint);
  const got = young(replayed.sampleLines);
  const all = young(batches.flat());
  expect(got.length, `${what}: samples`).toBeGreaterThanOrEqual(young(batches.slice(0, owed).flat()).length);
  if (got.join() !== all.slice(0, got.length).join()) expect(got, what).toEqual(all.slice(0, got.length));
  for (const line of got) {
    const walRef = Number(line.split(" ")[0]);
    if (replayed.labels.get(walRef)?.get("i") !== String(walRef))
      expect.fail(`${what}: ${walRef} has no labels`);
  }
  expect(
    disk.list("data/wal").filter((name) => name.endsWith(".tmp")),
    what,
  ).toEqual([]);
  // And it goes on from there: one more batch, one more start.
  const log = new WalLog(wal);
  log.logSamples(Float64Array.of(1), Float64Array.of(1000), Float64Array.of(2), 1);
  log.flush();
  const again = new ReplayedWal();
  const reopened = Wal.open(walWorld(disk), "data/wal", options, again);
  expect(again.sampleLines, what).toEqual([...replayed.sampleLines, "1 1000 4000000000000000"]);
  expect(reopened.replayed.setAside, what).toEqual([]);
}

describe.each(["segment", "always"] as const)("sync %s: power cut before every file operation", (sync) => {
  const { moments, batches } = run(sync, 11);
  const coin: Random = new SeededRandom(5);

  test("the run has every kind of operation", () => {
    const kinds = new Set(moments.map(({ before }) => before.split(" ")[0]));
    expect([...kinds].sort()).toEqual(
      ["create", "makeDir", "removeDir", "removeFile", "rename", "sync", "syncDir", "the", "write"].sort(),
    );
  });

  test("only the process died: everything acknowledged is there", () => {
    for (const [i, moment] of moments.entries()) {
      const what = `${i}: before ${moment.before}`;
      check(moment.disk.crash("kept"), batches, moment.acknowledged, moment.mint, what);
    }
  });

  test("what was not synced is lost: a prefix is there, with everything that was synced", () => {
    for (const [i, moment] of moments.entries()) {
      const what = `${i}: before ${moment.before}`;
      const owed = sync === "always" ? moment.acknowledged : moment.synced;
      check(moment.disk.crash("lost"), batches, owed, moment.mint, what);
    }
  });

  test("some of what was not synced is lost, writes are torn: likewise", () => {
    for (const [i, moment] of moments.entries()) {
      const what = `${i}: before ${moment.before}`;
      const owed = sync === "always" ? moment.acknowledged : moment.synced;
      check(moment.disk.crash(coin), batches, owed, moment.mint, what);
    }
  });
});

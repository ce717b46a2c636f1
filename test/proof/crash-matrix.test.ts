/**
 * The crash matrix: the power is cut before every single file operation of everything that the storage does
 * (test/crash/operations.ts). The storage always starts again. With `wal-sync=always`, and where only the process died,
 * everything acknowledged is there; where what was not synced is lost, what is there is a prefix of what was acknowledged,
 * in order, and of what came late, and lacks at most what came after the last sync of its log. Nothing is there twice, and nothing is left over.
 */
import { describe, expect, test } from "vitest";
import { joinPath } from "../../src/base/fs.ts";
import { MemFs, type Unsynced } from "../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { traceFs } from "../../src/testkit/trace-fs.ts";
import type { WalSync } from "../../src/tsdb/wal/wal.ts";
import { check, type Demand, Knowledge } from "../crash/knowledge.ts";
import { batch, dir, Life, readSnapshot, t0 } from "../crash/life.ts";
import {
  type Operation,
  operations,
  optionsOf,
  snapshotTarget,
  usualWorld,
  World,
} from "../crash/operations.ts";
import { proofSeed, size } from "./size.ts";

const seed = proofSeed("crash matrix");
/** Every so-manieth moment is tried. */
const stride = size(9, 1);

interface Moment {
  readonly before: string;
  readonly disk: MemFs;
  readonly known: Knowledge;
  /** Whether the operation was over. */
  readonly done: boolean;
}

/** Runs one operation and takes a picture of the disk before each file operation. */
function momentsOf(operation: Operation, walSync: WalSync): { moments: Moment[]; t: number } {
  const random = new SeededRandom(seed);
  const options = { walSync, ...optionsOf(operation) };
  const prepared = new MemFs();
  const world = new World(new Life(prepared, random, new Knowledge(), options), random, t0);
  usualWorld(world, operation.hasLate === true);
  operation.prepare?.(world);
  const { known } = world.life;
  if (!operation.isKilled) {
    world.life.close();
    known.syncAll();
  }
  operation.disturb?.(prepared);
  const disk = operation.isKilled ? prepared.clone() : prepared.crash("kept");
  const moments: Moment[] = [];
  let tracing = operation.isStart === true;
  const take = (before: string, done = false) =>
    moments.push({ before, disk: disk.clone(), known: known.copy(), done });
  const fs = traceFs(disk, dir, (call) => {
    if (tracing) take(call);
  });
  world.life = new Life(fs, random, known, options);
  // So that there is something that was never synced.
  if (!operation.isStart) world.append(5);
  if (!operation.isStart && operation.hasLate) world.appendLate(2);
  tracing = true;
  operation.run(world);
  take("the end", true);
  return { moments, t: world.t };
}

/** What is in a data directory that no orderly storage leaves there. */
function leftovers(disk: MemFs): string[] {
  const names = [dir, joinPath(dir, "wal"), joinPath(dir, "wbl")]
    .filter((path) => disk.stat(path) !== undefined)
    .flatMap((path) => disk.list(path));
  return names.filter((name) => /\.tmp/.test(name));
}

function judge(operation: Operation, moment: Moment, crash: Unsynced, demand: Demand, t: number): void {
  const how = typeof crash === "string" ? crash : "by chance";
  const what = `${operation.name}, cut before ${moment.before}, unsynced ${how}`;
  const disk = moment.disk.crash(crash);
  const random = new SeededRandom(seed + 1);
  let life: Life;
  try {
    life = new Life(disk, random, moment.known.copy());
  } catch (error) {
    throw new Error(`${what}: did not start: ${(error as Error).message}`, { cause: error });
  }
  const { known } = life;
  if (operation.damages) {
    // What the damage cost is gone for good; nothing else goes, which the next start shows.
    known.acknowledged.length = 0;
    known.doubtful.push(...moment.known.acknowledged);
  }
  const found = life.read();
  check(found, known, demand, what);
  expect(leftovers(disk), what).toEqual([]);
  if (moment.done && operation.name === "snapshot") {
    check(readSnapshot(disk, snapshotTarget), moment.known, "whole", `${what}, in the snapshot`);
  }
  // And it goes on: a batch, an end, a start; what was found is still there, and the batch.
  const kept = new Knowledge();
  const all = [...moment.known.acknowledged, ...moment.known.pending, ...moment.known.doubtful];
  const there = new Set(Object.entries(found).flatMap(([i, rows]) => rows.map(([at]) => `${i} ${at}`)));
  kept.acknowledged.push(...all.filter((row) => there.has(`{i="${row.i}"} ${row.t}`)));
  const next = new Life(disk.crash("kept"), random, kept);
  next.append(batch(random, t + 5000));
  next.maintain();
  next.close();
  const last = new Life(next.env.fs as MemFs, random, kept);
  check(last.read(), kept, "whole", `${what}, two starts later`);
  expect(last.env.logger.at("warn"), `${what}, two starts later`).toEqual([]);
}

const syncs: readonly WalSync[] = ["always", "segment"];

describe.each(operations)("$name", (operation) => {
  test.each(syncs)("wal-sync=%s", (walSync) => {
    const { moments, t } = momentsOf(operation, walSync);
    expect(moments.length).toBeGreaterThan(1);
    const coin = new SeededRandom(seed + 2);
    const first = stride === 1 ? 0 : coin.below(stride);
    const chosen = moments.filter((moment, k) => k % stride === first || moment.done);
    for (const moment of chosen) {
      judge(operation, moment, "kept", "whole", t);
      judge(operation, moment, "lost", walSync === "always" ? "whole" : "prefix", t);
      judge(operation, moment, coin, walSync === "always" ? "whole" : "synced", t);
    }
    console.log(`${operation.name}, wal-sync=${walSync}: ${chosen.length} of ${moments.length} moments × 3`);
  });
});

// When rounds come, in which order their steps, and what a step that fails keeps for later.
import { expect, test } from "vitest";
import { silentLogger } from "../base/env.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { Control } from "./control.ts";
import { Maintenance, type MaintenanceSteps } from "./maintenance.ts";

const intervalMs = 60_000;

/** Steps that note their calls; `due` are the ranges to be cut, `groups` the blocks to be compacted, `failing` the steps that throw. */
function world(headCutDelayMs = 0) {
  const calls: string[] = [];
  const due: number[] = [];
  const early = { value: false };
  const groups: string[][] = [];
  const failing = new Set<string>();
  let unreadable = 0;
  const step = async <T>(name: string, result: T): Promise<T> => {
    calls.push(name);
    if (failing.has(name)) throw new Error("ENOSPC");
    return result;
  };
  const job = { plan: { from: 0, to: 1 }, mint: 0, kept: new Float64Array() };
  const steps: MaintenanceSteps = {
    headCompactionDue: async () =>
      due.length > 0 ? { mint: due[0], maxt: due[0] + 99, early: early.value } : undefined,
    writeHeadBlock: () => step("write", undefined),
    truncateHead: async (mint) => {
      await step(`truncate ${mint}`, undefined);
      due.shift();
    },
    planLateCompaction: async () => undefined,
    writeLateBlocks: async () => [],
    truncateLate: async () => {},
    planCheckpoint: (mint) => step(`plan ${mint}`, job),
    writeCheckpoint: () => step("checkpoint", 4096),
    finishCheckpoint: (mint) => step(`finish ${mint}`, undefined),
    deleteBlocks: () =>
      step("delete", unreadable > 0 ? { deleted: [], expired: 0, outsized: 0, unreadable } : undefined),
    applyRetentionRule: () => Promise.resolve(undefined),
    planCompactions: async () => {
      if (groups.length > 0) calls.push("plan blocks");
      return groups.splice(0);
    },
    compactBlocks: (names) =>
      step(`compact ${names.join("+")}`, { block: undefined, overlapping: names.length > 2, seconds: 1 }),
    idle: () => step("idle", undefined),
  };
  const clock = new ManualClock();
  const control = new Control();
  const maintenance = new Maintenance(steps, control, clock, silentLogger, { intervalMs, headCutDelayMs });
  const took = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
    return calls.splice(0).join(", ");
  };
  const setUnreadable = (count: number) => (unreadable = count);
  return { maintenance, clock, control, due, early, groups, failing, setUnreadable, took };
}

test("a round cuts all that is due, then checkpoints, then deletes; the next one comes a minute later", async () => {
  const { maintenance, clock, control, due, took } = world();
  due.push(0, 100);
  maintenance.start();
  expect(await took()).toBe(
    "write, truncate 100, write, truncate 200, plan 200, checkpoint, finish 200, delete, idle",
  );
  expect(control.blocksVersion).toBe(2);
  clock.advance(intervalMs - 1);
  expect(await took()).toBe("");
  clock.advance(1);
  expect(await took()).toBe("delete, idle");
  await maintenance.close();
  expect(clock.pending).toBe(0);
});

test("a checkpoint that failed is tried again in the next round, without another block", async () => {
  const { maintenance, clock, due, failing, took } = world();
  due.push(0);
  failing.add("checkpoint");
  maintenance.start();
  expect(await took()).toBe("write, truncate 100, plan 100, checkpoint, delete, idle");
  clock.advance(intervalMs);
  expect(await took()).toBe("plan 100, checkpoint, delete, idle");
  failing.clear();
  clock.advance(intervalMs);
  expect(await took(), "after the second failure a round is left out").toBe("delete, idle");
  clock.advance(intervalMs);
  expect(await took()).toBe("plan 100, checkpoint, finish 100, delete, idle");
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
  expect(maintenance.stats).toMatchObject({
    checkpoints: 1,
    checkpointsFailed: 2,
    checkpointing: 0,
    checkpointLastBytes: 4096,
  });
});

test("a block that cannot be written leaves the head alone and is tried again", async () => {
  const { maintenance, clock, due, failing, took } = world();
  due.push(0);
  failing.add("write");
  maintenance.start();
  expect(await took()).toBe("write, delete, idle");
  failing.clear();
  clock.advance(intervalMs);
  expect(await took()).toBe("write, truncate 100, plan 100, checkpoint, finish 100, delete, idle");
});

test("what goes on failing is tried later and later, and at once when the disk has changed", async () => {
  const { maintenance, clock, due, failing, took } = world();
  due.push(0);
  failing.add("write");
  maintenance.start();
  await took();
  const rounds: number[] = [];
  for (let round = 1; round <= 50; round++) {
    clock.advance(intervalMs);
    if ((await took()).startsWith("write")) rounds.push(round);
  }
  expect(rounds).toEqual([1, 3, 7, 15, 31, 47]);
  expect(maintenance.stats).toMatchObject({ rounds: 51, compactionsFailed: 7, compactionsSkipped: 44 });
  failing.clear();
  maintenance.diskChanged();
  expect(await took()).toBe("write, truncate 100, plan 100, checkpoint, finish 100, delete, idle");
});

test.each([
  "the timer",
  "a trigger",
  "neither",
])("an action between rounds does not end them, when %s comes meanwhile", async (what) => {
  const { maintenance, clock, took } = world();
  maintenance.start();
  await took();
  let finish = () => {};
  const action = maintenance.between(() => new Promise<void>((resolve) => (finish = resolve)));
  await took();
  if (what === "the timer") clock.advance(intervalMs);
  if (what === "a trigger") maintenance.trigger();
  expect(await took()).toBe("");
  finish();
  await action;
  clock.advance(what === "neither" ? intervalMs : 0);
  expect(await took()).toBe("delete, idle");
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
});

test("actions and rounds come one after the other, and an action that fails holds nothing up", async () => {
  const { maintenance, clock, took } = world();
  maintenance.start();
  const order: string[] = [];
  const first = maintenance.between(async () => {
    order.push("first begins");
    await Promise.resolve();
    order.push("first ends");
    throw new Error("no");
  });
  const second = maintenance.between(async () => void order.push("second"));
  await expect(first).rejects.toThrow("no");
  await second;
  expect(order).toEqual(["first begins", "first ends", "second"]);
  await took();
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
});

test("blocks are compacted after the head, all groups at once, and their parents deleted", async () => {
  const { maintenance, due, groups, took } = world();
  due.push(0);
  groups.push(["a", "b"], ["c", "d", "e"]);
  maintenance.start();
  expect(await took()).toBe(
    "write, truncate 100, plan 100, checkpoint, finish 100, delete, plan blocks, compact a+b, compact c+d+e, delete, idle",
  );
  expect(maintenance.stats).toMatchObject({
    headCompactions: 1,
    blockCompactions: 2,
    verticalCompactions: 1,
    compactionsFailed: 0,
    compactionsRunning: 0,
  });
  await maintenance.close();
});

test("a compaction that fails does not keep the others, is counted, and is tried again in the next round", async () => {
  const { maintenance, clock, groups, failing, took } = world();
  groups.push(["a", "b"], ["c", "d"]);
  failing.add("compact a+b");
  maintenance.start();
  expect(await took()).toBe("delete, plan blocks, compact a+b, compact c+d, delete, idle");
  expect(maintenance.stats).toMatchObject({ blockCompactions: 1, compactionsFailed: 1 });
  failing.clear();
  groups.push(["a", "b"]);
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, plan blocks, compact a+b, delete, idle");
  await maintenance.close();
});

test("a cut that is delayed comes when its time has passed, an urgent one at once", async () => {
  const { maintenance, clock, due, early, took } = world(90_000);
  due.push(0, 100);
  maintenance.start();
  expect(await took()).toBe("delete, idle");
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
  clock.advance(intervalMs);
  // The second one, which was due as well, is not delayed anew.
  expect(await took()).toMatch(/^write, truncate 100, write, truncate 200, /);
  due.push(200);
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
  early.value = true;
  clock.advance(1);
  maintenance.trigger();
  expect(await took()).toMatch(/^write, truncate 300, /);
});

test("what a checkpoint covers and cannot be removed is left for the next one", async () => {
  const { maintenance, clock, due, failing, took } = world();
  due.push(0);
  failing.add("finish 100");
  maintenance.start();
  expect(await took()).toBe("write, truncate 100, plan 100, checkpoint, finish 100, delete, idle");
  expect(maintenance.stats).toMatchObject({ checkpoints: 1, checkpointsFailed: 0 });
  clock.advance(intervalMs);
  expect(await took()).toBe("delete, idle");
});

test("a round in which blocks cannot be read, or be deleted, counts once as failed", async () => {
  const { maintenance, clock, groups, failing, setUnreadable, took } = world();
  setUnreadable(2);
  groups.push(["a", "b"]);
  maintenance.start();
  expect(await took()).toBe("delete, plan blocks, compact a+b, delete, idle");
  expect(maintenance.stats).toMatchObject({ rounds: 1, roundsFailed: 1 });
  setUnreadable(0);
  clock.advance(intervalMs);
  await took();
  expect(maintenance.stats).toMatchObject({ rounds: 2, roundsFailed: 1 });
  failing.add("delete");
  clock.advance(intervalMs);
  await took();
  expect(maintenance.stats).toMatchObject({ rounds: 3, roundsFailed: 2 });
});

test("how long compactions took is a histogram of those that succeeded", async () => {
  const { maintenance, due, groups, failing, took } = world();
  due.push(0);
  groups.push(["a", "b"], ["c", "d"]);
  failing.add("compact c+d");
  maintenance.start();
  await took();
  expect(maintenance.durations.stats("s")).toMatchObject({ sUpTo1: 2, sUpTo8192: 2, sCount: 2 });
});

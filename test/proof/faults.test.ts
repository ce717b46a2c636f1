/**
 * Faults at every point: of everything that the storage does (test/crash/operations.ts) each single file operation fails
 * once, with ENOSPC, EIO, a short write or a short read, and from there on for as long as the operation lasts. The
 * operation succeeds, or is refused with an error that says so and succeeds when it is repeated. Either way everything
 * acknowledged is there at once, afterwards, and after the next start; nothing is there twice, and nothing is left over.
 */
import { describe, expect, test } from "vitest";
import { NarthexError } from "../../src/base/errors.ts";
import { type Fs, joinPath } from "../../src/base/fs.ts";
import { type Fault, faultFs } from "../../src/testkit/fault-fs.ts";
import { FsError } from "../../src/testkit/fs-error.ts";
import type { FsCall } from "../../src/testkit/intercept-fs.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { check, type Knowledge } from "../crash/knowledge.ts";
import { dir, Life, readSnapshot, t0 } from "../crash/life.ts";
import {
  type Operation,
  operations,
  optionsOf,
  snapshotTarget,
  usualWorld,
  World,
} from "../crash/operations.ts";
import { proofSeed, size } from "./size.ts";

const seed = proofSeed("faults");
const stride = size(41, 1);

interface FaultKind {
  readonly name: string;
  readonly hits: (call: FsCall) => boolean;
  readonly fault: (random: SeededRandom) => Fault;
  /** Whether everything that it hits fails from then on. */
  readonly lasts: boolean;
}

const takesRoom = ({ operation }: FsCall) =>
  ["write", "create", "replace", "makeDir", "link", "rename"].includes(operation);
const isAny = ({ operation }: FsCall) => operation !== "close";

const kinds: readonly FaultKind[] = [
  { name: "EIO once", hits: isAny, fault: () => ({ code: "EIO" }), lasts: false },
  { name: "EIO from then on", hits: isAny, fault: () => ({ code: "EIO" }), lasts: true },
  {
    name: "a full disk from then on",
    hits: takesRoom,
    fault: (random) => ({ code: "ENOSPC", writtenBytes: random.below(300) }),
    lasts: true,
  },
  {
    name: "a short write once",
    hits: ({ operation }) => operation === "write",
    fault: (random) => ({ code: "ENOSPC", writtenBytes: 1 + random.below(2000) }),
    lasts: false,
  },
  {
    name: "a short read once",
    hits: ({ operation }) => operation === "read",
    fault: (random) => ({ code: "", readBytes: random.below(40) }),
    lasts: false,
  },
  {
    name: "a read-only file system from then on",
    hits: ({ operation }) =>
      !["open", "read", "readFile", "stat", "list", "size", "sync", "close"].includes(operation),
    fault: () => ({ code: "EROFS" }),
    lasts: true,
  },
];

/** The disk on which an operation begins, and what is known of it. */
function prepare(operation: Operation): { disk: MemFs; known: Knowledge; t: number } {
  const random = new SeededRandom(seed);
  const disk = new MemFs();
  const world = new World(new Life(disk, random, undefined, optionsOf(operation)), random, t0);
  usualWorld(world, operation.hasLate === true);
  operation.prepare?.(world);
  if (!operation.isKilled) world.life.close();
  operation.disturb?.(disk);
  return { disk, known: world.life.known, t: world.t };
}

/** An error that a person can do something about; anything else is ours. */
function isRefusal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof FsError || at instanceof NarthexError) return true;
  }
  return false;
}

/** Unfinished files and directories. */
function leftovers(fs: Fs): string[] {
  const names = [dir, joinPath(dir, "wal"), joinPath(dir, "wbl")]
    .filter((path) => fs.stat(path) !== undefined)
    .flatMap((path) => fs.list(path));
  return names.filter((name) => name.includes(".tmp"));
}

interface Attempt {
  readonly calls: number;
  readonly refused: boolean;
}

/** Runs the operation with the `nth` call that `kind` hits failing (0: none), and judges all that follows. */
function attempt(
  operation: Operation,
  start: ReturnType<typeof prepare>,
  kind: FaultKind,
  nth: number,
): Attempt {
  const random = new SeededRandom(seed + nth);
  const what = `${operation.name}, ${kind.name}, at ${nth}`;
  const disk = start.disk.crash("kept");
  const known = start.known.copy();
  let armed = false;
  let calls = 0;
  let hit = "";
  const fs = faultFs(disk, (call) => {
    if (!armed || !kind.hits(call)) return undefined;
    calls++;
    if (calls !== nth && !(kind.lasts && nth > 0 && calls > nth)) return undefined;
    if (hit === "") hit = `${call.operation} ${call.path}`;
    return kind.fault(random);
  });
  const isStart = operation.isStart === true;
  const world = new World(undefined as never, random, start.t);
  const begin = () => {
    world.life = new Life(fs, random, known, optionsOf(operation));
  };
  const act = () => {
    if (isStart) begin();
    operation.run(world);
  };
  if (!isStart) {
    begin();
    world.append(2);
    if (operation.hasLate) world.appendLate(2);
  }
  let refused = false;
  armed = true;
  try {
    act();
  } catch (error) {
    refused = true;
    if (!isRefusal(error)) throw new Error(`${what} (${hit}): a bug, not a refusal`, { cause: error });
  }
  armed = false;
  const demand = operation.damages ? undefined : "whole";
  const judge = (life: Life, when: string) => {
    if (demand !== undefined) check(life.read(), known, demand, `${what} (${hit}), ${when}`);
  };
  const ended = operation.name === "end";
  if (!ended && (!refused || !isStart)) judge(world.life, "at once");
  if (refused && !ended) {
    try {
      act();
    } catch (error) {
      throw new Error(`${what} (${hit}): refused again, without a fault`, { cause: error });
    }
    judge(world.life, "repeated");
  }
  if (operation.name === "snapshot") {
    check(readSnapshot(disk, snapshotTarget), known, "whole", `${what} (${hit}), in the snapshot`);
  }
  if (!ended) {
    world.append(3);
    if (operation.hasLate) world.appendLate(3);
    judge(world.life, "later");
    world.life.sweep();
    expect(leftovers(disk), `${what} (${hit}), later`).toEqual([]);
    world.life.close();
  }
  const next = new Life(disk.crash("kept"), random, known);
  judge(next, "after a start");
  expect(leftovers(next.env.fs), `${what} (${hit}), after a start`).toEqual([]);
  return { calls, refused };
}

describe.each(operations)("$name", (operation) => {
  test.each(kinds)("$name", (kind) => {
    const start = prepare(operation);
    const { calls } = attempt(operation, start, kind, 0);
    const first = stride === 1 ? 1 : 1 + new SeededRandom(seed + kind.name.length).below(stride);
    let tried = 0;
    let refused = 0;
    for (let nth = first; nth <= calls; nth += stride) {
      tried++;
      if (attempt(operation, start, kind, nth).refused) refused++;
    }
    console.log(`${operation.name}, ${kind.name}: ${tried} of ${calls} points, ${refused} refused`);
  });
});

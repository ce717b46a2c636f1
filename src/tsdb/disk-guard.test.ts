// When storing stops and resumes, and what becomes of the reserve.
import { expect, test } from "vitest";
import { faultFs } from "../testkit/fault-fs.ts";
import { FsError } from "../testkit/fs-error.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { RecordingLogger } from "../testkit/recording-logger.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { smallFs, usedBytes } from "../testkit/small-fs.ts";
import { DiskGuard, stateOf } from "./disk-guard.ts";
import { reserveFile } from "./disk-reserve.ts";

const mib = 1024 * 1024;
const path = `data/${reserveFile}`;

function world(capacityBytes: number, reserveBytes: number, knowsFree = true) {
  const disk = new MemFs();
  disk.makeDir("data");
  const state = { capacityBytes, broken: "" };
  const small = smallFs(disk, "data", () => state.capacityBytes);
  const fs = faultFs(small, ({ operation }) =>
    state.broken !== "" && ["write", "replace", "sync"].includes(operation)
      ? { code: state.broken }
      : undefined,
  );
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const changes: string[] = [];
  const guard = new DiskGuard({ fs, clock, logger, random: new SeededRandom(1) }, "data", {
    reserveBytes,
    freeBytes: knowsFree ? () => state.capacityBytes - usedBytes(disk, "data") : undefined,
    onChange: (problem) => changes.push(problem.slice(0, 20)),
  });
  const fill = (bytes: number) => {
    const file = disk.open("data/other", "replace");
    if (bytes > 0) file.writeAt(new Uint8Array(bytes), 0);
    file.close();
  };
  return { disk, state, clock, logger, changes, guard, fill };
}

const full = new FsError("ENOSPC", "write", "data/wal/00000000");

test("the reserve comes a while after the start, and is taken over by the next one", () => {
  const { disk, clock, guard, changes, logger } = world(100 * mib, 3 * mib);
  guard.start();
  expect(changes).toEqual([""]);
  clock.advance(9_999);
  expect(disk.stat(path)).toBeUndefined();
  clock.advance(1000);
  expect(disk.stat(path)?.sizeBytes).toBe(3 * mib);
  expect(guard.reserveBytes).toBe(3 * mib);
  expect(clock.pending).toBe(0);
  guard.close();
  const env = { fs: disk, clock, logger, random: new SeededRandom(2) };
  const smaller = new DiskGuard(env, "data", { reserveBytes: 2 * mib });
  smaller.start();
  clock.advance(11_000);
  expect(disk.stat(path)?.sizeBytes).toBe(2 * mib);
  const none = new DiskGuard(env, "data", { reserveBytes: 0 });
  none.start();
  clock.advance(11_000);
  expect(disk.stat(path)).toBeUndefined();
});

test.each([
  true,
  false,
])("full: released, and back when there is room for it and a margin (knows: %s)", (knows) => {
  const { disk, clock, guard, fill, changes, logger } = world(10 * mib, 4 * mib, knows);
  guard.start();
  clock.advance(11_000);
  fill(6 * mib);
  guard.failed(full);
  expect(guard.state).toBe("full");
  expect(guard.problem).toMatch(/^The disk that holds data is full: free at least 5 MiB/);
  expect(disk.stat(path)).toBeUndefined();
  // The room that the reserve gave away does not count as room.
  clock.advance(60_000);
  expect(guard.state).toBe("full");
  expect(usedBytes(disk, "data")).toBe(6 * mib);
  fill(5 * mib);
  clock.advance(6000);
  expect(guard.state).toBe("ok");
  expect(guard.problem).toBe("");
  expect(disk.stat(path)?.sizeBytes).toBe(4 * mib);
  expect(changes).toEqual(["", "The disk that holds ", ""]);
  expect(guard.stats).toEqual({ full: 1, readOnly: 0, failing: 0, stops: 1 });
  expect(logger.at("error")).toHaveLength(1);
  expect(logger.at("info").map(({ message }) => message)).toEqual(["Samples are stored again"]);
});

test("without a reserve there must be a margin", () => {
  const { disk, clock, guard, fill } = world(mib, 0);
  guard.start();
  fill(mib);
  guard.failed(full);
  clock.advance(60_000);
  expect(guard.state).toBe("full");
  fill(0);
  clock.advance(6000);
  expect(guard.state).toBe("ok");
  expect(disk.list("data")).toEqual(["other"]);
});

test.each([
  ["EIO", "failing", /^Writing to data fails \(EIO/],
  ["EROFS", "readOnly", /^The file system that holds data is read-only/],
])("%s: nothing is stored until a file can be written again; the reserve stays", (code, state, text) => {
  const { disk, state: world_, clock, guard } = world(100 * mib, mib);
  guard.start();
  clock.advance(11_000);
  world_.broken = code;
  guard.failed(new Error("the log", { cause: new FsError(code, "write", "x") }));
  expect(guard.state).toBe(state);
  expect(guard.problem).toMatch(text);
  clock.advance(60_000);
  expect(guard.state).toBe(state);
  world_.broken = "";
  clock.advance(6000);
  expect(guard.state).toBe("ok");
  expect(disk.list("data")).toEqual([reserveFile]);
});

test("resumptions that do not last come later and later, a lasting one starts over", () => {
  const { clock, guard } = world(100 * mib, 0);
  const pauses: number[] = [];
  for (let i = 0; i < 6; i++) {
    guard.failed(new FsError("EIO", "write", "x"));
    pauses.push(guard.retryAfterSeconds);
    clock.advance(guard.retryAfterSeconds * 1000);
    expect(guard.state).toBe("ok");
  }
  expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
  clock.advance(30_000);
  guard.failed(new FsError("EIO", "write", "x"));
  expect(guard.retryAfterSeconds).toBe(5);
  expect(guard.stats).toEqual({ full: 0, readOnly: 0, failing: 7, stops: 7 });
});

test("no room for the reserve is said once, and is no reason to store nothing", () => {
  const { disk, clock, guard, fill, logger } = world(2 * mib, 4 * mib);
  guard.start();
  clock.advance(600_000);
  expect(guard.state).toBe("ok");
  expect(logger.at("warn")).toHaveLength(1);
  expect(disk.list("data")).toEqual([]);
  fill(0);
  guard.close();
  expect(clock.pending).toBe(0);
});

test("errors that are not the disk's change nothing", () => {
  const { guard } = world(mib, 0);
  guard.failed(new TypeError("BUG"));
  guard.failed("something");
  expect(guard.state).toBe("ok");
  expect(stateOf(new FsError("EDQUOT", "write", "x"))).toBe("full");
  expect(stateOf(new FsError("ENXIO", "write", "x"))).toBe("failing");
});

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CleanStart, DirectoryLock } from "./directory-lock.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-lock-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a second lock is refused until the first is released, which removes the file", () => {
  const first = new DirectoryLock(dir);
  expect(first.cleanStart).toBe(CleanStart.clean);
  expect(() => new DirectoryLock(dir)).toThrow(/is in use/);
  first.release();
  first.release();
  expect(existsSync(join(dir, "lock"))).toBe(false);
  const second = new DirectoryLock(dir);
  expect(second.cleanStart).toBe(CleanStart.clean);
  second.release();
});

test("a lock file that nobody holds is taken over", () => {
  writeFileSync(join(dir, "lock"), "");
  const lock = new DirectoryLock(dir);
  expect(lock.cleanStart).toBe(CleanStart.replaced);
  lock.release();
});

test("another process's lock is respected, and gone when that process is killed", async () => {
  const holder = spawn("flock", ["--no-fork", join(dir, "lock"), "sleep", "60"], { stdio: "ignore" });
  const refused = () => {
    try {
      new DirectoryLock(dir).release();
      return false;
    } catch (error) {
      expect((error as Error).message).toMatch(/is in use/);
      return true;
    }
  };
  const held = () => spawnSync("flock", ["--nonblock", join(dir, "lock"), "true"]).status === 1;
  await expect.poll(held, { timeout: 10_000 }).toBe(true);
  expect(refused()).toBe(true);
  const ended = once(holder, "exit");
  holder.kill("SIGKILL");
  await ended;
  expect(refused()).toBe(false);
});

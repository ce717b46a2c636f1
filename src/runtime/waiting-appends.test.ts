import { expect, test } from "vitest";
import { ManualClock } from "../testkit/manual-clock.ts";
import { WaitingAppends } from "./waiting-appends.ts";

test("waits for the head, with so many bytes at most", async () => {
  let begin = () => {};
  const ready = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const appends = new WaitingAppends(new ManualClock(), 100);
  const two = [appends.wait(60, ready, 1000), appends.wait(40, ready, undefined)];
  expect(await appends.wait(1, ready, undefined)).toBe(false);
  begin();
  expect(await Promise.all(two)).toEqual([true, true]);
  // Their room is free again.
  expect(await appends.wait(100, ready, undefined)).toBe(true);
});

test("gives up after the time it was given", async () => {
  const clock = new ManualClock();
  const appends = new WaitingAppends(clock, 100);
  const waiting = appends.wait(100, new Promise(() => {}), 1000);
  clock.advance(1000);
  expect(await waiting).toBe(false);
  expect(await appends.wait(100, Promise.reject(new Error("the writer died")), undefined)).toBe(false);
});

test("ends with the server", async () => {
  const appends = new WaitingAppends(new ManualClock(), 100);
  const waiting = appends.wait(1, new Promise(() => {}), undefined);
  appends.end();
  expect(await waiting).toBe(false);
  expect(await appends.wait(1, Promise.resolve(), undefined)).toBe(false);
});

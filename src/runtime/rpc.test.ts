import { MessageChannel } from "node:worker_threads";
import { expect, test } from "vitest";
import { CorruptionError, NarthexError, QueryError } from "../base/errors.ts";
import { Caller, Handover, serve } from "./rpc.ts";

interface Methods {
  double(n: number): number;
  later(n: number): number;
  fail(kind: string): void;
  lend(size: number): Uint8Array;
}

const channel = new MessageChannel();

serve<Methods>(channel.port1, {
  double: (n) => 2 * n,
  later: async (n) => n + 1,
  fail: (kind) => {
    if (kind === "query") throw new QueryError("timeout", "too slow");
    if (kind === "corruption") throw new CorruptionError("wal/7", 12, "bad checksum");
    if (kind === "narthex") throw new NarthexError("STORAGE", "disk full");
    throw new TypeError("wrong");
  },
  lend: (size) => {
    const bytes = new Uint8Array(size).fill(7);
    return new Handover(bytes, [bytes.buffer]);
  },
});
const caller = new Caller<Methods>(channel.port2);
channel.port1.unref();
channel.port2.unref();

test("answers reach their own calls, in whatever order they come", async () => {
  expect(
    await Promise.all([caller.call("later", 1), caller.call("double", 4), caller.call("later", 2)]),
  ).toEqual([2, 8, 3]);
  expect(caller.pending).toBe(0);
});

test("results may be handed over", async () => {
  expect(await caller.call("lend", 3)).toEqual(new Uint8Array([7, 7, 7]));
});

test.each([
  ["query", QueryError, { type: "timeout", message: "too slow" }],
  ["corruption", CorruptionError, { file: "wal/7", offset: 12, message: "wal/7: bad checksum (at byte 12)" }],
  ["narthex", NarthexError, { code: "STORAGE", message: "disk full" }],
  ["other", Error, { message: "wrong" }],
])("a %s error arrives as what it was", async (kind, type, fields) => {
  const error = await caller.call("fail", kind).catch((reason) => reason);
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject(fields);
});

test("when the other end is gone, everything that waits fails", async () => {
  const { port1, port2 } = new MessageChannel();
  const lonely = new Caller<Methods>(port2);
  const waiting = lonely.call("double", 1);
  lonely.abandon(new Error("the thread died"));
  await expect(waiting).rejects.toThrow("the thread died");
  await expect(lonely.call("double", 1)).rejects.toThrow("the thread died");
  port1.close();
});

/**
 * Requests with new series that the storage refuses: what belongs to known series is stored, and the sender is told what
 * was not, in a way that does not make it send the same again.
 */
import { readFileSync } from "node:fs";
import { compressSync, uncompressSync } from "snappy";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../../src/base/env.ts";
import { headKernel } from "../../src/kernels/head-kernel.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { WriteReceiver } from "../../src/remote/write-receiver.ts";
import { HeadAppender } from "../../src/tsdb/head/appender.ts";
import { Head } from "../../src/tsdb/head/head.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import { dumpAll, MemoryChunks, MemoryLog } from "../head/fixture.ts";
import { exemplar, labels, message, sample, series } from "./messages.ts";

const wasm = new Uint8Array(readFileSync(new URL("../../src/kernels/head.wasm", import.meta.url)));
const now = 1_700_000_000_000;
const clock = { nowMs: () => now, monotonicMs: () => 0, after: () => ({ cancel() {} }) };
const snappy = {
  compress: (bytes: Uint8Array) => compressSync(bytes as Buffer),
  decompress: (bytes: Uint8Array) => uncompressSync(bytes as Buffer, { asBuffer: true }) as Buffer,
};

function world(way: "kernel" | "decoder") {
  const memory = HeadMemory.create();
  const chunks = new MemoryChunks();
  const head = new Head(memory, chunks, { kernel: headKernel(wasm, memory.memory), exemplarsMax: 10 });
  const appender = new HeadAppender(head, new MemoryLog());
  const writes = way === "kernel" ? head.newWriteMemory() : undefined;
  const receiver = new WriteReceiver({ clock, logger: silentLogger, snappy }, appender, writes);
  const reader = new HeadReader(HeadMemory.attach(memory.handle), chunks);
  return {
    head,
    receiver,
    send: (...parts: number[][]) =>
      receiver.receive(compressSync(Buffer.from(message(...parts))), {
        contentType: "",
        contentEncoding: "snappy",
      }),
    counts: () =>
      Object.fromEntries(
        Object.entries(dumpAll(reader, [new Matcher("=~", "__name__", ".*")])).map(([name, samples]) => [
          name,
          samples.length,
        ]),
      ),
  };
}

const of = (name: string, ...times: number[]) =>
  series(labels({ __name__: name, job: "j" }), ...times.map((t) => sample(now + t, t)));

describe.each(["kernel", "decoder"] as const)("by way of the %s", (way) => {
  test("known series are stored wherever they stand in the request, new ones are counted", () => {
    const { head, receiver, send, counts } = world(way);
    expect(send(of("a", 0), of("b", 0)).status).toBe(204);
    head.budget.limits = { series: 2, seriesByJob: {} };
    const answer = send(of("new1", 1), of("a", 1, 2), of("new2", 1, 2, 3), of("b", 1));
    expect(answer).toMatchObject({
      status: 400,
      body:
        "2 new series were refused: the head holds 2 series and tsdb.limits.max_series is 2; " +
        "of known series, 3 samples were stored\n",
    });
    expect(answer.headers).not.toHaveProperty("retry-after");
    expect(counts()).toEqual({ '{__name__="a", job="j"}': 3, '{__name__="b", job="j"}': 2 });
    expect(receiver.stats).toMatchObject({ samples: 5, seriesRefused: 2, refusedForMemory: 0 });
    expect(head.budget.refused.culprits(9).map(({ metric }) => metric)).toEqual(["new1", "new2"]);
    head.budget.limits = { series: 3, seriesByJob: {} };
    expect(send(of("new1", 4), of("a", 4)).status).toBe(204);
    expect(counts()['{__name__="new1", job="j"}']).toBe(1);
  });

  test("a request of nothing but new series is not to be repeated either", () => {
    const { head, send, counts } = world(way);
    head.budget.pages = 1;
    const answer = send(of("new1", 1), of("new2", 1));
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("2 new series were refused: the head holds 0 series in");
    expect(answer.body).toContain("of known series, 0 samples were stored");
    expect(counts()).toEqual({});
  });

  test("exemplars of refused series go with them", () => {
    const { head, send } = world(way);
    expect(send(of("a", 0)).status).toBe(204);
    head.budget.limits = { series: 1, seriesByJob: {} };
    const withExemplar = series(
      labels({ __name__: "new" }),
      sample(now + 1, 1),
      exemplar(now + 1, 1, { id: "x" }),
    );
    expect(send(withExemplar, of("a", 1)).status).toBe(400);
    expect(head.exemplars.count).toBe(0);
  });

  test("one bad sample still costs the whole request", () => {
    const { head, send, counts } = world(way);
    expect(send(of("a", 10)).status).toBe(204);
    head.budget.limits = { series: 1, seriesByJob: {} };
    expect(send(of("new", 1), of("a", 5))).toMatchObject({ status: 400, body: "out of order sample\n" });
    expect(counts()).toEqual({ '{__name__="a", job="j"}': 1 });
  });

  test("where not even known series can be stored the sender shall come again", () => {
    const { head, receiver, send, counts } = world(way);
    expect(send(of("a", 0)).status).toBe(204);
    head.arena.pagesMax = head.arena.pagesTaken + 10;
    const answer = send(of("a", 1));
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(answer.body).toContain("the memory of the head is full (--storage.tsdb.memory-limit)");
    expect(counts()).toEqual({ '{__name__="a", job="j"}': 1 });
    expect(receiver.stats.refusedForMemory).toBe(1);
    head.arena.pagesMax = 65_536;
    expect(send(of("a", 1)).status).toBe(204);
  });
});

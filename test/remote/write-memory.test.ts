/**
 * Requests through the kernel, through its twin and through the decoder of remote/, into heads of their own: the same
 * answers and the same samples, whatever comes; kernel and twin leave the same memory behind, word for word.
 */
import { readFileSync } from "node:fs";
import { compressSync, uncompressSync } from "snappy";
import { describe, expect, test } from "vitest";
import type { BlockCodec } from "../../src/base/codec.ts";
import { silentLogger } from "../../src/base/env.ts";
import { headKernel } from "../../src/kernels/head-kernel.ts";
import { Purpose } from "../../src/kernels/head-layout.ts";
import { snappySlackBytes } from "../../src/kernels/snappy-decode.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { WriteReceiver } from "../../src/remote/write-receiver.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { HeadAppender } from "../../src/tsdb/head/appender.ts";
import { Head } from "../../src/tsdb/head/head.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import { dumpAll, MemoryChunks, MemoryLog } from "../head/fixture.ts";
import { double, exemplar, field, label, labels, message, sample, series, varint } from "./messages.ts";

const seed = Number(process.env.NARTHEX_SEED ?? 1);
const wasm = new Uint8Array(readFileSync(new URL("../../src/kernels/head.wasm", import.meta.url)));
const now = 1_700_000_000_000;
const clock = { nowMs: () => now, monotonicMs: () => 0, after: () => ({ cancel() {} }) };
const headers = { contentType: "", contentEncoding: "snappy" };
const snappy: BlockCodec = {
  compress: (bytes) => compressSync(bytes as Buffer),
  decompress: (bytes) => uncompressSync(bytes as Buffer, { asBuffer: true }) as Buffer,
};
const stale = 0x7ff0000000000002n;

type Way = "kernel" | "twin" | "decoder";

function world(way: Way, pages = 65536) {
  const memory = HeadMemory.create({ hashSeed: 7, pages });
  const chunks = new MemoryChunks();
  const log = new MemoryLog();
  const kernel = way === "kernel" ? headKernel(wasm, memory.memory) : undefined;
  const head = new Head(memory, chunks, { kernel, exemplarsMax: 10 });
  const appender = new HeadAppender(head, log);
  const writes = way === "decoder" ? undefined : head.newWriteMemory();
  const receiver = new WriteReceiver({ clock, logger: silentLogger, snappy }, appender, writes);
  const reader = new HeadReader(HeadMemory.attach(memory.handle), chunks);
  return {
    head,
    log,
    writes,
    receive(body: Uint8Array): string {
      const { status, body: text } = receiver.receive(body, headers);
      return `${status} ${text}`;
    },
    contents: () => dumpAll(reader, [new Matcher("=~", "__name__", ".*")]),
  };
}

const worlds = () => [world("kernel"), world("twin"), world("decoder")] as const;

/** All that was ever written, but what lies behind the last message, where the kernel may write more than is needed. */
function memoryOf({ head, writes }: ReturnType<typeof world>): Buffer {
  // The first page holds the kernel's static data.
  const start = 16384 * 4;
  const words = head.memory.words.slice(start / 4, head.arena.bytesTaken / 4 + 3 * 16384);
  const bytes = Buffer.from(words.buffer);
  if (writes !== undefined) {
    const { byteOffset, length } = writes.message;
    const used = Math.max(0, writes.messageBytes);
    bytes.fill(0, byteOffset - start + used, byteOffset - start + length + snappySlackBytes);
  }
  return bytes;
}

const a = labels({ __name__: "a", job: "x" });
const many = Array.from({ length: 14 }, (_, i) => [`l${String.fromCharCode(97 + i)}`, "v"] as const);

describe("one request after the other", () => {
  const requests: readonly (readonly [string, Uint8Array])[] = [
    ["new series", message(series(a, sample(now, 1)), series(labels({ __name__: "b" }), sample(now, 2)))],
    [
      "known ones",
      message(series(a, sample(now + 1, 1)), series(labels({ __name__: "b" }), sample(now + 1, 0))),
    ],
    [
      "another order",
      message(series(labels({ __name__: "b" }), sample(now + 2, stale)), series(a, sample(now + 2, -0))),
    ],
    ["a label more", message(series([...a, ...label("z", "1")], sample(now + 3, 1)))],
    ["a label less", message(series(labels({ __name__: "a" }), sample(now + 3, 1)))],
    [
      "more labels than a record holds",
      message(series(labels(Object.fromEntries([["__name__", "m"], ...many])), sample(now, 1))),
    ],
    [
      "those again",
      message(series(labels(Object.fromEntries([["__name__", "m"], ...many])), sample(now + 1, 1))),
    ],
    [
      "a new series twice",
      message(
        series(labels({ __name__: "t" }), sample(now, 1)),
        series(labels({ __name__: "t" }), sample(now + 1, 1)),
      ),
    ],
    ["the same samples", message(series(a, sample(now + 2, -0)))],
    ["another value", message(series(a, sample(now + 2, 5)))],
    [
      "older, after a good one",
      message(series(labels({ __name__: "b" }), sample(now + 9, 1)), series(a, sample(now, 5))),
    ],
    ["too old", message(series(labels({ __name__: "new1" }), sample(now - 7_200_000, 5)))],
    ["too new", message(series(labels({ __name__: "new2" }), sample(now + 3_600_000, 5)))],
    [
      "several samples, some in the wrong order",
      message(series(a, sample(now + 20, 1), sample(now + 10, 2), sample(now + 30, 3))),
    ],
    ["no value field", message(series(a, field(2, [0x10, ...varint(now + 40)])))],
    ["no time field", message(series(labels({ __name__: "zero" }), field(2, double(1, 1n))))],
    ["time first", message(series(a, field(2, [0x10, ...varint(now + 41), ...double(1, 1n)])))],
    [
      "a long varint",
      message(
        series(
          a,
          field(2, [0x10, ...varint(now + 42).slice(0, -1), 0x80 | (varint(now + 42).at(-1) as number), 0]),
        ),
      ),
    ],
    ["2^53 - 1", message(series(a, sample(2 ** 53 - 1, 1)))],
    ["2^53", message(series(a, sample(2n ** 53n, 1)))],
    ["before 1970", message(series(a, sample(-5, 1)))],
    ["an exemplar", message(series(a, sample(now + 43, 1), exemplar(now, 1, { trace_id: "t" })))],
    ["metadata", message(series(a, sample(now + 44, 1)), field(3, [0x08, 1, ...field(2, "m")]))],
    ["a histogram", message(series(a, field(4, [0x08, 1])))],
    [
      "labels behind the samples",
      message(series(label("__name__", "s"), sample(now + 45, 1), label("job", "x"))),
    ],
    [
      "labels in the wrong order",
      message(series(label("job", "x"), label("__name__", "a"), sample(now + 46, 1))),
    ],
    ["no samples", message(series(labels({ __name__: "none" })))],
    ["no samples of a known one", message(series(a))],
    ["no labels", message(series(sample(now, 1)))],
    ["no metric name", message(series(labels({ job: "x" }), sample(now, 1)))],
    [
      "no UTF-8",
      message(
        series(label("__name__", "m"), field(1, [...field(1, "u"), ...field(2, [0xc0])]), sample(now, 1)),
      ),
    ],
    ["a long value", message(series(labels({ __name__: "long", v: "ü".repeat(9000) }), sample(now, 1)))],
    [
      "a long value again",
      message(series(labels({ __name__: "long", v: "ü".repeat(9000) }), sample(now + 1, 1))),
    ],
    ["nothing", message()],
    ["cut short", message(series(a, sample(now + 50, 1))).subarray(0, -1)],
  ];
  const [kernel, twin, decoder] = worlds();

  test.each(requests)("%s", (_, request) => {
    const body = snappy.compress(request);
    const answer = decoder.receive(body);
    expect(kernel.receive(body)).toBe(answer);
    expect(twin.receive(body)).toBe(answer);
    expect([kernel.contents(), twin.contents()]).toEqual([decoder.contents(), decoder.contents()]);
    expect(kernel.log.samples).toEqual(decoder.log.samples);
    expect(kernel.head.stats).toEqual(decoder.head.stats);
    expect(Buffer.compare(memoryOf(kernel), memoryOf(twin))).toBe(0);
  });
});

/** A sender with series that come and go, mostly in the same order. */
function* requestsOf(random: SeededRandom, count: number): Generator<Uint8Array> {
  let order = Array.from({ length: 12 }, (_, i) => i);
  let t = now - 3_000_000;
  for (let i = 0; i < count; i++) {
    t += random.below(2000);
    if (random.chance(0.05)) order.push(random.below(400));
    if (random.chance(0.05)) order.splice(random.below(order.length), 1 + random.below(3));
    if (random.chance(0.02)) order = order.reverse();
    if (order.length === 0) order = [1, 2, 3];
    yield message(
      ...order.map((n) => {
        const value = random.chance(0.1) ? stale : random.pick([0, 1, n, random.u32() / 1000]);
        const more = random.chance(0.1) ? [sample(t + 5, 1)] : [];
        const from = { __name__: `m${n % 7}`, instance: `i${n % 3}`, n: `${n}`.repeat(1 + (n % 5)) };
        return series(labels(from), sample(t, value), ...more);
      }),
    );
  }
}

test("a sender's requests", () => {
  const [kernel, twin, decoder] = worlds();
  for (const request of requestsOf(new SeededRandom(seed), 400)) {
    const body = snappy.compress(request);
    const answer = decoder.receive(body);
    expect([kernel.receive(body), twin.receive(body)]).toEqual([answer, answer]);
  }
  expect([kernel.contents(), twin.contents()]).toEqual([decoder.contents(), decoder.contents()]);
  expect(kernel.log.samples).toEqual(decoder.log.samples);
  expect(Buffer.compare(memoryOf(kernel), memoryOf(twin))).toBe(0);
});

test("10,000 mutated requests", () => {
  const random = new SeededRandom(seed);
  const [kernel, twin, decoder] = worlds();
  const answers = new Map<string, number>();
  for (let i = 0; i < 10_000; i++) {
    const parts = Array.from({ length: 1 + random.below(3) }, (_, k) => {
      const from = { __name__: `m${(i + k) % 40}`, a: "ü".repeat(random.below(2)), job: `j${k}` };
      return series(labels(from), sample(now - 1_000_000 + i * 100 + k, random.below(3)));
    });
    let request = message(...parts);
    for (let k = random.below(4); k > 0; k--) {
      const at = random.below(request.length);
      if (random.chance(0.5)) request[at] = random.pick([0, 1, 8, 9, 0x0a, 0x10, 0x12, 0x7f, 0x80, 0xff]);
      else request[at] = random.below(256);
    }
    if (random.chance(0.1)) request = request.subarray(0, random.below(request.length));
    const body = snappy.compress(request);
    const answer = decoder.receive(body);
    const others = [kernel.receive(body), twin.receive(body)];
    if (others[0] !== answer || others[1] !== answer) {
      expect(others, Buffer.from(request).toString("hex")).toEqual([answer, answer]);
    }
    answers.set(answer.slice(0, 3), (answers.get(answer.slice(0, 3)) ?? 0) + 1);
  }
  expect(answers.get("204")).toBeGreaterThan(100);
  expect(answers.get("400")).toBeGreaterThan(1000);
  expect([kernel.contents(), twin.contents()]).toEqual([decoder.contents(), decoder.contents()]);
  expect(kernel.log.samples).toEqual(decoder.log.samples);
  expect(Buffer.compare(memoryOf(kernel), memoryOf(twin))).toBe(0);
});

test("the memory for a long request is given back", () => {
  const { head, receive } = world("kernel");
  const staging = () => head.bytesInUse(Purpose.staging);
  const samples = Array.from({ length: 70_000 }, (_, i) => sample(now + i, i));
  expect(receive(snappy.compress(message(series(a, samples.flat()))))).toBe("204 ");
  const during = staging();
  expect(receive(snappy.compress(message(series(a, sample(now + 400_000, 1)))))).toBe("204 ");
  expect(during - staging()).toBeGreaterThan(4_000_000);
  expect(head.stats.samplesAppended).toBe(70_001);
});

test("a request that does not fit into the head's memory goes the long way", () => {
  const { head, receive } = world("twin", 384);
  const help = Buffer.concat([Buffer.from([0x22, ...varint(8_000_000)]), Buffer.alloc(8_000_000, "x")]);
  const metadata = Buffer.concat([Buffer.from([0x1a, ...varint(help.length)]), help]);
  const request = Buffer.concat([message(series(a, sample(now, 1))), metadata]);
  expect(receive(snappy.compress(request))).toBe("204 ");
  expect(head.stats.samplesAppended).toBe(1);
  expect(head.arena.pagesFree).toBeGreaterThan(64);
});

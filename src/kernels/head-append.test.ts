// The append kernel against the plain XOR appender and against Prometheus's rules for cutting chunks.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { append, bitsOf, type Row, testHead } from "../../test/head/fixture.ts";
import { XorAppender } from "../chunkenc/xor.ts";
import { seriesRecord } from "../tsdb/head/memory.ts";
import { copyChunkData } from "../tsdb/head/open-chunk.ts";
import { Bits, Series } from "./head-layout.ts";

/** The rules once more, plainly: where Prometheus's head cuts a series' samples into chunks. */
function cutNaively(
  times: readonly number[],
  values: Float64Array,
  range: number,
  perChunk: number,
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let appender = new XorAppender();
  let start = 0;
  let end = 0;
  const begin = (t: number) => {
    if (appender.count > 0) chunks.push(appender.bytes().slice());
    appender = new XorAppender();
    start = t;
    end = Math.trunc(t / range) * range + range;
  };
  times.forEach((t, i) => {
    if (i === 0 || appender.length > 1005) begin(t);
    if (appender.count === Math.floor(perChunk / 4)) {
      const n = (end - start) / ((times[i - 1] - start + 1) * 4);
      if (n > 1) end = Math.trunc(start + (end - start) / Math.floor(n));
    }
    if (t >= end || appender.count >= 2 * perChunk) begin(t);
    appender.append(t, values, i);
  });
  chunks.push(appender.bytes().slice());
  return chunks;
}

/** All chunks of a series of a test head, the open one last. */
function chunksOf(test: ReturnType<typeof testHead>, ref: number): Uint8Array[] {
  const { words } = test.memory;
  const record = seriesRecord(words, ref);
  const bits = words[record + Series.bits] & Bits.mask;
  const open = new Uint8Array(1064);
  copyChunkData(
    words,
    words[record + Series.open],
    (bits + 31) >>> 5,
    words[record + Series.samples] & 0xffff,
    open,
    0,
  );
  return [...[...test.chunks.chunks.values()].map((chunk) => chunk.bytes), open.slice(0, (bits + 7) >>> 3)];
}

const special = [
  0x7ff0000000000002n,
  0x7ff8000000000001n,
  0n,
  1n << 63n,
  (1n << 64n) - 1n,
  1n,
  0x8000000000000001n,
];
const bits = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0x4045000000000000n) },
  { weight: 3, arbitrary: fc.nat(1000).map((v) => bitsOf(Float64Array.of(v))[0]) },
  fc.constantFrom(...special),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.tuple(fc.nat(63), fc.nat(255)).map(([shift, v]) => BigInt.asUintN(64, BigInt(v) << BigInt(shift))),
);
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.constant(15_000) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 30_000 }) },
  fc.constantFrom(1, 8192, 8193, 23_191, 23_192, 65_536, 80_536, 80_537, 539_288, 539_289),
  fc.integer({ min: 1, max: 2 ** 36 }),
);

test("chunks have the bytes and the cuts of the plain rules", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(10 ** 12), max: 2 * 10 ** 12 }),
      fc.array(fc.tuple(steps, bits), { minLength: 1, maxLength: 700 }),
      fc.constantFrom(4, 30, 120),
      fc.constantFrom(7_200_000, 2 ** 32 - 1),
      fc.integer({ min: 1, max: 50 }),
      (start, samples, perChunk, range, perBatch) => {
        const head = testHead({ chunkRangeMs: range, samplesPerChunk: perChunk }, { pages: 128 });
        const rows: Row[] = [];
        let t = start;
        for (const [step, value] of samples) rows.push([{ a: "b" }, (t += step), value]);
        for (let i = 0; i < rows.length; i += perBatch) append(head.appender, rows.slice(i, i + perBatch));
        const values = new Float64Array(BigUint64Array.from(samples, ([, value]) => value).buffer);
        const times = rows.map(([, time]) => time);
        expect(chunksOf(head, 1)).toEqual(cutNaively(times, values, range, perChunk));
      },
    ),
    { numRuns: 60 },
  );
});

describe("with the range of two hours", () => {
  test.each([
    ["every 15 s", 15_000, 1_000],
    ["every second", 1_000, 4_000],
    ["every 5 minutes", 300_000, 100],
    ["every 100 ms", 100, 3_000],
    ["every 40 s", 40_000, 600],
  ])("%s", (_, step, count) => {
    const head = testHead({}, { pages: 256 });
    const times = Array.from({ length: count }, (_unused, i) => 1_700_000_123_456 + i * step);
    const values = Float64Array.from(times, (t, i) => Math.sin(t) + i);
    const rows = times.map((t, i): Row => [{ a: "b" }, t, values[i]]);
    for (let i = 0; i < rows.length; i += 37) append(head.appender, rows.slice(i, i + 37));
    expect(chunksOf(head, 1)).toEqual(cutNaively(times, values, 7_200_000, 120));
  });
});

import { expect, test } from "vitest";
import { append, bitsOf, dumpAll, type Row, testHead } from "../../../test/head/fixture.ts";
import type { ChunkEncodings } from "../../chunkenc/encode-samples.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import { Xor2Appender } from "../../chunkenc/xor2.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";

const encodings: ChunkEncodings = { floats: "xor2", histogramStarts: false };
const t0 = 1_700_000_000_000;
const stale = 0x7ff0000000000002n;
const every = [new Matcher("=~", "a", ".+")];

test.each([1, 2, 3, 4])("cut chunks have the bytes of a chunk encoded at once, seed %i", (seed) => {
  const random = new SeededRandom(seed);
  const { head, appender, chunks, reader } = testHead({ encodings, keepsStarts: true });
  const ref = appender.series(Labels.of({ a: "x" }));
  const times: number[] = [];
  const starts: number[] = [];
  const values: bigint[] = [];
  let t = t0;
  for (let i = 0; i < 1500; i++) {
    t += random.pick([15_000, 15_000, 15_001, 19_096, 1 + random.below(600_000)]);
    const wild = BigInt(random.u32()) * BigInt(random.u32());
    const value = random.chance(0.05) ? stale : random.pick([wild, bitsOf(Float64Array.of(i >> 3))[0]]);
    times.push(t);
    starts.push(random.pick([0, t0, t0, t - 500]));
    values.push(value);
    appender.append(
      Uint32Array.of(ref),
      Float64Array.of(t),
      new Float64Array(BigUint64Array.of(value).buffer),
      1,
      new Uint8Array(1),
      Float64Array.of(starts[i]),
    );
    appender.commit();
  }
  const column = new Float64Array(BigUint64Array.from(values).buffer);
  let at = 0;
  for (const { encoding, mint, maxt, bytes } of chunks.chunks.values()) {
    expect(encoding).toBe(Encoding.xor2);
    const whole = new Xor2Appender();
    expect(times[at]).toBe(mint);
    for (; times[at] <= maxt; at++) whole.append(times[at], column, at, starts[at]);
    expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(whole.bytes()).toString("hex"));
    expect(bytes.length).toBeLessThanOrEqual(1024 + 10);
  }
  expect(at).toBeGreaterThan(1200);
  expect(chunks.chunks.size).toBe(head.stats.chunksCreated - 1);
  expect(Object.values(dumpAll(reader, every))).toEqual([
    times.map((time, i) => `${time}:${values[i].toString(16)}`),
  ]);
});

test("chunks end where XOR chunks do as long as they are not too many bytes", () => {
  const cuts = (options: Parameters<typeof testHead>[0]) => {
    const { appender, chunks } = testHead(options);
    const random = new SeededRandom(5);
    for (let i = 0, t = t0; i < 3000; i++) {
      t += i < 1500 ? 15_000 : random.pick([1000, 2000]);
      append(appender, [[{ a: "x" }, t, i & 3]]);
    }
    return [...chunks.chunks.values()].map(({ mint, maxt }) => [mint, maxt]);
  };
  expect(cuts({ encodings })).toEqual(cuts({}));
});

test("a change of the encoding ends the open chunk; nothing is lost, stale series are counted", () => {
  const { head, appender, chunks, reader } = testHead();
  const rows: Row[] = [];
  const run = (floats: ChunkEncodings["floats"]) => {
    head.encodings = { ...encodings, floats };
    for (let i = 0; i < 3; i++) {
      rows.push([{ a: "x" }, t0 + 1000 * rows.length, i === 2 ? stale : i]);
      append(appender, rows.slice(-1));
    }
    expect(head.stats.staleSeries).toBe(1);
  };
  for (const floats of ["xor", "xor2", "xor", "xor2"] as const) run(floats);
  expect([...chunks.chunks.values()].map(({ encoding }) => encoding)).toEqual([1, 4, 1]);
  expect(Object.values(dumpAll(reader, every))[0].length).toBe(12);
  expect(append(appender, rows.slice(-1))).toEqual([1]);
});

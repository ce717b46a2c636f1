import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seriesText } from "../../../test/series-text.ts";
import { blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { bitsOf, chunkSource, type TestSeries } from "../../../test/tsdb/chunk-series.ts";
import { silentLogger } from "../../base/env.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import { HistogramAppender } from "../../chunkenc/histogram.ts";
import { Histogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { failNth, faultFs } from "../../testkit/fault-fs.ts";
import { isChange } from "../../testkit/intercept-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { removeLeftovers } from "./delete-block.ts";
import { writeBlock } from "./write-block.ts";

const everything = [new Matcher("=~", "__name__", ".*")];
const series: TestSeries[] = ["a", "b"].map((i) => ({
  labels: { __name__: "up", i },
  samples: Array.from({ length: 250 }, (_, k) => [k * 10, k]),
}));
const whole = Object.fromEntries(
  series.map(({ labels, samples }) => [
    seriesText(Labels.of(labels)),
    samples.map(([t, v]): [number, bigint] => [t, bitsOf(v)]),
  ]),
);

function contentOf(fs: MemFs): Record<string, [number, bigint][]> {
  const env = blockDir(fs);
  const set = BlockSet.open(env, "data");
  expect(set.unreadable.size).toBe(0);
  const querier = set.querier(-Infinity, Infinity);
  const content = readAll(querier, everything);
  querier.close();
  return content;
}

test("the order of its file operations", () => {
  const fs = traceFs(new MemFs(), "data");
  const env = blockDir(fs);
  fs.takeTrace();
  const { ulid } = env.write(chunkSource(series), 0, 2500);
  const trace = fs.takeTrace().map((line) =>
    line
      .replace(/ \d+\+\d+$/, "")
      .replaceAll(ulid, "U")
      .replaceAll("U.tmp-for-creation", "T"),
  );
  expect(trace).toEqual([
    "makeDir T/chunks",
    "create T/index",
    "create T/chunks/000001",
    "write T/chunks/000001",
    "sync T/chunks/000001",
    // symbols and their length, series, postings, postings offset table and its length, table of contents
    "write T/index",
    "write T/index",
    "write T/index",
    "write T/index",
    "write T/index",
    "sync T/index",
    "create T/tombstones",
    "write T/tombstones",
    "sync T/tombstones",
    "create T/meta.json",
    "write T/meta.json",
    "sync T/meta.json",
    "syncDir T/chunks",
    "syncDir T",
    "rename T -> U",
    "syncDir data",
  ]);
});

test("power lost at any moment: all of the block or nothing of it, and no leftovers after the next start", () => {
  const memory = new MemFs();
  const pictures: MemFs[] = [];
  const fs = traceFs(memory, "", () => pictures.push(memory.clone()));
  const env = blockDir(fs);
  pictures.length = 0;
  env.write(chunkSource(series), 0, 2500);
  pictures.push(memory.clone());
  const random = new SeededRandom(3);
  let wholes = 0;
  for (const [i, picture] of pictures.entries()) {
    for (const unsynced of ["kept", "lost", random, random, random] as const) {
      const after = picture.crash(unsynced);
      removeLeftovers({ fs: after, logger: silentLogger }, "data");
      expect(after.list("data").every((name) => /^[0-9A-Z]{26}$/.test(name))).toBe(true);
      const content = contentOf(after);
      expect([{}, whole], `after ${i} operations`).toContainEqual(content);
      if (Object.keys(content).length > 0) wholes++;
      if (i === pictures.length - 1) expect(content).toEqual(whole);
    }
  }
  expect(wholes).toBeGreaterThan(3);
});

test("an operation that fails leaves nothing behind, and the next attempt succeeds", () => {
  for (const code of ["ENOSPC", "EIO"]) {
    for (let nth = 1; ; nth++) {
      const memory = new MemFs();
      memory.makeDir("data");
      let failed = false;
      const fs = faultFs(
        memory,
        failNth(nth, { code, writtenBytes: 3 }, (call) => isChange(call) && call.path !== "data"),
      );
      const env = blockDir(fs);
      try {
        env.write(chunkSource(series), 0, 2500);
      } catch (error) {
        failed = true;
        expect(String(error)).toContain(code);
        expect(memory.list("data"), `operation ${nth}`).toEqual([]);
        env.write(chunkSource(series), 0, 2500);
      }
      expect(contentOf(memory)).toEqual(whole);
      if (!failed) break;
      expect(nth).toBeLessThan(50);
    }
  }
});

test("a range without samples writes nothing", () => {
  const memory = new MemFs();
  const env = blockDir(memory);
  expect(writeBlock(env, "data", chunkSource([]), { mint: 0, maxt: 10 })).toBeUndefined();
  expect(writeBlock(env, "data", chunkSource(series), { mint: 5000, maxt: 6000 })).toBeUndefined();
  expect(memory.list("data")).toEqual([]);
});

test("exactly the samples of the range are taken, to the bit", () => {
  const value = fc.constantFrom<number | bigint>(1, 0.1, Number.NaN, 0x7ff0000000000002n, -0);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), value), { minLength: 1, maxLength: 100 }),
      fc.nat(500),
      fc.nat(500),
      fc.integer({ min: 1, max: 30 }),
      (steps, mint, length, perChunk) => {
        let t = 0;
        const samples = steps.map(([step, v]) => [(t += step), v] as const);
        const env = blockDir(new MemFs());
        const range = { mint, maxt: mint + length };
        const meta = writeBlock(
          env,
          "data",
          chunkSource([{ labels: { __name__: "m" }, samples }], perChunk),
          range,
        );
        const want = samples.filter(([time]) => time >= mint && time < mint + length);
        expect(meta?.stats.numSamples ?? 0).toBe(want.length);
        const found = contentOf(env.fs as MemFs);
        expect(found.m ?? []).toEqual(want.map(([time, v]) => [time, bitsOf(v)]));
      },
    ),
    { numRuns: 150 },
  );
});

test("the meta tells what is in it and where it came from", () => {
  const env = blockDir(new MemFs());
  const seen: number[][] = [];
  const first = env.write(chunkSource(series), 0, 2500, { onChunk: (...chunk) => seen.push(chunk) });
  expect(seen.slice(0, 3).map(([, ...rest]) => rest)).toEqual([
    [120, 1190],
    [120, 1190],
    [10, 90],
  ]);
  expect(first).toMatchObject({
    minTime: 0,
    maxTime: 2500,
    stats: { numSamples: 500, numFloatSamples: 500, numHistogramSamples: 0, numSeries: 2, numChunks: 6 },
    compaction: { level: 1, sources: [first.ulid], parents: [], hints: [], deletable: false, failed: false },
  });
  const parents = [{ ulid: first.ulid, minTime: 0, maxTime: 2500 }];
  const options = { level: 2, sources: [first.ulid], parents, hints: ["from-out-of-order"] };
  expect(env.write(chunkSource(series), 0, 2500, options).compaction).toMatchObject(options);
});

test("chunks go on in a new segment when one is full", () => {
  const env = blockDir(new MemFs());
  const { ulid } = env.write(chunkSource(series), 0, 2500, { segmentBytesMax: 300 });
  expect(env.fs.list(`data/${ulid}/chunks`).length).toBeGreaterThan(2);
  expect(contentOf(env.fs as MemFs)).toEqual(whole);
});

describe("a histogram chunk", () => {
  const appender = new HistogramAppender(Encoding.floatHistogram);
  appender.begin(10, new Histogram({ isFloat: true, count: 1.5, zeroCount: 1.5, sum: 2 }));
  appender.append(20, new Histogram({ isFloat: true, count: 2.5, zeroCount: 2.5, sum: 3 }));
  const chunk = { encoding: Encoding.floatHistogram, mint: 10, maxt: 20, bytes: appender.bytes() };
  const source = { series: () => [{ labels: Labels.of({ a: "b" }), chunks: () => [chunk] }] };

  test("inside the range is carried as it is", () => {
    expect(blockDir(new MemFs()).write(source, 10, 21).stats.numHistogramSamples).toBe(2);
  });

  test("over the end of the range is cut", () => {
    expect(blockDir(new MemFs()).write(source, 10, 20).stats.numHistogramSamples).toBe(1);
  });
});

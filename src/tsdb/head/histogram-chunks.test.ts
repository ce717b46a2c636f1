import { describe, expect, test } from "vitest";
import { append, stage, type TestHead, testHead } from "../../../test/head/fixture.ts";
import { dumpBoth, dumpBothNow, histogram, type Shape, told } from "../../../test/head/histograms.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import type { Histogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { Outcome } from "../../storage/appender.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import type { HeadQuerier } from "./head-querier.ts";

const t0 = 1_700_000_000_000;
const stale = 0x7ff0000000000002n;

function push({ appender }: TestHead, a: string, t: number, one: Histogram): Outcome {
  return appender.appendHistogram(appender.series(Labels.of({ a })), t0 + t, one);
}

describe("outcomes", () => {
  test("duplicates, late ones, floats in the place of histograms", () => {
    const head = testHead();
    expect(push(head, "x", 1000, histogram({ 1: 2 }))).toBe(Outcome.ok);
    head.appender.commit();
    expect(push(head, "x", 1000, histogram({ 1: 2 }))).toBe(Outcome.duplicate);
    expect(push(head, "x", 1000, histogram({ 1: 3 }))).toBe(Outcome.duplicateTimestamp);
    expect(push(head, "x", 1000, histogram({ 1: 2 }, { isFloat: true }))).toBe(Outcome.duplicateTimestamp);
    expect(push(head, "x", 500, histogram({ 1: 2 }))).toBe(Outcome.outOfOrder);
    expect(push(head, "x", -10_000_000, histogram({ 1: 2 }))).toBe(Outcome.outOfBounds);
    // The sum of the histogram as a float is another sample.
    expect(stage(head.appender, [[{ a: "x" }, t0 + 1000, 3]])).toEqual([Outcome.duplicateTimestamp]);
    head.appender.commit();
    expect(head.head.stats).toMatchObject({
      histogramsAppended: 1,
      histogramsOutOfOrder: 1,
      histogramsOutOfBounds: 1,
      nativeHistogramSeries: 1,
      nativeHistogramBuckets: 1,
    });
  });

  test("what changes its kind within a batch keeps its order, in memory and in the log", () => {
    const head = testHead();
    push(head, "x", 1, histogram({ 1: 1 }));
    stage(head.appender, [
      [{ a: "y" }, t0 + 1, 1],
      [{ a: "x" }, t0 + 2, 7],
    ]);
    push(head, "x", 3, histogram({ 1: 2 }, { isFloat: true }));
    push(head, "x", 4, histogram({ 0: 2 }, { bounds: [5] }));
    stage(head.appender, [[{ a: "x" }, t0 + 5, stale]]);
    head.appender.commit();
    expect(dumpBothNow(head.reader, t0).x.map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
      "1=false false",
      "2=401c000000000000",
      "3=true false",
      "4=false false",
      "5=stale false",
    ]);
    expect(head.log.histograms.map(({ t }) => t - t0)).toEqual([1, 3, 4, 5]);
    expect(head.log.samples.map(({ t }) => t - t0)).toEqual([1, 2]);
  });
});

test("a marker after a histogram is a histogram's, one after a float is a float's", () => {
  const head = testHead();
  push(head, "i", 1, histogram({ 1: 1 }));
  push(head, "f", 1, histogram({ 1: 1 }, { isFloat: true }));
  append(head.appender, [[{ a: "n" }, t0 + 1, 1]]);
  append(head.appender, [
    [{ a: "i" }, t0 + 2, stale],
    [{ a: "f" }, t0 + 2, stale],
    [{ a: "n" }, t0 + 2, stale],
  ]);
  const shown = dumpBothNow(head.reader, t0);
  expect([shown.i[1], shown.f[1], shown.n[1]]).toEqual([
    "2=stale false",
    "2=stale true",
    "2=7ff0000000000002",
  ]);
  expect(head.head.stats).toMatchObject({
    staleSeries: 3,
    nativeHistogramSeries: 2,
    nativeHistogramBuckets: 0,
  });
  append(head.appender, [[{ a: "i" }, t0 + 3, 4]]);
  expect(head.head.stats).toMatchObject({ staleSeries: 2, nativeHistogramSeries: 1 });
});

test("chunks end by size, by range, and where a counter is reset", () => {
  const head = testHead();
  let buckets: Record<number, number> = {};
  for (let i = 0; i < 400; i++) {
    for (let k = 0; k < 20; k++) buckets[k] = (buckets[k] ?? 0) + ((i * 7 + k * 13) % 50);
    if (i === 300) buckets = { 3: 1 };
    push(head, "x", i * 15_000, histogram(buckets));
    head.appender.commit();
  }
  expect(dumpBothNow(head.reader, t0).x).toHaveLength(400);
  const chunks = [...head.chunks.chunks.values()];
  expect(chunks.length).toBeGreaterThan(4);
  for (const { encoding, bytes, mint, maxt } of chunks) {
    expect(encoding).toBe(Encoding.histogram);
    expect(bytes.length).toBeLessThan(2048 + 200);
    expect(Math.floor(mint / 7_200_000)).toBe(Math.floor(maxt / 7_200_000));
  }
  expect(chunks.some(({ maxt }) => maxt === t0 + 299 * 15_000)).toBe(true);
});

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
test(`random batches, as of whichever batch a reader pinned (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  const pick = (n: number) => random.u32() % n;
  const head = testHead({ chunkRangeMs: 600_000, samplesPerChunk: 20 });
  const model: Record<string, string[]> = {};
  const counts: Record<string, Record<number, number>> = {};
  const pinned: { querier: HeadQuerier; want: string }[] = [];
  const shapes: Shape[] = [
    {},
    { isFloat: true },
    { gauge: true },
    { isFloat: true, gauge: true },
    { bounds: [1, 2, 4, 8, 16, 32, 64, 128] },
    { schema: 3 },
  ];
  const copy = () => JSON.stringify(model);
  for (let batch = 0; batch < 250; batch++) {
    if (pick(20) === 0) head.head.histograms.dropCache();
    for (let i = 0; i < 6; i++) {
      const a = `s${pick(4)}`;
      model[a] ??= [];
      const t = batch * 10_000 + i;
      const kind = pick(10);
      if (kind < 2) {
        const value = BigInt(pick(100));
        stage(head.appender, [[{ a }, t0 + t, value]]);
        model[a].push(`${t}=${value.toString(16)}`);
      } else if (kind === 2) {
        const last = model[a].at(-1)?.split("=")[1] ?? "";
        const marker = /^(stale )?(true|false)/.exec(last);
        stage(head.appender, [[{ a }, t0 + t, stale]]);
        model[a].push(`${t}=${marker === null ? stale.toString(16) : `stale ${marker[2]}`}`);
      } else {
        if (counts[a] === undefined || pick(15) === 0) counts[a] = { [pick(3)]: 1 };
        for (let k = pick(4); k > 0; k--) {
          const index = pick(7);
          counts[a][index] = (counts[a][index] ?? 0) + pick(1000);
        }
        const shape = shapes[(Math.floor(batch / 20) + a.charCodeAt(1)) % shapes.length];
        const one = histogram(counts[a], pick(12) === 0 ? shapes[pick(shapes.length)] : shape);
        push(head, a, t, one);
        model[a].push(`${t}=${told(one)}`);
      }
    }
    head.appender.commit();
    if (pick(5) === 0 && pinned.length < 6) {
      pinned.push({ querier: head.reader.querier(-Infinity, Infinity), want: copy() });
    }
    if (pick(6) === 0 && pinned.length > 0) check(pinned.splice(pick(pinned.length), 1)[0]);
  }
  for (const one of pinned) check(one);
  expect(dumpBothNow(head.reader, t0)).toEqual(model);

  function check({ querier, want }: { querier: HeadQuerier; want: string }): void {
    expect(dumpBoth(querier, t0)).toEqual(JSON.parse(want));
    querier.close();
  }
});

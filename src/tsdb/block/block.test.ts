import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seriesText } from "../../../test/series-text.ts";
import { blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import {
  bitsOf,
  chunkSource,
  noHints,
  type TestSeries,
  unlimited,
  xorChunks,
} from "../../../test/tsdb/chunk-series.ts";
import { CorruptionError } from "../../base/errors.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import { HistogramAppender } from "../../chunkenc/histogram.ts";
import { Histogram, staleHistogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { isStale } from "../../model/value.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import type { Chunk } from "../chunks/chunk.ts";
import { deleteBlock } from "../compact/delete-block.ts";
import { writeTombstones } from "../tombstones/file.ts";
import { Tombstones } from "../tombstones/tombstones.ts";
import { Block } from "./block.ts";

const everything = [new Matcher("=~", "__name__", ".*")];
const value = fc.constantFrom<number | bigint>(1, 2.5, -0, Number.NaN, 0x7ff0000000000002n);
const someSeries = fc.array(
  fc.record({
    labels: fc.record({ __name__: fc.constantFrom("a", "b"), i: fc.constantFrom("1", "2", "3", "4") }),
    samples: fc
      .uniqueArray(fc.nat(99), { minLength: 1, maxLength: 60 })
      .chain((times) => fc.tuple(...times.sort((a, b) => a - b).map((t) => fc.tuple(fc.constant(t), value)))),
  }),
  { minLength: 1, maxLength: 8 },
);
const range = fc
  .tuple(fc.integer({ min: -5, max: 105 }), fc.nat(60))
  .map(([mint, length]) => [mint, mint + length]);

function unique(series: readonly TestSeries[]): TestSeries[] {
  return [...new Map(series.map((each) => [JSON.stringify(each.labels), each])).values()];
}

function openOnly(env: ReturnType<typeof blockDir>): Block {
  return Block.open(env, `data/${env.fs.list("data")[0]}`);
}

test("answers as a filter over the samples does, with and without tombstones", () => {
  fc.assert(
    fc.property(
      someSeries,
      range,
      fc.array(fc.tuple(fc.nat(7), range), { maxLength: 5 }),
      fc.constantFrom("1", "1|2", ".*", "", "[34]"),
      (drawn, [mint, maxt], deletions, pattern) => {
        const series = unique(drawn);
        const env = blockDir(new MemFs());
        env.write(chunkSource(series, 7), 0, 100);
        const block = openOnly(env);
        const { index } = block.acquire();
        const refs = [...index.postings("", "")];
        const tombstones = new Tombstones();
        const deleted = new Map<string, [number, number][]>();
        for (const [which, [from, to]] of deletions) {
          const ref = refs[which % refs.length];
          tombstones.add(ref, { mint: from, maxt: to });
          const key = seriesText(index.series(ref, 0, 100)?.labels as Labels);
          deleted.set(key, [...(deleted.get(key) ?? []), [from, to] as [number, number]]);
        }
        block.release();
        block.closeIfIdle();
        writeTombstones(env.fs, block.dir, tombstones);

        const matcher = new Matcher("=~", "i", pattern);
        const want: Record<string, [number, bigint][]> = {};
        for (const { labels, samples } of series) {
          const key = seriesText(Labels.of(labels));
          const kept = samples
            .filter(([t]) => t >= mint && t <= maxt)
            .filter(([t]) => !deleted.get(key)?.some(([from, to]) => from <= t && t <= to))
            .map(([t, v]): [number, bigint] => [t, bitsOf(v)]);
          if (matcher.matches(labels.i) && kept.length > 0) want[key] = kept;
        }
        const querier = block.querier();
        expect(readAll(querier, [matcher], mint, maxt)).toEqual(want);
        const lasts = (all: Record<string, [number, bigint][]>) =>
          new Map(Object.entries(all).map(([key, samples]) => [key, samples.at(-1)]));
        const lastOnly = readAll(querier, [matcher], mint, maxt, { ...noHints, lastOnly: true });
        expect(lasts(lastOnly)).toEqual(lasts(want));
        expect(querier.labelNames(unlimited, [], 0)).toEqual(["__name__", "i"]);
        expect(querier.labelNames(unlimited, [], 1)).toEqual(["__name__"]);
        querier.close();
      },
    ),
    { numRuns: 150 },
  );
});

describe("a series with histograms", () => {
  const appender = new HistogramAppender(Encoding.histogram);
  const first = new Histogram({ isFloat: false, count: 3, zeroCount: 3, sum: 0.5 });
  appender.begin(200, first);
  appender.append(300, staleHistogram(false));
  const histogram = { encoding: Encoding.histogram, mint: 200, maxt: 300, bytes: appender.bytes() };
  const env = blockDir(new MemFs());
  const labels = Labels.of({ __name__: "mixed" });
  const floats = xorChunks([
    [100, 1],
    [150, 2],
  ]);
  const meta = env.write({ series: () => [{ labels, chunks: () => [...floats, histogram] }] }, 0, 1000);
  const block = openOnly(env);

  test("is stored and counted", () => {
    expect(meta.stats).toMatchObject({
      numSamples: 4,
      numFloatSamples: 2,
      numHistogramSamples: 2,
      numChunks: 2,
    });
    const source = block.chunkSource();
    const plain = ({ encoding, mint, maxt, bytes }: Chunk) => ({ encoding, mint, maxt, bytes: [...bytes] });
    const chunks = [...source.series()].flatMap((series) => [...series.chunks()].map(plain));
    expect(chunks).toEqual([...floats, histogram].map(plain));
    source.close();
  });

  test("is read with the floats", () => {
    const [series] = block.querier().select(unlimited, everything, 0, 1000, noHints, true);
    const columns = new SampleColumns();
    series.read(columns, 0, 199);
    expect([...columns.t.subarray(0, columns.n)]).toEqual([100, 150]);
    expect(columns.histograms).toBeUndefined();
    series.read(columns, 200, 1000);
    expect([...columns.t.subarray(0, columns.n)]).toEqual([100, 150, 200, 300]);
    expect(columns.v[2]).toBe(0.5);
    expect(columns.histograms?.map((one) => one?.isStale)).toEqual([undefined, undefined, false, true]);
    expect(isStale(columns.v, 3)).toBe(true);
  });
});

describe("files", () => {
  const series: TestSeries[] = [{ labels: { __name__: "up" }, samples: [[1, 1]] }];

  test("are open while someone reads, and a deleted block stays readable until then", () => {
    const env = blockDir(new MemFs());
    env.write(chunkSource(series), 0, 10);
    const block = openOnly(env);
    expect(block.isOpen).toBe(false);
    const first = block.querier();
    const second = block.querier();
    deleteBlock(env.fs, "data", block.name);
    expect(env.fs.list("data")).toEqual([]);
    first.close();
    first.close();
    block.retire();
    expect(block.isOpen).toBe(true);
    expect(readAll(second, everything)).toEqual({ up: [[1, bitsOf(1)]] });
    second.close();
    expect(block.isOpen).toBe(false);
    expect(env.cache.usedBytes).toBe(0);
    expect(() => block.querier()).toThrow(/ENOENT/);
  });

  test("are counted", () => {
    const env = blockDir(new MemFs());
    const meta = env.write(chunkSource(series), 0, 10);
    const size = (name: string) => env.fs.stat(`data/${meta.ulid}/${name}`)?.sizeBytes ?? Number.NaN;
    const total = ["meta.json", "index", "tombstones", "chunks/000001"].map(size).reduce((a, b) => a + b);
    expect(openOnly(env).sizeBytes).toBe(total);
    expect(openOnly(env).symbolTableBytes).toBe(8);
  });

  test.each([
    ["no meta.json", (fs: MemFs, dir: string) => fs.removeFile(`${dir}/meta.json`), /ENOENT/],
    ["no index", (fs: MemFs, dir: string) => fs.removeFile(`${dir}/index`), /ENOENT/],
    ["no chunks", (fs: MemFs, dir: string) => fs.removeDir(`${dir}/chunks`), /ENOENT/],
    [
      "an index cut short",
      (fs: MemFs, dir: string) => fs.open(`${dir}/index`, "write").truncate(100),
      /checksum of the table/,
    ],
    ["no index at all", (fs: MemFs, dir: string) => fs.open(`${dir}/index`, "replace"), CorruptionError],
    [
      "a segment of zeros",
      (fs: MemFs, dir: string) => fs.open(`${dir}/chunks/000001`, "write").writeAt(new Uint8Array(4), 0),
      /magic number 0/,
    ],
  ])("with %s are refused", (_, damage, message) => {
    const fs = new MemFs();
    const env = blockDir(fs);
    const { ulid } = env.write(chunkSource(series), 0, 10);
    damage(fs, `data/${ulid}`);
    expect(() => openOnly(env)).toThrow(message);
    expect(env.cache.usedBytes).toBe(0);
  });

  test("with damaged tombstones are refused when they are needed, and nothing stays open", () => {
    const env = blockDir(new MemFs());
    const { ulid } = env.write(chunkSource(series), 0, 10);
    env.fs.open(`data/${ulid}/tombstones`, "write").writeAt(Uint8Array.of(9), 8);
    const block = openOnly(env);
    expect(() => block.querier()).toThrow(/checksum of the tombstones/);
    expect([block.isOpen, block.users, env.cache.usedBytes]).toEqual([false, 0, 0]);
  });
});

/**
 * The storage with XOR2 chunks and start times, switched on, partly on and off from start to start: no sample is lost or
 * another, and start times are kept where they are switched on, by way of the log, chunk files, snapshots, blocks.
 */
import { describe, expect, test } from "vitest";
import { check, Knowledge, type Row } from "../../test/crash/knowledge.ts";
import { dir, Life, t0 } from "../../test/crash/life.ts";
import { noContext, hints as selectHints } from "../../test/head/fixture.ts";
import { SnapshotWorld, startTime } from "../../test/tsdb/snapshot-world.ts";
import { PageCache } from "../base/page-cache.ts";
import { type ChunkEncodings, plainEncodings } from "../chunkenc/encode-samples.ts";
import { Encoding } from "../chunkenc/encoding.ts";
import { Histogram } from "../model/histogram.ts";
import { Labels } from "../model/labels.ts";
import { Matcher } from "../model/matcher.ts";
import { mergeQueriers } from "../storage/merge.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { HeadChunkReader } from "./chunks/head-chunk-reader.ts";
import type { DbOptions } from "./db.ts";
import { HeadReader } from "./head/head-reader.ts";
import { HeadMemory } from "./head/memory.ts";

const seed = Number(process.env.SEED ?? Date.now() % 1e6);
const xor2: ChunkEncodings = { floats: "xor2", histogramStarts: false };
const withStarts: ChunkEncodings = { floats: "xor2", histogramStarts: true };
const on: Partial<DbOptions> = { encodings: withStarts, keepsStarts: true };
const switches: readonly Partial<DbOptions>[] = [
  { encodings: xor2 },
  on,
  {},
  { encodings: xor2, keepsStarts: true },
  { encodings: { ...plainEncodings, histogramStarts: true } },
];

test(`switched at every start, in whatever order samples come (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  const disk = new MemFs();
  const known = new Knowledge();
  const used = new Set<string>();
  let now = t0;
  for (let start = 0; start < 10; start++) {
    const life = new Life(disk, random, known, switches[start % switches.length]);
    life.db.outOfOrderWindowMs = 3000;
    check(life.read(), known, "whole", `start ${start}`);
    for (let k = 0; k < 80; k++) {
      now += 37;
      const rows: Row[] = [];
      for (let i = 0; i < 8; i++) {
        const t = random.below(4) > 0 ? now + i : now - random.below(2800);
        const series = `${random.below(5)}`;
        if (used.has(`${series} ${t}`)) continue;
        used.add(`${series} ${t}`);
        rows.push({ i: series, t, v: random.below(1000) / 3, isHistogram: series > "2" });
      }
      life.append(rows);
      if (k % 30 === 29) {
        life.maintain();
        life.compactBlocks();
        check(life.read(), known, "whole", `start ${start}, batch ${k}`);
      }
    }
    // Ends in order, or without a word.
    if (random.below(2) === 0) life.close();
  }
});

interface Counted {
  readonly i: string;
  readonly t: number;
  readonly start: number;
  readonly isHistogram: boolean;
}

function histogram(count: number, isFloat: boolean): Histogram {
  const length = 1 + (count % 3);
  return new Histogram({
    isFloat,
    count,
    sum: count,
    positiveSpans: [{ offset: 0, length }],
    positiveBuckets: new Float64Array(length).fill(count / length),
  });
}

/** Commits a batch in which every sample has its start time. */
function append(life: Life, rows: readonly Counted[]): void {
  const { appender } = life.db;
  const floats = rows.filter(({ isHistogram }) => !isHistogram);
  const outcomes = new Uint8Array(floats.length);
  appender.append(
    Uint32Array.from(floats, ({ i }) => appender.series(Labels.of({ i }))),
    Float64Array.from(floats, ({ t }) => t),
    Float64Array.from(floats, ({ t }) => t % 1000),
    floats.length,
    outcomes,
    Float64Array.from(floats, ({ start }) => start),
  );
  expect([...outcomes]).toEqual(floats.map(() => 0));
  for (const { i, t, start, isHistogram } of rows) {
    if (!isHistogram) continue;
    const ref = appender.series(Labels.of({ i }));
    expect(appender.appendHistogram(ref, t, histogram(3 * (t % 1000), i === "3"), start)).toBe(0);
  }
  appender.commit();
}

/** All that there is: series, time, start time. */
function readStarts(life: Life): string[] {
  const cache = new PageCache(1 << 20);
  const store = new HeadChunkReader({ fs: life.env.fs, cache }, `${dir}/chunks_head`);
  const head = new HeadReader(HeadMemory.attach(life.db.head.handle), store, 3).querier(-Infinity, Infinity);
  life.blocks.reload();
  const querier = mergeQueriers([...life.blocks.queriers(-Infinity, Infinity), head]);
  const found: string[] = [];
  const every = [new Matcher("=~", "i", ".+")];
  for (const series of querier.select(noContext, every, -Infinity, Infinity, selectHints, true)) {
    const out = new SampleColumns(4, true);
    series.read(out, -Infinity, Infinity);
    for (let k = 0; k < out.n; k++) found.push(`${series.labels.get("i")} ${out.t[k]} ${out.starts?.[k]}`);
  }
  querier.close();
  return found.sort();
}

const linesOf = (rows: readonly Counted[], startOf: (row: Counted) => number) =>
  rows.map((row) => `${row.i} ${row.t} ${startOf(row)}`).sort();

/** Series 0 and 1 are floats, 2 integer histograms, 3 float histograms. */
function batch(random: SeededRandom, now: number, late: boolean): Counted[] {
  return ["0", "1", "2", "3"].map((i, k) => {
    const t = late && k % 2 === 0 ? now - 501 : now;
    const start = random.pick([0, t0 - 5000, t0 - 5000, t - 10]);
    return { i, t, start: random.chance(0.02) ? 2 ** 60 : start, isHistogram: k > 1 };
  });
}

/** Without sense so far from the epoch: taken for none. */
const kept = ({ start }: Counted) => (start === 2 ** 60 ? 0 : start);

test(`start times are kept all the way (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  const disk = new MemFs();
  const rows: Counted[] = [];
  let now = t0;
  for (let start = 0; start < 4; start++) {
    const life = new Life(disk, random, new Knowledge(), on);
    life.db.outOfOrderWindowMs = 3000;
    for (let k = 0; k < 60; k++) {
      const more = batch(random, (now += 50), k % 7 === 6);
      append(life, more);
      rows.push(...more);
      if (k % 20 === 19) {
        life.maintain();
        life.compactBlocks();
        expect(readStarts(life)).toEqual(linesOf(rows, kept));
      }
    }
    expect(life.db.head.stats.lateAppended).toBeGreaterThan(0);
    expect(life.blocks.blocks.length).toBeGreaterThan(1);
    if (start % 2 === 0) life.close();
  }
  // Blocks have chunks of the encodings that were asked for.
  const life = new Life(disk, random, new Knowledge(), on);
  life.db.outOfOrderWindowMs = 3000;
  expect(readStarts(life)).toEqual(linesOf(rows, kept));
  const found = new Set<number>();
  for (const block of life.blocks.blocks) {
    const readers = block.readThrough();
    for (const ref of readers.index.postings("", "")) {
      const { chunks = [] } = readers.index.series(ref, -Infinity, Infinity) ?? {};
      for (let k = 0; k < chunks.length; k += 3)
        found.add(readers.chunks.storedChunk(chunks[k + 2], chunks[k], chunks[k + 1]).encoding);
    }
  }
  expect([...found].sort()).toEqual([Encoding.xor2, Encoding.histogramST, Encoding.floatHistogramST]);
});

test("without the switch they are dropped; a log that has them is read", () => {
  const disk = new MemFs();
  const random = new SeededRandom(1);
  const rows: Counted[] = [];
  let now = t0;
  const run = (options: Partial<DbOptions>, startOf: (row: Counted) => number) => {
    const life = new Life(disk, random, new Knowledge(), options);
    for (let k = 0; k < 5; k++) {
      const more = batch(random, (now += 10), false);
      append(life, more);
      rows.push(...more);
    }
    // Series 0 and 1 have chunks in files by now, of whichever start wrote them.
    expect(readStarts(life).length).toBe(rows.length);
    expect(linesOf(rows.slice(-8), startOf).every((line) => readStarts(life).includes(line))).toBe(true);
    life.close();
  };
  run(on, kept);
  run({}, () => 0);
  run({ encodings: xor2, keepsStarts: true }, (row) => (row.isHistogram ? 0 : kept(row)));
});

describe.each(switches.slice(0, 2))("head snapshots, $encodings.histogramStarts", (options) => {
  test("a start from one gives the head of a full replay", () => {
    const random = new SeededRandom(7);
    const disk = new MemFs();
    let t = startTime;
    for (let start = 0; start < 4; start++) {
      const world = new SnapshotWorld(disk, options, start);
      for (let k = 0; k < 40; k++) {
        world.append(["a", "b", "c"].map((i) => ({ i, t: (t += 13), v: random.below(4) / 3 })));
      }
      world.maintain();
      expect(world.snapshot()).toBe(true);
      world.append([{ i: "a", t: (t += 13), v: 1 }]);
      const { samples, series, chunks, stale } = world.read();
      const before = { samples, series, chunks, stale };
      const whole = new SnapshotWorld(disk.clone(), { ...options, verifyOnStart: true });
      expect(whole.read()).toMatchObject(before);
      const quick = new SnapshotWorld(disk.clone(), options);
      expect(quick.db.snapshotSeries).toBe(3);
      expect(quick.read()).toMatchObject(before);
      // With the switch off again, or on only now, the answers are the same.
      expect(new SnapshotWorld(disk.clone()).read().samples).toEqual(samples);
    }
  });
});

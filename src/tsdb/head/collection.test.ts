// Dropping old chunks and series: what is left, what is counted, and that memory does not grow with churn.
import { describe, expect, test } from "vitest";
import { append, dumpAll, noContext, type Row, testHead } from "../../../test/head/fixture.ts";
import { NarthexError } from "../../base/errors.ts";
import { Root } from "../../kernels/head-layout.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { Collection } from "./collection.ts";
import { seriesRecord } from "./memory.ts";
import { selectedRecord } from "./series-table.ts";

const t0 = 1_700_000_000_000;
const every = [new Matcher("=~", "i", ".*")];
const rangeMs = 100_000;

function rows(t: number, ids: readonly number[]): Row[] {
  return ids.map((i) => [{ i: `${i}`, third: `${i % 3}`, job: "x" }, t, i]);
}
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test("what ended before the time is gone, with its labels; the rest is as before", () => {
  const { appender, head, reader } = testHead({ chunkRangeMs: rangeMs, samplesPerChunk: 8 }, { pages: 512 });
  append(appender, rows(t0, ids(0, 90)));
  for (let k = 1; k < 40; k++) append(appender, rows(t0 + k * 10_000, [...ids(0, 30), 31]));
  append(appender, rows(t0 + 390_000, [90, 91]));
  const before = dumpAll(reader, every);
  const { chunks } = head.stats;
  const collection = Collection.truncation(head, t0 + 300_000);
  collection.runToEnd();
  expect(collection.seriesRemoved).toBe(59);
  expect(head.stats).toMatchObject({ series: 33, seriesRemoved: 59, truncations: 1 });
  expect(head.stats.chunks).toBe(chunks - collection.chunksRemoved);
  expect(head.series.index.count).toBe(33);
  const after = dumpAll(reader, every);
  const want = Object.entries(before)
    .map(([labels, samples]) => [
      labels,
      samples.filter((sample) => Number(sample.split(":")[0]) >= head.minTime),
    ])
    .filter(([, samples]) => samples.length > 0);
  expect(after).toEqual(Object.fromEntries(want));
  const querier = reader.querier(0, t0 * 2);
  expect(querier.labelValues(noContext, "i", [], 0)).toHaveLength(33);
  expect(querier.labelValues(noContext, "third", [], 0)).toEqual(["0", "1", "2"]);
  expect(querier.labelNames(noContext, [], 0)).toEqual(["i", "job", "third"]);
  querier.close();
  // Labels may come back, as another series.
  expect(appender.findByLabelBytes(new Uint8Array(0), 0, 0)).toBe(0);
  const back = appender.series(Labels.of({ i: "50", third: "2", job: "x" }));
  expect(back).toBe(93);
  expect(appender.isLive(51)).toBe(false);
  // A reader that had selected it finds that out, and says so.
  const { words } = head.memory;
  const notFound = words[Root.seriesNotFound];
  expect([selectedRecord(words, 51), selectedRecord(words, back)]).toEqual([0, seriesRecord(words, back)]);
  expect(words[Root.seriesNotFound]).toBe(notFound + 1);
});

test.each([
  ["the time asked for, where chunks reach over it", t0 + 255_000, 8, t0 + 255_000],
  ["the oldest chunk, where it begins later", t0 + 205_000, 1000, t0 + 300_000],
  ["at most what still takes samples", t0 + 395_000, 1000, t0 + 395_000],
])("the head then begins at %s", (_, mint, samplesPerChunk, want) => {
  const { appender, head } = testHead({ chunkRangeMs: rangeMs, samplesPerChunk }, { pages: 256 });
  const end = samplesPerChunk === 8 ? 40 : 20;
  for (let k = 0; k < end; k++) append(appender, rows(t0 + k * 10_000, [1]));
  if (samplesPerChunk !== 8) for (let k = 30; k < 44; k++) append(appender, rows(t0 + k * 10_000, [2]));
  Collection.truncation(head, mint).runToEnd();
  expect(head.minTime).toBe(Math.max(mint, Math.min(want, head.appendableMinValidTime())));
  expect(head.minValidTime).toBe(head.minTime);
});

test("a head without samples only learns what is not to come", () => {
  const { appender, head } = testHead({}, { pages: 256 });
  Collection.truncation(head, t0).runToEnd();
  expect(head).toMatchObject({ minTime: t0, maxTime: t0, minValidTime: t0 });
  expect(append(appender, rows(t0 - 1, [1]))).toEqual([4]);
  expect(append(appender, rows(t0, [1]))).toEqual([0]);
});

test("an earlier time than the head's does nothing", () => {
  const { appender, head, memory } = testHead({}, { pages: 256 });
  append(appender, rows(t0, [1]));
  const collection = Collection.truncation(head, t0);
  expect(collection.step(() => false)).toBe("done");
  expect(head.stats.truncations).toBe(0);
  expect(memory.words[Root.lastRef]).toBe(1);
});

test("WAL refs of removed series are kept for checkpoints as long as the log may hold their samples", () => {
  const { appender, head } = testHead(
    { chunkRangeMs: rangeMs, samplesPerChunk: 4, nextWalRef: 1000 },
    { pages: 256 },
  );
  append(appender, rows(t0, [1]));
  for (let k = 0; k < 40; k++) append(appender, rows(t0 + k * 10_000, [2]));
  Collection.truncation(head, t0 + 300_000).runToEnd();
  const oldest = head.walExpiries.get(1000) as number;
  expect(oldest).toBeLessThanOrEqual(t0 + 300_000);
  expect(oldest).toBeGreaterThan(t0 + 250_000);
  const keeps = head.checkpointKeeps(oldest);
  expect([keeps(1000), keeps(1001), keeps(1002)]).toEqual([true, true, false]);
  expect(head.checkpointKeeps(oldest + 1)(1000)).toBe(false);
  head.checkpointWritten(oldest + 1);
  expect(head.walExpiries.size).toBe(0);
});

test("metadata goes with the series; the stale gauge too", () => {
  const { appender, head } = testHead({ chunkRangeMs: rangeMs }, { pages: 256 });
  appender.setMetadata(appender.series(Labels.of({ i: "1", third: "1", job: "x" })), {
    type: "gauge",
    unit: "",
    help: "",
  });
  append(appender, rows(t0, [1]));
  append(appender, [[{ i: "1", third: "1", job: "x" }, t0 + 1, 0x7ff0000000000002n]]);
  expect(head.stats.staleSeries).toBe(1);
  append(appender, rows(t0 + 400_000, [2]));
  Collection.truncation(head, t0 + 300_000).runToEnd();
  expect(head.metadata.size).toBe(0);
  expect(head.stats.staleSeries).toBe(0);
});

describe("churn", () => {
  test("memory stays flat, pair ids are used again, and slices are short", () => {
    const { appender, head, reader } = testHead(
      { chunkRangeMs: rangeMs, samplesPerChunk: 20 },
      { pages: 1024 },
    );
    let taken = 0;
    let steps = 0;
    for (let round = 0; round < 24; round++) {
      const t = t0 + round * 150_000;
      const of = (i: number) => ({ pod: `pod-${round}-${i}`, node: `n${i % 10}`, job: "x" });
      for (let k = 0; k < 4; k++) {
        append(
          appender,
          ids(0, 300).map((i): Row => [of(i), t + k * 10_000, i]),
        );
      }
      const collection = Collection.truncation(head, t - 100_000);
      while (collection.step(() => true) !== "done") {
        steps++;
        append(appender, [[of(steps % 300), t + 40_000 + (steps % 1000) * 10, 1]]);
      }
      if (round === 11) taken = head.arena.bytesTaken;
    }
    expect(head.stats.series).toBeLessThan(700);
    expect(head.stats.seriesRemoved).toBeGreaterThan(6000);
    expect(head.series.pairs.lastId).toBeLessThan(2000);
    expect(head.arena.bytesTaken).toBeLessThan(taken * 1.25);
    expect(steps).toBeGreaterThan(1000);
    const querier = reader.querier(0, t0 * 2);
    expect(querier.labelValues(noContext, "node", [], 0)).toHaveLength(10);
    expect(querier.labelValues(noContext, "pod", [], 0)).toHaveLength(head.stats.series);
    querier.close();
  });
});

test("the WAL refs of removed series are kept for the checkpoint, also where their whole page went", () => {
  const { appender, head, memory } = testHead({ chunkRangeMs: rangeMs }, { pages: 512 });
  append(appender, rows(t0, ids(0, 1100)));
  append(appender, rows(t0 + 390_000, [1099]));
  Collection.truncation(head, t0 + 300_000).runToEnd();
  expect(seriesRecord(memory.words, 1)).toBe(0);
  expect([...head.walExpiries.keys()]).toEqual(ids(1, 1100));
  expect(new Set(head.walExpiries.values())).toEqual(new Set([t0 + 390_000]));
});

test("a memory that is full at any point stops a collection, which then goes on where it was", () => {
  const collect = (failAt: number) => {
    const { appender, head, reader } = testHead(
      { chunkRangeMs: rangeMs, samplesPerChunk: 4 },
      { pages: 256 },
    );
    append(appender, rows(t0, ids(0, 40)));
    for (let k = 1; k < 40; k++) append(appender, rows(t0 + k * 10_000, [1, 2, 3]));
    const { arena } = head;
    const alloc = arena.alloc.bind(arena);
    let calls = 0;
    let failures = 0;
    arena.alloc = (count, purpose) => {
      if (++calls === failAt) throw new NarthexError("STORAGE", "the memory of the head is full");
      return alloc(count, purpose);
    };
    const collection = Collection.truncation(head, t0 + 300_000);
    for (let state = "working"; state !== "done"; ) {
      try {
        state = collection.step(() => false);
      } catch {
        failures++;
        append(appender, rows(t0 + 391_000, [50]));
      }
    }
    arena.alloc = alloc;
    append(appender, rows(t0 + 391_000, [50]));
    append(appender, rows(t0 + 392_000, [1, 39]));
    const querier = reader.querier(0, Infinity);
    const values = querier.labelValues(noContext, "i", [], 0);
    querier.close();
    const { stats, walExpiries, series } = head;
    const { series: count, seriesRemoved, chunks } = stats;
    const state = { count, seriesRemoved, chunks, pairs: series.pairs.count };
    return {
      failures,
      shown: { ...state, values, walRefs: [...walExpiries.keys()], all: dumpAll(reader, every) },
    };
  };
  const want = collect(0).shown;
  let failAt = 1;
  for (; ; failAt++) {
    const { failures, shown } = collect(failAt);
    if (failures === 0) break;
    expect(shown, `failure ${failAt}`).toEqual(want);
  }
  expect(failAt).toBeGreaterThan(5);
});

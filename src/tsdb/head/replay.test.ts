// From chunk files and log to a head again: what was committed is there, and Prometheus's rules for what a log repeats.
import { describe, expect, test } from "vitest";
import {
  append,
  bitsOf,
  dumpAll,
  MemoryChunks,
  MemoryLog,
  type Row,
  stage,
  type TestHead,
  testHead,
} from "../../../test/head/fixture.ts";
import { dumpBothNow, histogram } from "../../../test/head/histograms.ts";
import { Encoding } from "../../chunkenc/encoding.ts";
import { XorAppender } from "../../chunkenc/xor.ts";
import { staleHistogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { HeadAppender } from "./appender.ts";
import { Head } from "./head.ts";
import { HeadReader } from "./head-reader.ts";
import { HeadMemory } from "./memory.ts";
import { HeadReplay } from "./replay.ts";
import { ReplayChunks } from "./replay-chunks.ts";

const t0 = 1_700_000_000_000;
const every = [new Matcher("=~", "a", ".+")];

interface Replayed {
  readonly head: Head;
  readonly reader: HeadReader;
  readonly replay: HeadReplay;
  readonly chunks: MemoryChunks;
}

function begin(
  minValidTime = -Infinity,
  chunks = new MemoryChunks(),
  index = new ReplayChunks(minValidTime),
): Replayed {
  const memory = HeadMemory.create({ pages: 512, poison: true });
  const head = new Head(memory, chunks, { samplesPerChunk: 20, exemplarsMax: 10 });
  const replay = new HeadReplay(head, minValidTime, index);
  return { head, replay, chunks, reader: new HeadReader(HeadMemory.attach(memory.handle), chunks) };
}

function samples(
  replay: HeadReplay,
  rows: readonly (readonly [walRef: number, t: number, value: number])[],
): void {
  const walRefs = Float64Array.from(rows, ([walRef]) => walRef);
  const times = Float64Array.from(rows, ([, t]) => t);
  replay.samples(
    walRefs,
    times,
    Float64Array.from(rows, ([, , value]) => value),
    rows.length,
  );
}

const shown = (rows: readonly (readonly [t: number, value: number])[]) =>
  rows.map(([t, value]) => `${t}:${bitsOf(Float64Array.of(value))[0].toString(16)}`);

/** A chunk in the files, as chunks_head would have it. */
function storeChunk(chunks: MemoryChunks, walRef: number, rows: readonly (readonly [number, number])[]) {
  const appender = new XorAppender();
  rows.forEach(([t, value]) => {
    appender.append(t, Float64Array.of(value), 0);
  });
  const mint = rows[0][0];
  const maxt = rows[rows.length - 1][0];
  const ref = chunks.append(walRef, mint, maxt, Encoding.xor, appender.bytes());
  chunks.flush();
  return { ref, mint, maxt, samples: rows.length, encoding: Encoding.xor as number };
}

test("the same with histograms and with series that change their kind", () => {
  const written = testHead({ chunkRangeMs: 300_000 }, { pages: 512 });
  const reference = testHead({ chunkRangeMs: 300_000 }, { pages: 512 });
  const records: { floats: number; histograms: number }[] = [];
  const fill = (head: TestHead, k: number) => {
    for (let i = 0; i < 5; i++) {
      const labels = { a: `${i}` };
      const t = t0 + k * 15_000;
      if ((k + i) % 11 === 0) stage(head.appender, [[labels, t, k % 2 === 0 ? 0x7ff0000000000002n : k]]);
      else {
        const shape = { isFloat: i === 1, gauge: i === 2, bounds: i === 3 ? [1, 2, 3] : undefined };
        const one = histogram({ [k % 3]: k + 1, 1: 2 * k }, shape);
        head.appender.appendHistogram(head.appender.series(Labels.of(labels)), t, one);
      }
    }
    head.appender.commit();
  };
  for (let k = 0; k < 120; k++) {
    fill(written, k);
    fill(reference, k);
    records.push({ floats: written.log.samples.length, histograms: written.log.histograms.length });
  }
  const index = new ReplayChunks(-Infinity);
  for (const [ref, { walRef, mint, maxt, encoding, bytes }] of written.chunks.chunks) {
    expect(index.add(walRef, { ref, mint, maxt, encoding, samples: (bytes[0] << 8) | bytes[1] })).toBe("");
  }
  const again = begin(-Infinity, written.chunks, index);
  for (const { walRef, labels } of written.log.series) again.replay.series(walRef, labels);
  let at = { floats: 0, histograms: 0 };
  for (const end of records) {
    const floats = written.log.samples.slice(at.floats, end.floats);
    again.replay.samples(
      Float64Array.from(floats, ({ walRef }) => walRef),
      Float64Array.from(floats, ({ t }) => t),
      new Float64Array(BigUint64Array.from(floats, ({ bits }) => bits).buffer),
      floats.length,
    );
    const entries = written.log.histograms.slice(at.histograms, end.histograms);
    again.replay.histograms(
      Float64Array.from(entries, ({ walRef }) => walRef),
      Float64Array.from(entries, ({ t }) => t),
      entries.map((entry) => entry.histogram),
      entries.length,
    );
    at = end;
  }
  again.replay.finish();
  expect(dumpBothNow(again.reader, t0)).toEqual(dumpBothNow(reference.reader, t0));
  const { nativeHistogramSeries, nativeHistogramBuckets, staleSeries } = reference.head.stats;
  expect(again.head.stats).toMatchObject({ nativeHistogramSeries, nativeHistogramBuckets, staleSeries });
});

test("a head written, replayed, and written on is as if nothing had happened", () => {
  const written = testHead({ samplesPerChunk: 20 }, { pages: 512 });
  const reference = testHead({ samplesPerChunk: 20 }, { pages: 512 });
  const rows = (k: number): Row[] =>
    Array.from({ length: 9 }, (_, i) => [
      { a: `${i}`, b: "x" },
      t0 + k * 15_000 - (k % 5 === i ? 20_000 : 0),
      k * i,
    ]);
  for (let k = 0; k < 100; k++) {
    append(written.appender, rows(k));
    append(reference.appender, rows(k));
  }
  const index = new ReplayChunks(-Infinity);
  for (const [ref, { walRef, mint, maxt, encoding, bytes }] of written.chunks.chunks) {
    expect(index.add(walRef, { ref, mint, maxt, encoding, samples: (bytes[0] << 8) | bytes[1] })).toBe("");
  }
  const { head, replay, reader } = begin(-Infinity, written.chunks, index);
  for (const { walRef, labels } of written.log.series) replay.series(walRef, labels);
  const { samples: logged } = written.log;
  const values = new Float64Array(BigUint64Array.from(logged, ({ bits }) => bits).buffer);
  replay.samples(
    Float64Array.from(logged, ({ walRef }) => walRef),
    Float64Array.from(logged, ({ t }) => t),
    values,
    logged.length,
  );
  replay.finish();
  expect(dumpAll(reader, every)).toEqual(dumpAll(reference.reader, every));
  expect(head.stats).toMatchObject({ series: 9, samplesAppended: 0, outOfOrder: 0 });
  expect(head).toMatchObject({ minTime: t0 - 20_000, maxTime: t0 + 99 * 15_000, nextWalRef: 10 });
  const appender = new HeadAppender(head, new MemoryLog());
  for (let k = 100; k < 160; k++) {
    expect(append(appender, rows(k))).toEqual(append(reference.appender, rows(k)));
  }
  expect(dumpAll(reader, every)).toEqual(dumpAll(reference.reader, every));
});

describe("rules", () => {
  const a = Labels.of({ a: "1" });

  test("samples that chunk files already have are skipped", () => {
    const chunks = new MemoryChunks();
    const index = new ReplayChunks(-Infinity);
    const rows = [
      [t0, 1],
      [t0 + 1, 2],
      [t0 + 2, 3],
    ] as const;
    index.add(7, storeChunk(chunks, 7, rows));
    const { replay, reader, head } = begin(-Infinity, chunks, index);
    replay.series(7, a);
    samples(replay, [
      [7, t0, 9],
      [7, t0 + 2, 9],
      [7, t0 + 3, 4],
    ]);
    replay.finish();
    expect(dumpAll(reader, every)).toEqual({ '{a="1"}': shown([...rows, [t0 + 3, 4]]) });
    expect(head.stats.chunks).toBe(2);
    const appender = new HeadAppender(head, new MemoryLog());
    expect(append(appender, [[{ a: "1" }, t0 + 3, 4]])).toEqual([1]);
  });

  test("with chunks in files only, an old sample is accepted and then dropped, as Prometheus does", () => {
    const chunks = new MemoryChunks();
    const index = new ReplayChunks(-Infinity);
    index.add(
      7,
      storeChunk(chunks, 7, [
        [t0, 1],
        [t0 + 10, 2],
      ]),
    );
    const { replay, reader, head } = begin(-Infinity, chunks, index);
    replay.series(7, a);
    replay.finish();
    const appender = new HeadAppender(head, new MemoryLog());
    expect(append(appender, [[{ a: "1" }, t0 + 5, 3]])).toEqual([0]);
    expect(append(appender, [[{ a: "1" }, t0 + 11, 4]])).toEqual([0]);
    expect(dumpAll(reader, every)).toEqual({
      '{a="1"}': shown([
        [t0, 1],
        [t0 + 10, 2],
        [t0 + 11, 4],
      ]),
    });
  });

  test("what is before the newest block's end is left out", () => {
    const chunks = new MemoryChunks();
    const index = new ReplayChunks(t0);
    expect(
      index.add(
        1,
        storeChunk(chunks, 1, [
          [t0 - 9, 1],
          [t0 - 5, 1],
        ]),
      ),
    ).toBe("");
    expect(
      index.add(
        1,
        storeChunk(chunks, 1, [
          [t0 - 4, 1],
          [t0 + 5, 2],
        ]),
      ),
    ).toBe("");
    const { replay, reader, head } = begin(t0, chunks, index);
    replay.series(1, a);
    replay.series(2, Labels.of({ a: "old" }));
    samples(replay, [
      [2, t0 - 1, 1],
      [1, t0 + 6, 3],
    ]);
    replay.finish();
    expect(head.minTime).toBe(t0);
    expect(dumpAll(reader, every)).toEqual({
      '{a="1"}': shown([
        [t0 + 5, 2],
        [t0 + 6, 3],
      ]),
    });
    expect(head.stats).toMatchObject({ series: 1, seriesRemoved: 1 });
    expect(head.checkpointKeeps(t0)(2)).toBe(false);
  });

  test("a series that comes under a second WAL ref: one series, its record kept while the log has samples under it", () => {
    const { replay, reader, head } = begin();
    replay.series(5, a);
    samples(replay, [[5, t0, 1]]);
    replay.series(9, a);
    samples(replay, [
      [9, t0 + 1, 2],
      [5, t0 + 2, 3],
      [9, t0 + 3, 4],
    ]);
    replay.finish();
    // The second record starts the series anew: what came before is in a block by then.
    expect(dumpAll(reader, every)).toEqual({
      '{a="1"}': shown([
        [t0 + 1, 2],
        [t0 + 2, 3],
        [t0 + 3, 4],
      ]),
    });
    expect(head.nextWalRef).toBe(10);
    expect(head.checkpointKeeps(t0 + 3)(9)).toBe(true);
    expect(head.checkpointKeeps(t0 + 4)(9)).toBe(false);
    expect(head.checkpointKeeps(t0 + 4)(5)).toBe(true);
  });

  test("chunks of the second WAL ref take the place of those of the first", () => {
    const chunks = new MemoryChunks();
    const index = new ReplayChunks(-Infinity);
    index.add(
      5,
      storeChunk(chunks, 5, [
        [t0, 1],
        [t0 + 1, 1],
      ]),
    );
    index.add(
      9,
      storeChunk(chunks, 9, [
        [t0 + 10, 2],
        [t0 + 11, 2],
      ]),
    );
    const { replay, reader, head } = begin(-Infinity, chunks, index);
    replay.series(5, a);
    samples(replay, [[5, t0 + 2, 1]]);
    replay.series(9, a);
    samples(replay, [[9, t0 + 12, 3]]);
    replay.finish();
    expect(dumpAll(reader, every)).toEqual({
      '{a="1"}': shown([
        [t0 + 10, 2],
        [t0 + 11, 2],
        [t0 + 12, 3],
      ]),
    });
    expect(head.stats.chunks).toBe(2);
  });

  test("a chunk that does not come after the one before it is reported", () => {
    const index = new ReplayChunks(-Infinity);
    const chunk = { ref: 1, mint: t0, maxt: t0 + 10, samples: 2, encoding: 1 };
    expect(index.add(1, chunk)).toBe("");
    expect(index.add(2, chunk)).toBe("");
    expect(index.add(1, { ...chunk, mint: t0 + 10, maxt: t0 + 20 })).toContain(
      "comes after one that ends at",
    );
    expect(index.of(1)).toEqual([chunk]);
  });

  test("records of unknown series are counted", () => {
    const { replay, head } = begin();
    samples(replay, [
      [1, t0, 1],
      [2, t0, 1],
    ]);
    replay.histograms(Float64Array.of(1), Float64Array.of(t0), [staleHistogram(false)], 1);
    replay.metadata(1, { type: "gauge", unit: "", help: "" });
    replay.exemplar({ walRef: 1, t: t0, value: 1, labels: Labels.empty });
    replay.tombstone(1, t0, t0 + 1);
    replay.finish();
    expect(replay.unknown).toEqual({ samples: 2, histograms: 1, exemplars: 1, metadata: 1, tombstones: 1 });
    expect(head.isInitialized).toBe(false);
    // The tombstone proves that the ref was given out once.
    expect(head.nextWalRef).toBe(2);
  });

  test("metadata and exemplars come back", () => {
    const { replay, head } = begin();
    replay.series(1, a);
    samples(replay, [[1, t0, 1]]);
    replay.metadata(1, { type: "gauge", unit: "s", help: "h" });
    const labels = Labels.of({ trace_id: "x" });
    replay.exemplar({ walRef: 1, t: t0, value: 1, labels });
    replay.finish();
    expect(head.metadata.get(1)).toEqual({ type: "gauge", unit: "s", help: "h" });
    expect(head.exemplars.select(t0, t0, [every])).toEqual([
      { labels: a, exemplars: [{ labels, value: 1, t: t0, hasTimestamp: true }] },
    ]);
  });

  test("tombstones hide their interval; one over all times removes the series, whose labels may come back", () => {
    const { replay, head, reader } = begin();
    replay.series(1, a);
    replay.series(2, Labels.of({ a: "2" }));
    samples(replay, [
      [1, t0, 1],
      [1, t0 + 1, 2],
      [1, t0 + 2, 3],
      [2, t0, 1],
      [2, t0 + 5, 5],
    ]);
    replay.tombstone(1, t0 + 1, t0 + 1);
    replay.tombstone(2, -(2 ** 63), 2 ** 63);
    samples(replay, [[2, t0 + 6, 6]]);
    replay.series(3, Labels.of({ a: "2" }));
    samples(replay, [[3, t0 + 7, 7]]);
    replay.finish();
    expect(dumpAll(reader, every)).toEqual({
      '{a="1"}': shown([
        [t0, 1],
        [t0 + 2, 3],
      ]),
      '{a="2"}': shown([[t0 + 7, 7]]),
    });
    expect(head.stats).toMatchObject({ series: 2, seriesRemoved: 1 });
    expect(head.checkpointKeeps(t0 + 5)(2)).toBe(true);
  });
});

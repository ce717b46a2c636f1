// What the appender accepts, logs and makes visible; rules as Prometheus's headAppender.
import { describe, expect, test } from "vitest";
import { append, bitsOf, dumpAll, type Row, stage, testHead } from "../../../test/head/fixture.ts";
import { NarthexError } from "../../base/errors.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { Outcome } from "../../storage/appender.ts";
import { LabelBytes } from "./label-bytes.ts";

const t0 = 1_700_000_000_000;
const hour = 3_600_000;
const stale = 0x7ff0000000000002n;
const every = [new Matcher("=~", "a", ".+")];
const pages = { pages: 256 };

describe("outcomes of single samples, each in a batch of its own", () => {
  test.each<[string, readonly Row[], readonly number[]]>([
    [
      "in order",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "1" }, t0 + 1, 1],
      ],
      [0, 0],
    ],
    [
      "the very same again",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "1" }, t0, 1],
      ],
      [0, Outcome.duplicate],
    ],
    [
      "another value",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "1" }, t0, 2],
      ],
      [0, Outcome.duplicateTimestamp],
    ],
    [
      "0 and -0 are different",
      [
        [{ a: "1" }, t0, 0],
        [{ a: "1" }, t0, -0],
      ],
      [0, Outcome.duplicateTimestamp],
    ],
    [
      "stale again",
      [
        [{ a: "1" }, t0, stale],
        [{ a: "1" }, t0, stale],
      ],
      [0, Outcome.duplicate],
    ],
    [
      "stale and NaN",
      [
        [{ a: "1" }, t0, stale],
        [{ a: "1" }, t0, Number.NaN],
      ],
      [0, Outcome.duplicateTimestamp],
    ],
    [
      "older",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "1" }, t0 - 1, 1],
      ],
      [0, Outcome.outOfOrder],
    ],
    [
      "older, another series",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "2" }, t0 - 1, 1],
      ],
      [0, 0],
    ],
    [
      "at the bound",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "2" }, t0 - hour, 1],
      ],
      [0, 0],
    ],
    [
      "before the bound",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "2" }, t0 - hour - 1, 1],
      ],
      [0, Outcome.outOfBounds],
    ],
    [
      "before the bound comes first",
      [
        [{ a: "1" }, t0, 1],
        [{ a: "1" }, t0 - hour - 1, 1],
      ],
      [0, Outcome.outOfBounds],
    ],
    [
      "times below zero",
      [
        [{ a: "1" }, -5, 1],
        [{ a: "1" }, -4, 1],
        [{ a: "1" }, 3, 1],
      ],
      [0, 0, 0],
    ],
  ])("%s", (_, rows, want) => {
    const { appender } = testHead({}, pages);
    expect(rows.map((row) => append(appender, [row])[0])).toEqual(want);
  });
});

test("within one batch the first of what contradicts itself wins, silently", () => {
  const { appender, reader, head, log } = testHead({}, pages);
  const rows: Row[] = [
    [{ a: "1" }, t0, 1],
    [{ a: "1" }, t0, 2],
    [{ a: "1" }, t0 - 1, 3],
    [{ a: "1" }, t0 + 1, 4],
    [{ a: "1" }, t0 + 1, 4],
  ];
  expect(append(appender, rows)).toEqual([0, 0, 0, 0, 0]);
  expect(Object.values(dumpAll(reader, every))).toEqual([
    [`${t0}:3ff0000000000000`, `${t0 + 1}:4010000000000000`],
  ]);
  expect(log.samples).toHaveLength(5);
  expect(head.stats).toMatchObject({
    samplesAppended: 2,
    outOfOrder: 1,
    series: 1,
    seriesCreated: 1,
    chunks: 1,
  });
});

test("a batch is judged by the bounds at its begin", () => {
  const { appender, head } = testHead({}, pages);
  append(appender, [[{ a: "1" }, t0, 1]]);
  const outcomes = stage(appender, [
    [{ a: "1" }, t0 + 10 * hour, 1],
    [{ a: "2" }, t0, 1],
  ]);
  expect(outcomes).toEqual([0, 0]);
  appender.commit();
  expect(head.stats).toMatchObject({ samplesAppended: 3, outOfBounds: 0 });
  expect(append(appender, [[{ a: "2" }, t0 + 1, 1]])).toEqual([Outcome.outOfBounds]);
  expect(head.stats.outOfBounds).toBe(1);
});

test("the log gets series, metadata, samples and exemplars, once", () => {
  const { appender, log, head } = testHead({ exemplarsMax: 10, nextWalRef: 2 ** 40 }, pages);
  const ref = appender.series(Labels.of({ a: "1" }));
  appender.setMetadata(ref, { type: "counter", unit: "seconds", help: "Text." });
  const exemplar = { labels: Labels.of({ trace_id: "abc" }), value: 0.5, t: t0, hasTimestamp: true };
  expect(appender.appendExemplar(ref, exemplar)).toBe(Outcome.ok);
  append(appender, [[{ a: "1" }, t0, stale]]);
  expect(log.series).toEqual([{ walRef: 2 ** 40, labels: Labels.of({ a: "1" }) }]);
  expect(log.samples).toEqual([{ walRef: 2 ** 40, t: t0, bits: stale }]);
  expect(log.metadata).toEqual([
    { walRef: 2 ** 40, metadata: { type: "counter", unit: "seconds", help: "Text." } },
  ]);
  expect(log.exemplars).toEqual([{ walRef: 2 ** 40, t: t0, value: 0.5, labels: exemplar.labels }]);
  appender.setMetadata(ref, { type: "counter", unit: "seconds", help: "Text." });
  expect(appender.appendExemplar(ref, exemplar)).toBe(Outcome.duplicate);
  append(appender, [[{ a: "1" }, t0 + 1, 1]]);
  expect(log.series).toHaveLength(1);
  expect(log.metadata).toHaveLength(1);
  expect(log.exemplars).toHaveLength(1);
  expect(head.exemplars.select(0, t0, [every])).toEqual([
    { labels: Labels.of({ a: "1" }), exemplars: [exemplar] },
  ]);
  expect(head.stats.staleSeries).toBe(0);
});

test("when the log fails nothing is visible, and the series are logged with the next batch", () => {
  const { appender, log, reader, head } = testHead({ exemplarsMax: 10 }, pages);
  log.failing = true;
  stage(appender, [[{ a: "1" }, t0, 1]]);
  expect(() => appender.commit()).toThrow(NarthexError);
  expect(dumpAll(reader, every)).toEqual({});
  expect(appender.isStaged).toBe(false);
  log.failing = false;
  log.series.length = log.samples.length = 0;
  append(appender, [[{ a: "1" }, t0 + 1, 2]]);
  expect(log.series.map(({ labels }) => labels.toString())).toEqual(['{a="1"}']);
  expect(dumpAll(reader, every)).toEqual({ '{a="1"}': [`${t0 + 1}:4000000000000000`] });
  expect(head.stats).toMatchObject({ commits: 1, rollbacks: 1 });
});

test("after a rollback nothing is visible and the refs stay good", () => {
  const { appender, reader, log } = testHead({}, pages);
  stage(appender, [[{ a: "1" }, t0, 1]]);
  appender.rollback();
  appender.commit();
  expect(dumpAll(reader, every)).toEqual({});
  expect(log.samples).toEqual([]);
  expect(appender.isLive(1)).toBe(true);
  expect(append(appender, [[{ a: "1" }, t0, 1]])).toEqual([0]);
  expect(Object.keys(dumpAll(reader, every))).toEqual(['{a="1"}']);
});

test("a ref that is no series", () => {
  const { appender } = testHead({}, pages);
  append(appender, [[{ a: "1" }, t0, 1]]);
  for (const ref of [0, 2, 4_000_000_000]) {
    expect(appender.isLive(ref)).toBe(false);
    const call = () =>
      appender.append(
        Uint32Array.of(1, ref),
        Float64Array.of(t0 + 1, t0),
        new Float64Array(2),
        2,
        new Uint8Array(2),
      );
    expect(call, `${ref}`).toThrow(`ref ${ref}, which is no series`);
    expect(appender.isStaged).toBe(false);
  }
});

describe("series by label bytes", () => {
  const bytesOf = (...pairs: [string, string][]) => {
    const labelBytes = new LabelBytes();
    for (const [name, value] of pairs) labelBytes.add(name, value);
    return labelBytes.bytes.slice(0, labelBytes.length);
  };
  const long = "v".repeat(70_000);

  test.each<[string, [string, string][]]>([
    ["one label", [["a", "1"]]],
    ["many", Array.from({ length: 40 }, (_, i) => [`l${100 + i}`, `${i}`] as [string, string])],
    [
      "as many as there is room for in the record",
      Array.from({ length: 12 }, (_, i) => [`l${100 + i}`, `${i}`]),
    ],
    ["one more", Array.from({ length: 13 }, (_, i) => [`l${100 + i}`, `${i}`])],
    [
      "long ones",
      [
        ["__name__", long],
        ["a", "x".repeat(127)],
        ["b", "x".repeat(128)],
      ],
    ],
    [
      "UTF-8",
      [
        ["sträng", "\u{1F600}"],
        ["\ufb01", "ü"],
      ],
    ],
  ])("%s", (_, pairs) => {
    const { appender } = testHead({}, pages);
    const bytes = new Uint8Array([1, 2, 3, ...bytesOf(...pairs), 9]);
    const end = bytes.length - 1;
    expect(appender.findByLabelBytes(bytes, 3, end)).toBe(0);
    expect(appender.seriesByLabelBytes(bytes, 3, end)).toBe(1);
    expect(appender.findByLabelBytes(bytes, 3, end)).toBe(1);
    expect(appender.series(new Labels(pairs.flat()))).toBe(1);
    expect(appender.labels(1)).toEqual(new Labels(pairs.flat()));
    expect(appender.findByLabelBytes(bytes, 3, end - 1)).toBe(0);
    expect(appender.findByLabelBytes(bytes, 3, end + 1)).toBe(0);
  });

  test.each<[string, number[]]>([
    ["nothing", []],
    ["names out of order", [...bytesOf(["b", "1"]), ...bytesOf(["a", "1"])]],
    ["a name twice", [...bytesOf(["a", "1"]), ...bytesOf(["a", "2"])]],
    ["an empty value", [0x0a, 5, 0x0a, 1, 0x61, 0x12, 0]],
    ["no value", [0x0a, 3, 0x0a, 1, 0x61]],
    ["an empty name", [0x0a, 5, 0x0a, 0, 0x12, 1, 0x31]],
    ["value before name", [0x0a, 6, 0x12, 1, 0x31, 0x0a, 1, 0x61]],
    ["a padded length", [0x0a, 0x86, 0, 0x0a, 1, 0x61, 0x12, 1, 0x31]],
    ["a length beyond the end", [0x0a, 7, 0x0a, 1, 0x61, 0x12, 1, 0x31]],
    ["an inner length beyond the end", [0x0a, 6, 0x0a, 1, 0x61, 0x12, 2, 0x31]],
    ["something behind the value", [0x0a, 7, 0x0a, 1, 0x61, 0x12, 1, 0x31, 0]],
    ["another field", [0x12, 6, 0x0a, 1, 0x61, 0x12, 1, 0x31]],
    ["a huge length", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x0a, 1]],
  ])("refused: %s", (_, bytes) => {
    const { appender, head } = testHead({}, pages);
    expect(appender.seriesByLabelBytes(Uint8Array.from(bytes), 0, bytes.length)).toBe(0);
    expect(head.stats.series).toBe(0);
  });

  test("too many labels", () => {
    const { appender } = testHead({}, pages);
    const labels = Labels.of(Object.fromEntries(Array.from({ length: 2048 }, (_, i) => [`l${i}`, "v"])));
    expect(() => appender.series(labels)).toThrow("2048 labels");
    expect(appender.series(labels.drop(new Set(["l0"])))).toBe(1);
    expect(appender.labels(1).size).toBe(2047);
  });
});

test("full chunks stay readable while their file cannot be written, and go to it later", () => {
  const { appender, reader, chunks, head } = testHead({ samplesPerChunk: 4, chunkRangeMs: 10 * hour }, pages);
  chunks.failing = true;
  for (let i = 0; i < 50; i++) append(appender, [[{ a: "1" }, t0 + i * 1000, i]]);
  expect(chunks.chunks.size).toBe(0);
  expect(head.cuts.waiting).toBeGreaterThan(4);
  expect(head.cuts.error).toBeInstanceOf(Error);
  expect(head.stats.chunkWriteErrors).toBeGreaterThan(10);
  const want = Array.from(
    { length: 50 },
    (_, i) => `${t0 + i * 1000}:${bitsOf(Float64Array.of(i))[0].toString(16)}`,
  );
  expect(dumpAll(reader, every)).toEqual({ '{a="1"}': want });
  chunks.failing = false;
  append(appender, []);
  expect(head.cuts.waiting).toBe(0);
  expect(head.cuts.error).toBeUndefined();
  expect(chunks.chunks.size).toBeGreaterThan(4);
  expect(dumpAll(reader, every)).toEqual({ '{a="1"}': want });
  // The open chunk is all that is left in memory.
  expect(head.bytesInUse(1)).toBeLessThan(200);
});

import { expect, test } from "vitest";
import { IngestFixture } from "../../test/scrape/ingest-fixture.ts";
import { delimited, exemplar, type Field, family, message } from "../../test/scrape/protobuf-page.ts";
import type { Histogram } from "../model/histogram.ts";
import { schemaOfFactor } from "./bucket-factor.ts";

const protobuf =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const native = { native: true, classic: false, convert: false };
const zigzag = (value: number) => (value >= 0 ? 2 * value : -2 * value - 1);
const span = (offset: number, length: number) =>
  message([1, "varint", zigzag(offset)], [2, "varint", length]);
const bucket = (bound: number, count: number, ...more: readonly Field[]): Field => [
  3,
  "bytes",
  message([1, "varint", count], [2, "double", bound], ...more),
];
/** 10 observations: 1 in the zero bucket; 2, 0 and 4 from bucket -1 on; 3 in bucket 1 below zero. */
const exponential = (...more: readonly Field[]) =>
  message([
    7,
    "bytes",
    message(
      [1, "varint", 10],
      [2, "double", 12.5],
      [5, "varint", zigzag(1)],
      [6, "double", 0.001],
      [7, "varint", 1],
      [9, "bytes", span(1, 1)],
      [10, "varint", zigzag(3)],
      [12, "bytes", span(-1, 3)],
      [13, "bytes", Uint8Array.of(zigzag(2), zigzag(-2), zigzag(4))],
      ...more,
    ),
  ]);
const page = (type: number, ...metrics: readonly Uint8Array[]) => delimited(family("h", type, ...metrics));

function shown(histogram: Histogram): unknown {
  const { schema, count, zeroCount, sum, isFloat, resetHint } = histogram;
  return {
    schema,
    count,
    zeroCount,
    sum,
    isFloat,
    resetHint,
    positive: [
      histogram.positiveSpans.map((one) => [one.offset, one.length]),
      [...histogram.positiveBuckets],
    ],
    negative: [
      histogram.negativeSpans.map((one) => [one.offset, one.length]),
      [...histogram.negativeBuckets],
    ],
    bounds: [...histogram.customBounds],
  };
}

test("a native histogram is stored without its empty buckets, its exemplars with it", async () => {
  const f = new IngestFixture({ histograms: native });
  const own: Field[] = [
    [16, "bytes", exemplar("b", 2, 5, 0)],
    [16, "bytes", exemplar("a", 1, 4, 0)],
    [16, "bytes", exemplar("no time", 3)],
  ];
  expect(await f.scrape(10, page(4, exponential(...own)), protobuf)).toMatchObject({
    scraped: 1,
    postRelabel: 1,
    added: 1,
    error: "",
  });
  expect(f.appender.histograms.map(({ series, t }) => [series, t])).toEqual([
    ['h{instance="i", job="j"}', 10_000],
  ]);
  expect(shown(f.appender.histograms[0].histogram)).toEqual({
    schema: 1,
    count: 10,
    zeroCount: 1,
    sum: 12.5,
    isFloat: false,
    resetHint: 0,
    positive: [
      [
        [-1, 1],
        [1, 1],
      ],
      [2, 4],
    ],
    negative: [[[1, 1]], [3]],
    bounds: [],
  });
  expect(f.appender.exemplars.map(({ exemplar: { t, value } }) => [t, value])).toEqual([
    [4000, 1],
    [5000, 2],
  ]);
});

test("gauge and float histograms", async () => {
  const f = new IngestFixture({ histograms: native });
  const floats = message([
    7,
    "bytes",
    message(
      [4, "double", 1.5],
      [2, "double", 2],
      [5, "varint", 0],
      [12, "bytes", span(0, 2)],
      [14, "double", 0.5],
      [14, "double", 1],
    ),
  ]);
  await f.scrape(10, page(5, floats), protobuf);
  expect(shown(f.appender.histograms[0].histogram)).toMatchObject({
    count: 1.5,
    isFloat: true,
    resetHint: 3,
    positive: [[[0, 2]], [0.5, 1]],
  });
});

test("classic series beside the native histogram, or nothing but them", async () => {
  const metric = exponential(bucket(1, 4, [3, "bytes", exemplar("x", 0.5)]), bucket(2, 10));
  const both = new IngestFixture({ histograms: { ...native, classic: true } });
  expect(await both.scrape(10, page(4, metric), protobuf)).toMatchObject({ scraped: 6, added: 6 });
  const classic = [
    'h_bucket{le="+Inf"} 10@10000',
    'h_bucket{le="1.0"} 4@10000',
    'h_bucket{le="2.0"} 10@10000',
    "h_count 10@10000",
    "h_sum 12.5@10000",
  ];
  expect(both.samples()).toEqual([...classic, "h 12.5@10000"]);
  const off = new IngestFixture();
  await off.scrape(10, page(4, metric), protobuf);
  expect(off.samples()).toEqual(classic);
  expect(off.appender.histograms).toEqual([]);
});

test("limits: coarser buckets up to the limit, or a failed scrape", async () => {
  const coarse = new IngestFixture({ histograms: native, schemaMax: 0 });
  await coarse.scrape(10, page(4, exponential()), protobuf);
  // Buckets -1 and 1 of schema 1 are 0 and 1 of schema 0.
  expect(shown(coarse.appender.histograms[0].histogram)).toMatchObject({
    schema: 0,
    positive: [[[0, 2]], [2, 4]],
  });
  const limited = new IngestFixture({ histograms: native, bucketLimit: 2 });
  const fine = message([
    7,
    "bytes",
    message(
      [1, "varint", 4],
      [2, "double", 4],
      [5, "varint", zigzag(3)],
      [12, "bytes", span(1, 4)],
      [13, "bytes", Uint8Array.of(zigzag(1), 0, 0, 0)],
    ),
  ]);
  await limited.scrape(10, page(4, fine), protobuf);
  expect(shown(limited.appender.histograms[0].histogram)).toMatchObject({
    schema: 2,
    positive: [[[1, 2]], [2, 2]],
  });
  const failing = new IngestFixture({ histograms: native, bucketLimit: 1 });
  expect((await failing.scrape(10, page(4, exponential()), protobuf)).error).toBe(
    "histogram bucket limit exceeded",
  );
  expect(failing.appender.histograms).toEqual([]);
  expect(failing.ingest.stats.bucketLimitExceeded).toBe(1);
});

test("what contradicts itself fails the scrape", async () => {
  const f = new IngestFixture({ histograms: native });
  const report = await f.scrape(10, page(4, exponential([1, "varint", 99])), protobuf);
  expect(report.error).toMatch(/^10 observations found in buckets, but the Count field is 99: /);
  const spans = await f.scrape(20, page(4, exponential([12, "bytes", span(3, 1)])), protobuf);
  expect(spans.error).toMatch(/^histogram "h": positive side: spans require 4 buckets, have 3/);
  expect(f.samples()).toEqual([]);
});

test("a histogram that vanishes goes stale", async () => {
  const f = new IngestFixture({ histograms: native });
  await f.scrape(10, page(4, exponential()), protobuf);
  await f.scrape(20, delimited(family("g", 1, message([2, "bytes", message([1, "double", 1])]))), protobuf);
  expect(f.samples()).toEqual(["g 1@20000", "h 12.5@10000 stale@20000"]);
});

const text = `# TYPE h histogram
h_bucket{a="1",le="1"} 4
h_bucket{a="1",le="2.5"} 4
h_bucket{a="1",le="+Inf"} 10
h_sum{a="1"} 12.5
h_count{a="1"} 10
h_bucket{a="2",le="+Inf"} 1.5
h_count{a="2"} 1.5
h_sum{a="2"} 3
h_bucket{a="3",le="1"} 4
h_count{a="3"} 3
h_sum{a="3"} 3
# TYPE c counter
c_count 3
`;

test("classic histograms of a text become native ones with custom buckets", async () => {
  const f = new IngestFixture({ histograms: { native: false, classic: false, convert: true } });
  for (const t of [10, 20]) expect(await f.scrape(t, text)).toMatchObject({ scraped: 3, error: "" });
  expect(f.samples()).toEqual([
    "c_count 3@10000 3@20000",
    'h{a="1"} 12.5@10000 12.5@20000',
    'h{a="2"} 3@10000 3@20000',
  ]);
  expect(f.appender.histograms.slice(0, 2).map(({ histogram }) => shown(histogram))).toEqual([
    {
      schema: -53,
      count: 10,
      zeroCount: 0,
      sum: 12.5,
      isFloat: false,
      resetHint: 0,
      positive: [[[0, 3]], [4, 0, 6]],
      negative: [[], []],
      bounds: [1, 2.5],
    },
    expect.objectContaining({ isFloat: true, count: 1.5, positive: [[[0, 1]], [1.5]], bounds: [] }),
  ]);
  const kept = new IngestFixture({ histograms: { native: false, classic: true, convert: true } });
  expect(await kept.scrape(10, text)).toMatchObject({ scraped: 14, error: "" });
  expect(kept.samples().length).toBe(14);
});

test("classic histograms of a protobuf page become native ones too, native ones stay", async () => {
  const f = new IngestFixture({ histograms: { ...native, convert: true } });
  const classic = message(
    [1, "bytes", message([1, "bytes", Buffer.from("a")], [2, "bytes", Buffer.from("b")])],
    [7, "bytes", message([1, "varint", 5], [2, "double", 2], bucket(1, 3), bucket(2, 5))],
  );
  await f.scrape(10, page(4, exponential(), classic), protobuf);
  expect(f.appender.histograms.map(({ series, histogram }) => [series, histogram.schema])).toEqual([
    ['h{instance="i", job="j"}', 1],
    ['h{a="b", instance="i", job="j"}', -53],
  ]);
  expect(shown(f.appender.histograms[1].histogram)).toMatchObject({
    count: 5,
    positive: [[[0, 2]], [3, 2]],
    bounds: [1, 2],
  });
});

test("the schema of a factor", () => {
  const cases: [factor: number, schema: number][] = [
    [0, 8],
    [1, 8],
    [1.0001, 8],
    [1.1, 2],
    [1.5, 0],
    [2, 0],
    [65536, -4],
    [1e9, -4],
  ];
  for (const [factor, schema] of cases) expect(schemaOfFactor(factor), String(factor)).toBe(schema);
});

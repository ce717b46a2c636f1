import { expect, test } from "vitest";
import { delimited, exemplar, type Field, family, label, message } from "../../test/scrape/protobuf-page.ts";
import { renderEntries } from "../../test/scrape/render-entries.ts";
import { ProtobufParser } from "./protobuf-parser.ts";

const parse = (...families: readonly Uint8Array[]) =>
  renderEntries(new ProtobufParser(delimited(...families)));
const bucket = (bound: number, count: number, ...more: readonly Field[]): Field => [
  3,
  "bytes",
  message([1, "varint", count], [2, "double", bound], ...more),
];

test("gauges, counters and untyped metrics", () => {
  const gauge = family("a", 1, message(label("b", "c"), [2, "bytes", message([1, "double", 1.5])]));
  const counter = family(
    "d",
    0,
    message(
      [3, "bytes", message([1, "double", 7], [2, "bytes", exemplar("x", 2, 5, 999_999_999)])],
      [6, "varint", 1234],
    ),
  );
  const untyped = family("e", 3, message([5, "bytes", message([1, "double", -1])]));
  expect(parse(gauge, counter, untyped)).toEqual([
    'help a "Help of a."',
    "type a gauge",
    '{__name__="a",b="c"} 1.5',
    'help d "Help of d."',
    "type d counter",
    '{__name__="d"} 7 @1234 # {trace_id="x"} 2 @5999',
    'help e "Help of e."',
    "type e unknown",
    '{__name__="e"} -1',
  ]);
});

test("a summary", () => {
  const quantile = (q: number, v: number): Field => [3, "bytes", message([1, "double", q], [2, "double", v])];
  const full = message([
    4,
    "bytes",
    message([1, "varint", 9], [2, "double", 3], quantile(0.5, 1), quantile(1, 2)),
  ]);
  const without = message(label("x", "y"), [4, "bytes", message([1, "varint", 1], [2, "double", 4])]);
  expect(parse(family("s", 2, full, without))).toEqual([
    'help s "Help of s."',
    "type s summary",
    '{__name__="s_count"} 9',
    '{__name__="s_sum"} 3',
    '{__name__="s",quantile="0.5"} 1',
    '{__name__="s",quantile="1.0"} 2',
    '{__name__="s_count",x="y"} 1',
    '{__name__="s_sum",x="y"} 4',
  ]);
});

test("classic histograms: the +Inf bucket is added where it is missing", () => {
  const exemplarOfBucket: Field = [3, "bytes", exemplar("t", 0.5)];
  const open = message([
    7,
    "bytes",
    message([1, "varint", 5], [2, "double", 2], bucket(1, 3, exemplarOfBucket)),
  ]);
  const closed = message([
    7,
    "bytes",
    message(
      [4, "double", 2.5],
      [1, "varint", 9],
      bucket(10, 1, [4, "double", 0.5]),
      bucket(Number.POSITIVE_INFINITY, 2),
      bucket(7, 7),
    ),
  ]);
  expect(parse(family("h", 4, open), family("g", 5, closed))).toEqual([
    'help h "Help of h."',
    "type h histogram",
    '{__name__="h_count"} 5',
    '{__name__="h_sum"} 2',
    '{__name__="h_bucket",le="1.0"} 3 # {trace_id="t"} 0.5',
    '{__name__="h_bucket",le="+Inf"} 5',
    'help g "Help of g."',
    "type g gaugehistogram",
    '{__name__="g_count"} 2.5',
    '{__name__="g_sum"} 0',
    '{__name__="g_bucket",le="10.0"} 0.5',
    '{__name__="g_bucket",le="+Inf"} 2',
  ]);
});

test("the native parts of a histogram are stepped over", () => {
  const native = message([
    7,
    "bytes",
    message(
      [1, "varint", 4],
      [2, "double", 8],
      [5, "varint", 6],
      [6, "double", 1e-128],
      [7, "varint", 1],
      [12, "bytes", message([1, "varint", 2], [2, "varint", 2])],
      [13, "bytes", new Uint8Array([2, 2])],
      [16, "bytes", exemplar("n", 1, 1)],
    ),
  ]);
  expect(parse(family("n", 4, native)).slice(2)).toEqual([
    '{__name__="n_count"} 4',
    '{__name__="n_sum"} 8',
    '{__name__="n_bucket",le="+Inf"} 4',
  ]);
});

test("units, empty families, unknown fields, repeated fields", () => {
  const gauge = message(
    [99, "bytes", "?"],
    [2, "bytes", message([1, "double", 1])],
    [2, "bytes", message([1, "double", 2])],
  );
  const withUnit = message([1, "bytes", "u"], [3, "varint", 1], [4, "bytes", gauge], [5, "bytes", "bytes"]);
  expect(parse(message([1, "bytes", ""]), withUnit, message([1, "bytes", "empty"]))).toEqual([
    'help u ""',
    "unit u bytes",
    "type u gauge",
    '{__name__="u"} 2',
  ]);
});

test("a staleness marker passes through bit by bit", () => {
  const stale = new Uint8Array([2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);
  const value = new Uint8Array([9, ...stale]);
  expect(parse(family("a", 1, message([2, "bytes", value]))).at(-1)).toBe(
    '{__name__="a"} NaN:7ff0000000000002',
  );
});

test("keys tell series apart, and only them", () => {
  const metrics = [
    message(label("a", "b")),
    message(label("a", "b"), label("b", "")),
    message(label("__name__", "m")),
  ];
  const parser = new ProtobufParser(delimited(family("m", 1, ...metrics, metrics[0])));
  const keys: string[] = [];
  for (let entry = parser.next(); entry !== 0; entry = parser.next())
    if (entry === 5) keys.push(String(parser.seriesKey()));
  expect(new Set(keys).size).toBe(3);
  expect(keys[3]).toBe(keys[0]);
});

const broken = (...fields: readonly Field[]) => parse(family("a", 1, message(...fields))).at(-1);

test.each([
  [
    "no metric name",
    () => parse(message([3, "varint", 1], [4, "bytes", message()])),
    "invalid metric name: ",
  ],
  ["an unknown type", () => parse(family("a", 9, message())), 'unknown metric type for metric "a": 9'],
  [
    "a help that is not UTF-8",
    () => parse(message([1, "bytes", "a"], [2, "bytes", new Uint8Array([0xff])], [4, "bytes", message()])),
    'invalid help for metric "a": not UTF-8',
  ],
  ["an empty label name", () => [broken(label("", "x"))], "proto: a label's name is empty or not UTF-8"],
  [
    "a label value that is not UTF-8",
    () => [broken([1, "bytes", message([2, "bytes", new Uint8Array([0xff])])])],
    'proto: the value of label "" is not UTF-8',
  ],
  ["a wrong wire type", () => [broken([2, "varint", 1])], "proto: wrong wire type 0 for field 2"],
  [
    "a number that never ends",
    () => [broken([2, "bytes", new Uint8Array(12).fill(0x80)])],
    "proto: a number is longer than 10 bytes",
  ],
  [
    "a field that runs past its message",
    () => [broken([1, "bytes", new Uint8Array([10, 5, 65])])],
    "proto: a field of 5 bytes, 1 left",
  ],
  [
    "a group that is not closed",
    () => [broken([1, "bytes", new Uint8Array([0x1b, 0x1b])])],
    "proto: a group runs past the end",
  ],
  [
    "a page that is cut off",
    () => renderEntries(new ProtobufParser(new Uint8Array([5, 10]))),
    "proto: insufficient length of buffer",
  ],
])("%s is refused", (_, run, message) => {
  expect(run().at(-1)).toContain(`! ${message}`);
});

test("a page that is cut anywhere is refused or ends early", () => {
  const page = delimited(family("a", 1, message(label("b", "c"), [2, "bytes", message([1, "double", 1])])));
  for (let cut = 1; cut < page.length; cut++) {
    expect(renderEntries(new ProtobufParser(page.subarray(0, cut))).at(-1), `cut at ${cut}`).toMatch(
      /^! proto/,
    );
  }
});

// Since when counters count, by the page: `_created` lines of OpenMetrics, fields of protobuf.
import { expect, test } from "vitest";
import { IngestFixture } from "../../test/scrape/ingest-fixture.ts";
import { delimited, type Field, family, label, message } from "../../test/scrape/protobuf-page.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { ConvertedHistograms } from "./converted-histograms.ts";
import { Entry, type ExpositionParser } from "./events.ts";
import { OpenMetricsParser } from "./openmetrics-parser.ts";
import { ProtobufParser } from "./protobuf-parser.ts";
import { TextParser } from "./text-parser.ts";

/** Every sample: labels besides the name behind the name, start time. */
function startsOf(parser: ExpositionParser): string[] {
  const found: string[] = [];
  for (let entry = parser.next(); entry !== Entry.eof; entry = parser.next()) {
    if (entry !== Entry.series && entry !== Entry.histogram) continue;
    const labels = parser.labels();
    const start = parser.startTime();
    found.push(`${labels.filter((_, i) => i % 2 === 1).join(" ")} ${start}`);
    // Asking changes nothing.
    expect(parser.labels()).toEqual(labels);
    expect(parser.startTime()).toBe(start);
  }
  return found;
}

const openMetrics = (text: string) => new OpenMetricsParser(encodeUtf8(`${text}\n# EOF\n`), true);

const page = `# TYPE c counter
c_total 1 # {id="x"} 0.5
c_created 1000.5
c_total{a="1"} 2
c_created{a="1"} 1001
c_total{a="2"} 3
c_total{a="3"} 3
c_created{a="2"} 1002
c_created{a="3"} 1003
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 2
h_count 2
h_sum 3
h_created 2000
h_bucket{le="+Inf",b="x"} 2
h_count{b="x"} 2
h_sum{b="x"} 3
h_created{b="x"} 2001.9999
# TYPE s summary
s{quantile="0.5"} 1
s_count 2
s_sum 3
s_created 3000
# TYPE g gauge
g 1
g_created 4000
# TYPE "u t" counter
{"u t_total",z="1"} 1
{"u t_created",z="1"} 5000
# TYPE last counter
last_total 1`;

test("OpenMetrics: the next _created line, where it is of the same metric", () => {
  expect(startsOf(openMetrics(page))).toEqual([
    "c_total 1000500",
    "c_total 1 1001000",
    // As in Prometheus: the next one is another metric's.
    "c_total 2 1002000",
    "c_total 3 0",
    "h_bucket 1.0 2000000",
    "h_bucket +Inf 2000000",
    "h_count 2000000",
    "h_sum 2000000",
    "h_bucket x +Inf 2001999",
    "h_count x 2001999",
    "h_sum x 2001999",
    "s 0.5 3000000",
    "s_count 3000000",
    "s_sum 3000000",
    "g 0",
    // Of a gauge it is a series.
    "g_created 0",
    "u t_total 1 5000000",
    "last_total 0",
  ]);
});

test("OpenMetrics: what breaks off behind a sample, odd values, no type", () => {
  const broken = openMetrics("# TYPE c counter\nc_total 1\nc_total{");
  broken.next();
  broken.next();
  expect(broken.startTime()).toBe(0);
  expect(() => broken.next()).toThrow();
  expect(startsOf(openMetrics("# TYPE c counter\nc_total 1\nc_created NaN"))).toEqual(["c_total NaN"]);
  expect(startsOf(openMetrics("c_total 1\nc_created 5"))).toEqual(["c_total 0", "c_created 0"]);
  expect(startsOf(new TextParser(encodeUtf8("# TYPE c counter\nc 1\n")))).toEqual(["c 0"]);
});

test("without the wish _created lines are series", () => {
  const parser = new OpenMetricsParser(encodeUtf8("# TYPE c counter\nc_total 1\nc_created 5\n# EOF\n"));
  expect(startsOf(parser)).toEqual(["c_total 0", "c_created 0"]);
});

test("a family of many series without them is looked through once", () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `c_total{i="${i}"} 1`);
  const begunMs = performance.now();
  expect(startsOf(openMetrics(`# TYPE c counter\n${lines.join("\n")}`)).length).toBe(20_000);
  expect(performance.now() - begunMs).toBeLessThan(20_000);
});

test("converted histograms have that of their series", () => {
  const text =
    '# TYPE h histogram\nh_bucket{le="+Inf"} 2\nh_count 2\nh_sum 3\nh_created 7\n# TYPE g gauge\ng 1';
  expect(startsOf(new ConvertedHistograms(openMetrics(text), true))).toEqual([
    "h_bucket +Inf 7000",
    "h_count 7000",
    "h_sum 7000",
    "h 7000",
    "g 0",
  ]);
});

const stamp = (seconds: number, nanoseconds: number) =>
  message([1, "varint", seconds], [2, "varint", nanoseconds]);

function protobufPage(): Uint8Array {
  const counter: Field = [3, "bytes", message([1, "double", 7], [3, "bytes", stamp(10, 999_999)])];
  const plain: Field = [3, "bytes", message([1, "double", 7])];
  const summary: Field = [4, "bytes", message([1, "varint", 1], [4, "bytes", stamp(20, 5_000_000)])];
  const native: Field = [
    7,
    "bytes",
    message(
      [1, "varint", 0],
      [5, "varint", 0],
      [6, "double", 0.5],
      [7, "varint", 0],
      [15, "bytes", stamp(30, 0)],
    ),
  ];
  return delimited(
    family("c", 0, message(label("a", "1"), counter), message(plain)),
    family("s", 2, message(summary)),
    family("h", 4, message(native)),
    family("g", 1, message([2, "bytes", message([1, "double", 1.5])])),
  );
}

test("protobuf: counters, summaries, histograms", () => {
  expect(startsOf(new ProtobufParser(protobufPage()))).toEqual([
    "c 1 10000",
    "c 0",
    "s_count 20005",
    "s_sum 20005",
    "h_count 30000",
    "h_sum 30000",
    "h_bucket +Inf 30000",
    "g 0",
  ]);
});

test("a scrape hands them to the storage; _created lines are no series then", async () => {
  const om = "application/openmetrics-text; version=1.0.0";
  const text = "# TYPE c counter\nc_total 1\nc_created 0.5\n# TYPE g gauge\ng 2\n# EOF\n";
  const f = new IngestFixture({ startTimes: true });
  for (const seconds of [1, 2]) await f.scrape(seconds, text, om);
  expect(f.appender.starts.map((line) => line.replace(/\{.*\}/, ""))).toEqual([
    "c_total 1000 500",
    "c_total 2000 500",
  ]);
  expect(f.samples().some((line) => line.startsWith("c_created"))).toBe(false);
  const without = new IngestFixture();
  await without.scrape(1, text, om);
  expect(without.appender.starts).toEqual([]);
  expect(without.samples().some((line) => line.startsWith("c_created"))).toBe(true);
  const native = new IngestFixture({
    startTimes: true,
    histograms: { native: true, classic: false, convert: false },
  });
  await native.scrape(1, protobufPage(), "application/vnd.google.protobuf");
  expect(native.appender.starts.map((line) => line.replace(/\{.*\}/, ""))).toEqual([
    "c 1000 10000",
    "s_count 1000 20005",
    "s_sum 1000 20005",
    "h 1000 30000",
  ]);
});

import { describe, expect, test } from "vitest";
import { IngestFixture, target } from "../../test/scrape/ingest-fixture.ts";
import { delimited, family, label, message } from "../../test/scrape/protobuf-page.ts";
import { Labels } from "../model/labels.ts";
import { defaultRelabelRule } from "../model/relabel.ts";

const drop = (regex: string) => ({
  ...defaultRelabelRule,
  action: "drop" as const,
  sourceLabels: ["__name__"],
  regex,
});

test("a page becomes samples and report series, in one batch", async () => {
  const f = new IngestFixture();
  const report = await f.scrape(10, '# TYPE a counter\na 1\nb{c="d"} 2 9999\n');
  expect(report).toEqual({ scraped: 2, postRelabel: 2, added: 2, error: "" });
  expect(f.appender.commits).toBe(1);
  expect(f.appender.dump()).toEqual([
    'a{instance="i", job="j"} 1@10000',
    'b{c="d", instance="i", job="j"} 2@9999',
    'scrape_duration_seconds{instance="i", job="j"} 0.25@10000',
    'scrape_samples_post_metric_relabeling{instance="i", job="j"} 2@10000',
    'scrape_samples_scraped{instance="i", job="j"} 2@10000',
    'scrape_series_added{instance="i", job="j"} 2@10000',
    'up{instance="i", job="j"} 1@10000',
  ]);
});

test("extra metrics", async () => {
  const f = new IngestFixture({ extraMetrics: true, sampleLimit: 7 });
  await f.scrape(1, "a 1\n");
  await f.fail(2, "body size limit exceeded");
  await f.fail(3, "connection refused");
  expect(f.report("scrape_timeout_seconds")).toBe("10@1000 10@2000 10@3000");
  expect(f.report("scrape_sample_limit")).toBe("7@1000 7@2000 7@3000");
  expect(f.report("scrape_body_size_bytes")).toBe("4@1000 -1@2000 0@3000");
});

describe("staleness", () => {
  test("a series that vanishes is marked at the scrape's time, once", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\nb 1\n");
    await f.scrape(2, "b 2\n");
    await f.scrape(3, "b 3\n");
    await f.scrape(4, "a 4\nb 4\n");
    expect(f.samples()).toEqual(["a 1@1000 stale@2000 4@4000", "b 1@1000 2@2000 3@3000 4@4000"]);
    expect(f.report("scrape_series_added")).toBe("2@1000 0@2000 0@3000 1@4000");
  });

  test("a failed scrape marks everything", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\n");
    const report = await f.fail(2, "connection refused");
    expect(report).toEqual({ scraped: 0, postRelabel: 0, added: 0, error: "connection refused" });
    expect(f.samples()).toEqual(["a 1@1000 stale@2000"]);
    expect(f.report("up")).toBe("1@1000 0@2000");
  });

  test("a page that breaks costs its samples; what it showed before the break is not marked", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\nb 1\n");
    const report = await f.scrape(2, "a 2\n}\nb 2\n");
    expect(report.error).toContain("expected a valid start token");
    expect(report.scraped).toBe(1);
    expect(f.samples()).toEqual(["a 1@1000", "b 1@1000 stale@2000"]);
    expect(f.report("up")).toBe("1@1000 0@2000");
  });

  test("an empty page is a success without series", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\n");
    expect((await f.scrape(2, "", "")).error).toBe("");
    expect(f.samples()).toEqual(["a 1@1000 stale@2000"]);
    expect(f.report("up")).toBe("1@1000 1@2000");
  });

  test("series with timestamps of their own are left alone", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1 500\n");
    await f.scrape(2, "b 2\n");
    expect(f.samples()).toEqual(["a 1@500", "b 2@2000"]);
  });

  test("unless they are to be tracked", async () => {
    const f = new IngestFixture({ trackTimestampsStaleness: true });
    await f.scrape(1, "a 1 500\n");
    await f.scrape(2, "a 2 600\n");
    await f.scrape(3, "b 2\n");
    expect(f.samples()).toEqual(["a 1@500 2@600 stale@3000", "b 2@3000"]);
  });

  test("the same series in another spelling does not vanish", async () => {
    const f = new IngestFixture();
    await f.scrape(1, 'a{b="1",c="2"} 1\n');
    await f.scrape(2, 'a{c="2",b="1"} 2\n');
    await f.scrape(3, 'a{c="2", b="1"} 3\n');
    expect(f.samples()).toEqual(['a{b="1", c="2"} 1@1000 2@2000 3@3000']);
  });

  test("at the end of a target everything is marked, the report series too", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\n");
    await f.ingest.close(1, 2000);
    expect(f.samples()).toEqual(["a 1@1000 stale@2000"]);
    expect(f.report("up")).toBe("1@1000 stale@2000");
    expect(f.memory.usedBytes).toBe(0);
    await expect(f.scrape(3, "a 1\n")).rejects.toThrow("not open");
  });

  test("at the end without a time nothing is written", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\n");
    await f.ingest.close(1, undefined);
    await f.ingest.close(1, undefined);
    expect(f.appender.commits).toBe(1);
  });

  test("a target that was never scraped leaves no markers", async () => {
    const f = new IngestFixture();
    await f.ingest.close(1, 2000);
    expect(f.appender.dump()).toEqual([]);
  });

  test("markers for a target that came back are dropped silently", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\n");
    f.ingest.open({ ...target, id: 2 });
    await f.ingest.deliver(2, {
      t: 5000,
      durationMs: 1,
      body: new Uint8Array([97, 32, 50, 10]),
      contentType: "text/plain",
      error: "",
    });
    await f.ingest.close(1, 3000);
    expect(f.samples()).toEqual(["a 1@1000 2@5000"]);
    expect(f.ingest.stats.outOfOrder).toBe(0);
  });
});

describe("the same line twice", () => {
  test("counts as a duplicate, the first wins", async () => {
    const f = new IngestFixture();
    const report = await f.scrape(1, "a 1\na 2\na 3\nb 1\n");
    expect(report).toEqual({ scraped: 4, postRelabel: 4, added: 2, error: "" });
    await f.scrape(2, "a 5\nb 1\na 6\n");
    expect(f.samples()).toEqual(["a 1@1000 5@2000", "b 1@1000 1@2000"]);
    expect(f.ingest.stats.duplicateTimestamps).toBe(3);
  });

  test("with timestamps both are samples", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1 10\na 2 20\n");
    await f.scrape(2, "a 3 30\na 4 40\n");
    expect(f.samples()).toEqual(["a 1@10 2@20 3@30 4@40"]);
    expect(f.ingest.stats.duplicateTimestamps).toBe(0);
  });

  test("timestamps that do not count make it a duplicate again", async () => {
    const f = new IngestFixture({ honorTimestamps: false });
    await f.scrape(1, "a 1 10\na 2 20\n");
    await f.scrape(2, "a 3 30\na 4 40\n");
    expect(f.samples()).toEqual(["a 1@1000 3@2000"]);
  });
});

describe("what the storage refuses", () => {
  test("is counted, and not remembered: no markers for series that never were", async () => {
    const f = new IngestFixture();
    f.appender.minTime = 1000;
    const report = await f.scrape(1, "a 1 500\nb 1\n");
    expect(report).toEqual({ scraped: 2, postRelabel: 2, added: 1, error: "" });
    expect(f.ingest.stats.outOfBounds).toBe(1);
    await f.scrape(2, "a 1\nb 1\n");
    expect(f.samples()).toEqual(["a 1@2000", "b 1@1000 1@2000"]);
    expect(f.report("scrape_series_added")).toBe("1@1000 1@2000");
  });

  test("out of order, and one time with two values", async () => {
    const f = new IngestFixture();
    await f.scrape(10, "a 1 9000\nb 1 9000\nc 1 9000\n");
    const report = await f.scrape(11, "a 2 8000\nb 2 9000\nc 1 9000\n");
    expect(report).toMatchObject({ scraped: 3, postRelabel: 3, error: "" });
    expect(f.ingest.stats).toMatchObject({ outOfOrder: 1, duplicateTimestamps: 1 });
    expect(f.samples()).toEqual(["a 1@9000", "b 1@9000", "c 1@9000"]);
  });

  test("a refused sample ends its series' tracking: a marker is due", async () => {
    const f = new IngestFixture({ trackTimestampsStaleness: true });
    await f.scrape(1, "a 1 500\nb 1 500\n");
    await f.scrape(2, "a 2 400\nb 2 400\nb 2 600\n");
    expect(f.samples()).toEqual(["a 1@500 stale@2000", "b 1@500 2@600"]);
  });

  test("more than ten minutes ahead", async () => {
    const f = new IngestFixture();
    const now = f.clock.nowMs();
    await f.scrape(now / 1000, `a 1 ${now + 600_000}\nb 1 ${now + 600_001}\nc 1\n`);
    await f.scrape(now / 1000 + 1, `b 2 ${now + 600_001}\nc 2\nb 3 ${now + 600_002}\nc 2\n`);
    expect(f.ingest.stats.outOfBounds).toBe(3);
    expect(f.samples()).toEqual([`a 1@${now + 600_000}`, `c 1@${now} 2@${now + 1000}`]);
  });

  test("a commit that fails leaves nothing, and the next scrape goes on", async () => {
    const f = new IngestFixture();
    f.appender.failCommit = true;
    expect((await f.scrape(1, "a 1\n")).error).not.toBe("");
    expect(
      f.logger.lines.some(({ level, message }) => level === "error" && message === "Scrape commit failed"),
    ).toBe(true);
    await f.scrape(2, "a 2\n");
    expect(f.samples()).toEqual(["a 2@2000"]);
  });

  test("what vanished in a scrape that could not be committed is marked stale by the next one", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\nb 1\nc 1\n");
    f.appender.failCommit = true;
    await f.scrape(2, "b 2\nc 2\nd 2\n");
    await f.scrape(3, "b 3\nc 3\n");
    await f.scrape(4, "b 4\n");
    const stale = (name: string) => f.samples().find((line) => line.startsWith(`${name} `));
    expect(stale("a")).toBe("a 1@1000 stale@3000");
    expect(stale("b")).toBe("b 1@1000 3@3000 4@4000");
    expect(stale("c")).toBe("c 1@1000 3@3000 stale@4000");
  });

  test("report series out of bounds: nothing is stored", async () => {
    const f = new IngestFixture();
    f.appender.minTime = 5000;
    await f.scrape(1, "a 1 6000\n");
    expect(f.appender.dump()).toEqual([]);
  });

  test("a series that the head removed is created again", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "a 1\nb 1\n");
    f.appender.remove('a{instance="i", job="j"}');
    f.appender.remove('up{instance="i", job="j"}');
    await f.scrape(2, "a 2\nb 2\n");
    expect(f.samples()).toEqual(["a 2@2000", "b 1@1000 2@2000"]);
    expect(f.report("up")).toBe("1@2000");
    expect(f.report("scrape_series_added")).toBe("2@1000 0@2000");
  });
});

describe("labels", () => {
  test("the target's win, what they replace is exported", async () => {
    const f = new IngestFixture();
    await f.scrape(1, 'a{job="x",instance="",exported_job="y"} 1\n');
    expect(f.appender.dump()[0]).toBe(
      'a{exported_exported_job="x", exported_job="y", instance="i", job="j"} 1@1000',
    );
  });

  test("the page's win where they are honoured, even an empty one", async () => {
    const f = new IngestFixture({ honorLabels: true });
    await f.scrape(1, 'a{job="x"} 1\nb{job=""} 1\n');
    expect(f.appender.dump().slice(0, 2)).toEqual([
      'a{instance="i", job="x"} 1@1000',
      'b{instance="i"} 1@1000',
    ]);
  });

  test("relabelling drops and rewrites", async () => {
    const rename = {
      ...defaultRelabelRule,
      sourceLabels: ["__name__"],
      regex: "b(.)",
      targetLabel: "__name__",
      replacement: "c$1",
    };
    const f = new IngestFixture({ metricRelabel: [drop("a"), rename] });
    expect(await f.scrape(1, "a 1\nb1 2\na 3\n")).toEqual({
      scraped: 3,
      postRelabel: 1,
      added: 1,
      error: "",
    });
    expect(await f.scrape(2, "a 1\nb1 3\n")).toEqual({ scraped: 2, postRelabel: 1, added: 0, error: "" });
    expect(f.samples()).toEqual(["c1 2@1000 3@2000"]);
  });

  test.each([
    ["a label twice", 'a{b="1",b="2"} 1\n', {}, 'label name "b" is not unique: invalid sample'],
    ["the name twice", 'a{__name__="b"} 1\n', {}, 'label name "__name__" is not unique: invalid sample'],
    [
      "an empty label name",
      'a{""="b"} 1\n',
      {},
      'invalid metric name or label names: {""="b", __name__="a", instance="i", job="j"}',
    ],
    [
      "UTF-8 names in a legacy job",
      '{"a.b"} 1\n',
      { validationScheme: "legacy" as const },
      'invalid metric name or label names: {__name__="a.b", instance="i", job="j"}',
    ],
    [
      "UTF-8 label names in a legacy job",
      'a{"b.c"="1"} 1\n',
      { validationScheme: "legacy" as const },
      'invalid metric name or label names: {__name__="a", "b.c"="1", instance="i", job="j"}',
    ],
    [
      "no name left",
      "a 1\n",
      { metricRelabel: [{ ...defaultRelabelRule, action: "labeldrop" as const, regex: "__name__" }] },
      "missing metric name (__name__ label)",
    ],
    [
      "too many labels",
      'a{b="c"} 1\n',
      { labelLimit: 3 },
      "label_limit exceeded (metric: a, number of labels: 4, limit: 3)",
    ],
    [
      "a long label name",
      'a{bcdefghijk="c"} 1\n',
      { labelNameLengthLimit: 8 },
      "label_name_length_limit exceeded (metric: a, label name: bcdefghijk, length: 10, limit: 8)",
    ],
    [
      "a long label value",
      'a{b="ä\n"} 1\n',
      { labelValueLengthLimit: 2 },
      'label_value_length_limit exceeded (metric: a, label name: b, value: "ä\\n", length: 3, limit: 2)',
    ],
  ])("%s fails the scrape", async (_, page, settings, error) => {
    const f = new IngestFixture(settings);
    expect((await f.scrape(1, page)).error).toBe(error);
    expect(f.samples()).toEqual([]);
    expect(f.report("up")).toBe("0@1000");
    expect(f.ingest.stats.labelLimitsExceeded).toBe(error.includes("limit") ? 1 : 0);
  });

  test("a label that stands twice, once empty, is no label", async () => {
    const f = new IngestFixture();
    await f.scrape(1, 'a{b="1",b="",job="x",job=""} 1\n');
    expect(f.appender.dump()[0]).toBe('a{exported_job="x", instance="i", job="j"} 1@1000');
  });

  test("a label that stands twice is fine where the target's replaces it", async () => {
    const f = new IngestFixture();
    expect((await f.scrape(1, 'a{job="1",job="2"} 1\n')).error).toBe("");
    expect(f.appender.dump()[0]).toBe('a{exported_job="1", instance="i", job="j"} 1@1000');
  });
});

describe("sample_limit", () => {
  test("exceeded: all samples are dropped, all are counted, no series is created beyond it", async () => {
    const f = new IngestFixture({ sampleLimit: 2 });
    const report = await f.scrape(1, "a 1\nb 1\nc 1\nd 1\n");
    expect(report).toEqual({ scraped: 4, postRelabel: 4, added: 2, error: "sample limit exceeded" });
    expect(f.samples()).toEqual([]);
    expect(f.ingest.stats.sampleLimitExceeded).toBe(1);
    expect(f.appender.series(Labels.of({ __name__: "new" }))).toBe(2 + 5 + 1);
  });

  test("reached, not exceeded; then exceeded by known series", async () => {
    const f = new IngestFixture({ sampleLimit: 2, metricRelabel: [drop("x")] });
    expect((await f.scrape(1, "a 1\nx 1\nb 1\n")).error).toBe("");
    expect((await f.scrape(2, "a 2\nb 2\na 2\n")).error).toBe("");
    expect((await f.scrape(3, "c 3\na 3\nb 3\n")).error).toBe("sample limit exceeded");
    expect(f.samples()).toEqual(["a 1@1000 2@2000", "b 1@1000 2@2000 stale@3000"]);
  });
});

describe("formats", () => {
  test.each([
    [
      "",
      "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
    ],
    [
      "text/html",
      'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
    ],
  ])("Content-Type %j fails the scrape", async (contentType, error) => {
    const f = new IngestFixture();
    expect((await f.scrape(1, "a 1\n", contentType)).error).toBe(error);
    const fallback = new IngestFixture({ fallbackProtocol: "PrometheusText0.0.4" });
    expect((await fallback.scrape(1, "a 1\n", contentType)).error).toBe("");
  });

  test("a target that changes its format keeps its series", async () => {
    const f = new IngestFixture();
    await f.scrape(1, 'a{b="c"} 1\n');
    await f.scrape(2, 'a{b="c"} 2\n# EOF\n', "application/openmetrics-text");
    const gauge = message(label("b", "c"), [2, "bytes", message([1, "double", 3])]);
    await f.scrape(3, delimited(family("a", 1, gauge)), "application/vnd.google.protobuf");
    await f.scrape(4, delimited(family("a", 1, gauge)), "application/vnd.google.protobuf");
    await f.scrape(5, 'a{b="c"} 5\n');
    expect(f.samples()).toEqual(['a{b="c"} 1@1000 2@2000 3@3000 3@4000 5@5000']);
  });

  test("what one format allows is not allowed in another for being known", async () => {
    const f = new IngestFixture();
    await f.scrape(1, 'a{b="c" , d="e"} 1\n');
    const report = await f.scrape(2, 'a{b="c" , d="e"} 2\n# EOF\n', "application/openmetrics-text");
    expect(report.error).toContain("expected comma or brace close");
  });

  test("an OpenMetrics page without its end", async () => {
    const f = new IngestFixture();
    const report = await f.scrape(1, "a 1\n", "application/openmetrics-text");
    expect(report).toEqual({ scraped: 1, postRelabel: 1, added: 1, error: "data does not end with # EOF" });
    await f.scrape(2, "a 1\n# EOF\n", "application/openmetrics-text");
    expect((await f.scrape(3, "a 1\n", "application/openmetrics-text")).error).toBe(
      "data does not end with # EOF",
    );
    expect(f.samples()).toEqual(["a 1@2000"]);
  });
});

describe("exemplars", () => {
  const page =
    'a_total 1 # {trace_id="x",b="\\"y\\"",c=""} 0.5 1.5\nb_total 1 # {t="1"} 2\nc_total 1\n# EOF\n';

  test("come with their samples, by the full parser and by the scanner", async () => {
    const f = new IngestFixture();
    await f.scrape(1, page, "application/openmetrics-text");
    await f.scrape(2, page, "application/openmetrics-text");
    const shown = f.appender.exemplars.map(
      ({ series, exemplar }) =>
        `${series.split("{")[0]} ${exemplar.labels} ${exemplar.value}@${exemplar.t} ${exemplar.hasTimestamp}`,
    );
    expect(shown).toEqual([
      'a_total {b="\\\\\\"y\\\\\\"", trace_id="x"} 0.5@1500 true',
      'b_total {t="1"} 2@1000 false',
      'a_total {b="\\\\\\"y\\\\\\"", trace_id="x"} 0.5@1500 true',
      'b_total {t="1"} 2@2000 false',
    ]);
  });

  test("are only checked where nobody keeps them", async () => {
    const f = new IngestFixture({}, { exemplars: false });
    await f.scrape(1, page, "application/openmetrics-text");
    expect(f.appender.exemplars).toEqual([]);
    expect((await f.scrape(2, "a_total 1 # {x} 1\n# EOF\n", "application/openmetrics-text")).error).not.toBe(
      "",
    );
  });
});

describe("metadata", () => {
  test("is what the last pages said", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "# HELP a Some \\n help.\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n");
    await f.scrape(2, "# HELP a Some \\n help.\n# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n");
    expect(await f.ingest.metadata(1)).toEqual([
      { metric: "a", type: "gauge", help: "Some \n help.", unit: "" },
      { metric: "b", type: "gauge", help: "", unit: "" },
    ]);
    expect(f.ingest.metadataSizes().get(1)).toEqual({ entries: 2, bytes: "gaugeSome \n help.gauge".length });
    expect(await f.ingest.metadata(7)).toEqual([]);
  });

  test("goes back with the page", async () => {
    const f = new IngestFixture();
    for (const type of ["counter", "gauge", "counter"]) await f.scrape(1, `# TYPE a ${type}\na 1\n`);
    expect((await f.ingest.metadata(1))[0].type).toBe("counter");
  });

  test("stays ten scrapes after it was last shown", async () => {
    const f = new IngestFixture();
    await f.scrape(1, "# TYPE a counter\na 1\n");
    for (let i = 2; i <= 11; i++) await f.scrape(i, "b 1\n");
    expect(f.ingest.metadataSizes().get(1)?.entries).toBe(1);
    await f.scrape(12, "b 1\n");
    expect(f.ingest.metadataSizes().get(1)?.entries).toBe(0);
  });

  test("of OpenMetrics and protobuf pages", async () => {
    const f = new IngestFixture();
    await f.scrape(
      1,
      "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\na_bytes 1\n# EOF\n",
      "application/openmetrics-text",
    );
    await f.scrape(2, delimited(family("p", 4, message())), "application/vnd.google.protobuf");
    expect(await f.ingest.metadata(1)).toEqual([
      { metric: "a_bytes", type: "gauge", help: "", unit: "bytes" },
      { metric: "p", type: "histogram", help: "Help of p.", unit: "" },
    ]);
  });
});

test("a type decides how le is written only where its line stands", async () => {
  const f = new IngestFixture();
  await f.scrape(1, '# TYPE a histogram\na_bucket{le="1"} 1\n# TYPE b gauge\nb{le="1"} 1\n');
  await f.scrape(
    2,
    '# TYPE a histogram\na_bucket{le="1"} 1\nc{le="1"} 1\n# TYPE b gauge\nb{le="1"} 1\nd{le="1"} 1\n',
  );
  expect(f.samples()).toEqual([
    'a_bucket{le="1.0"} 1@1000 1@2000',
    'b{le="1"} 1@1000 1@2000',
    'c{le="1.0"} 1@2000',
    'd{le="1"} 1@2000',
  ]);
});

test("a target that fails with ever new lines does not fill the memory", async () => {
  const f = new IngestFixture();
  for (let i = 0; i < 6; i++) {
    const lines = Array.from({ length: 400 }, (_, k) => `a${i}_${k} 1\n`);
    await f.scrape(i + 1, `${lines.join("")}!\n`);
  }
  expect(f.ingest.stats.cacheFlushesForced).toBe(2);
  expect(f.ingest.stats.cacheBytes).toBeLessThan(200_000);
});

test("an unexpected failure costs one scrape and is logged as an error", async () => {
  const f = new IngestFixture();
  f.appender.series = () => {
    throw new TypeError("a bug");
  };
  await expect(f.scrape(1, "a 1\n")).resolves.toMatchObject({ error: "a bug" });
  expect(f.logger.lines.filter(({ level }) => level === "error").length).toBeGreaterThan(0);
});

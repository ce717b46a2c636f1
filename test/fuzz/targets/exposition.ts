/** The parsers of the three exposition formats, and the choice between them. */
import { readFileSync } from "node:fs";
import { decodeUtf8, encodeUtf8 } from "../../../src/base/bytes.ts";
import { refuseContentType, refuseEncoding } from "../../../src/remote/write-protocol.ts";
import { chooseFormat, type MediaType } from "../../../src/textparse/content-type.ts";
import { Entry } from "../../../src/textparse/events.ts";
import { newParser } from "../../../src/textparse/new-parser.ts";
import { delimited, exemplar, family, label, message } from "../../scrape/protobuf-page.ts";
import { sharedFiles } from "../shared-seeds.ts";
import { check, type FuzzTarget, texts } from "../target.ts";

export const textPages = [
  "a 1\n",
  "a{} 1 1000\n",
  `# HELP http_requests_total Requests, by "code"\\\\ and\\nmethod.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",} 3 1395066363000
# A comment.
escaped{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find:\\n\\"FILE.TXT\\""} 1.458255915e9

# TYPE h histogram
h_bucket{le="0.05"} 24054
h_bucket{le="1"} 24054 5
h_bucket{le="+Inf"} 144320
h_sum 53423.25e-3
h_count 144320
# TYPE s summary
s{quantile="0.5"} NaN
s{quantile="1"} +Inf
s_sum -0
s_count .5
`,
  `# TYPE "a.b" gauge\n# HELP "a.b" ü\n{"a.b","c.d"="é",e="f"} 12\n{"a.b"}\t1e3\n`,
];

export const openMetricsPages = [
  "# EOF\n",
  "a 1\n# EOF",
  `# TYPE c_seconds counter
# UNIT c_seconds seconds
# HELP c_seconds Time\\nspent.
c_seconds_total{x="\\"\\\\\\n"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.5
c_seconds_created 1520872607.123
# TYPE h histogram
h_bucket{le="0.1"} 8 # {} 0.054
h_bucket{le="1"} 10 # {trace_id="oHg5SJYRHA0",span="é"} 9.8 1.5
h_bucket{le="+Inf"} 17
h_sum 3.5e2
h_count 17
# TYPE i info
i_info{version="1"} 1
# TYPE q summary
q{quantile="0.9"} NaN 1e3
{"a.b",c="d"} -Inf
# EOF
`,
];

export const protobufPages = [
  delimited(
    family("a", 1, message(label("x", "y"), [2, "bytes", message([1, "double", 1.5])], [6, "varint", 1000])),
  ),
  delimited(
    family(
      "c",
      0,
      message(label("x", "y"), [3, "bytes", message([1, "double", 3], [2, "bytes", exemplar("t", 1, 5)])]),
    ),
    family(
      "s",
      2,
      message([
        4,
        "bytes",
        message(
          [1, "varint", 3],
          [2, "double", 4.5],
          [3, "bytes", message([1, "double", 0.5], [2, "double", 1])],
        ),
      ]),
    ),
    family(
      "h",
      4,
      message([
        7,
        "bytes",
        message(
          [1, "varint", 3],
          [2, "double", 4.5],
          [3, "bytes", message([1, "varint", 1], [2, "double", 1], [3, "bytes", exemplar("u", 0.5)])],
          [3, "bytes", message([1, "varint", 2], [2, "double", 2])],
        ),
      ]),
    ),
  ),
];

export const expositionWords = [
  "# HELP ",
  "# TYPE ",
  "# UNIT ",
  "# EOF\n",
  " counter\n",
  " histogram\n",
  " summary\n",
  " gaugehistogram\n",
  "_bucket",
  "_total",
  '{le="1"} ',
  'quantile="0.5"',
  ' # {a="b"} 1 2\n',
  '{"a.b"} 1\n',
  'a="\\n\\\\\\"",',
  " NaN",
  " +Inf\n",
  "\r\n",
  "\0",
  "\ufeff",
];

/** Larger pages make the inputs slow without adding anything. */
const pageBytesMax = 1536;

export function sharedPages(isOpenMetrics: boolean, bytesMax = pageBytesMax): Uint8Array[] {
  return sharedFiles("data/exposition", isOpenMetrics ? /\.om\.txt$/ : /(?<!\.om)\.txt$/).map((path) => {
    const page = readFileSync(path);
    if (page.length <= bytesMax) return new Uint8Array(page);
    const end = page.lastIndexOf("\n", bytesMax) + 1;
    return new Uint8Array(
      Buffer.concat([page.subarray(0, end), Buffer.from(isOpenMetrics ? "# EOF\n" : "")]),
    );
  });
}

/** Reads a page to its end with everything that can be asked of it. */
function readAll(mediaType: MediaType, page: Uint8Array): boolean {
  const parser = newParser(mediaType, page);
  let entries = 0;
  for (let entry = parser.next(); entry !== Entry.eof; entry = parser.next()) {
    check(++entries <= 4 * page.length + 4, "more entries than the page has room for");
    if (entry !== Entry.series) {
      parser.text();
      if (entry !== Entry.comment) parser.familyName();
      continue;
    }
    check(parser.seriesKey().length > 0, "a series without a key");
    const labels = parser.labels();
    check(
      labels.length % 2 === 0 && labels.every((text) => typeof text === "string"),
      "labels are not pairs",
    );
    check(!parser.hasTimestamp || Number.isInteger(parser.t), `a timestamp of ${parser.t}`);
    const found = parser.exemplar();
    check(found === undefined || Number.isInteger(found.t), "an exemplar's timestamp is not whole");
  }
  return true;
}

const parserTarget = (
  name: string,
  mediaType: MediaType,
  seeds: () => readonly Uint8Array[],
  dictionary: readonly string[],
): FuzzTarget => ({ name, share: 1, seeds, dictionary, run: (page) => readAll(mediaType, page) });

export const expositionTargets: readonly FuzzTarget[] = [
  parserTarget("text", "text/plain", () => [...texts(...textPages), ...sharedPages(false)], expositionWords),
  parserTarget(
    "openmetrics",
    "application/openmetrics-text",
    () => [...texts(...openMetricsPages), ...sharedPages(true)],
    expositionWords,
  ),
  parserTarget("exposition-protobuf", "application/vnd.google.protobuf", () => protobufPages, []),
  {
    name: "content-type",
    share: 1,
    seeds: () =>
      texts(
        "text/plain; version=0.0.4; charset=utf-8",
        'application/openmetrics-text;version="1.0.0";escaping=allow-utf-8',
        "application/x-protobuf;proto=prometheus.WriteRequest",
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
      ),
    dictionary: ["; ", '="', '"', "\\", "/", "proto=io.prometheus.write.v2.Request", "=", ","],
    run(bytes) {
      const header = decodeUtf8(bytes);
      const { mediaType, problem } = chooseFormat(header, "");
      check((mediaType === undefined) === (problem !== ""), "neither a format nor a problem");
      check(chooseFormat(header, "PrometheusText0.0.4").mediaType !== undefined, "the fallback is not used");
      for (const answer of [refuseContentType(header), refuseEncoding(header)])
        check(answer === undefined || answer.status === 415, `status ${answer?.status}`);
      return encodeUtf8(header).length > 0;
    },
  },
];

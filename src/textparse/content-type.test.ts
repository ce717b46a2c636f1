import { expect, test } from "vitest";
import { chooseFormat } from "./content-type.ts";

test.each([
  ["text/plain", "text/plain"],
  ["text/plain; version=0.0.4; charset=utf-8", "text/plain"],
  ["text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain"],
  ['TEXT/Plain ; x = "a\\"b;" ;', "text/plain"],
  ["application/openmetrics-text; version=1.0.0; charset=utf-8", "application/openmetrics-text"],
  [
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    "application/vnd.google.protobuf",
  ],
])("%j is known", (header, mediaType) => {
  expect(chooseFormat(header, "")).toEqual({ mediaType, problem: "" });
});

test.each([
  [
    "",
    "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
  ],
  [
    "text/html",
    'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
  ],
  ["text", 'received unsupported Content-Type "text" and no fallback_scrape_protocol specified for target'],
  [";", 'cannot parse Content-Type ";" and no fallback_scrape_protocol for target\nmime: no media type'],
  [
    "text/",
    'cannot parse Content-Type "text/" and no fallback_scrape_protocol for target\nmime: expected token after slash',
  ],
  [
    "text/plain x",
    'cannot parse Content-Type "text/plain x" and no fallback_scrape_protocol for target\nmime: unexpected content after media subtype',
  ],
  [
    "text/plain; charset",
    'cannot parse Content-Type "text/plain; charset" and no fallback_scrape_protocol for target\nmime: invalid media parameter',
  ],
  [
    "text/plain; a=1; a=2",
    'cannot parse Content-Type "text/plain; a=1; a=2" and no fallback_scrape_protocol for target\nmime: duplicate parameter name',
  ],
])("%j fails without a fallback", (header, problem) => {
  expect(chooseFormat(header, "")).toEqual({ mediaType: undefined, problem });
});

test.each([
  ["", 'non-compliant scrape target sending blank Content-Type, using fallback_scrape_protocol "text/plain"'],
  ["text/html", 'received unsupported Content-Type "text/html", using fallback_scrape_protocol "text/plain"'],
  [
    "/",
    'could not parse received Content-Type "/", using fallback_scrape_protocol "text/plain"\nmime: no media type',
  ],
])("%j falls back", (header, problem) => {
  expect(chooseFormat(header, "PrometheusText0.0.4")).toEqual({ mediaType: "text/plain", problem });
});

test.each([
  ["PrometheusText1.0.0", "text/plain"],
  ["OpenMetricsText0.0.1", "application/openmetrics-text"],
  ["OpenMetricsText1.0.0", "application/openmetrics-text"],
  ["PrometheusProto", "application/vnd.google.protobuf"],
  ["toString", undefined],
])("the fallback %s", (protocol, mediaType) => {
  expect(chooseFormat("", protocol).mediaType).toBe(mediaType);
});

test("a hostile header takes no time", () => {
  expect(chooseFormat(`text/plain; a="${"\\\\".repeat(50_000)}`, "").mediaType).toBeUndefined();
});

import { expect, test } from "vitest";
import { defaultScrapeProtocols, protoFirstScrapeProtocols } from "../config/scrape-protocols.ts";
import { acceptHeader } from "./accept-header.ts";

test("the default, as Prometheus sends it", () => {
  expect(acceptHeader(defaultScrapeProtocols, "allow-utf-8")).toBe(
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  );
});

test("all formats, with escaping", () => {
  expect(acceptHeader(protoFirstScrapeProtocols, "underscores")).toBe(
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
  );
});

test("one", () => {
  expect(acceptHeader(["PrometheusText0.0.4"], "allow-utf-8")).toBe(
    "text/plain;version=0.0.4;q=0.6,*/*;q=0.5",
  );
});

import { expect, test } from "vitest";
import { globalUrl } from "./global-url.ts";

const external = { listenAddress: "0.0.0.0:9090", externalUrl: new URL("https://prom.example.org/prom") };

test.each([
  ["http://10.0.0.1:9100/metrics", "http://10.0.0.1:9100/metrics"],
  ["http://localhost:9100/metrics?a=b", "http://prom.example.org:9100/metrics?a=b"],
  ["http://127.0.0.1/metrics", "http://prom.example.org/metrics"],
  ["http://[::1]:9090/prom/metrics", "https://prom.example.org/prom/metrics"],
  ["http://localhost:9090/metrics", "https://prom.example.org/metrics"],
  ["http://localhost.example.org:9090/metrics", "http://localhost.example.org:9090/metrics"],
])("from outside %s is %s", (scrapeUrl, url) => {
  expect(globalUrl(scrapeUrl, external)).toEqual({ url, problem: "" });
});

test("what is no URL is shown as it is", () => {
  expect(globalUrl("nonsense", external)).toEqual({
    url: "nonsense",
    problem: "the target's URL has no host",
  });
});

import { expect, test } from "vitest";
import { ConfigError } from "../base/errors.ts";
import { externalUrl } from "./external-url.ts";

test.each([
  ["", "http://box:9090/"],
  ["https://example.org/prom/", "https://example.org/prom"],
  ["http://example.org", "http://example.org/"],
  ["http://example.org:3000/a/b", "http://example.org:3000/a/b"],
])("%j is %s", (given, url) => {
  expect(externalUrl(given, "box", "0.0.0.0:9090").href).toBe(url);
});

test.each([
  "example.org",
  "ftp://example.org/",
  '"http://example.org"',
  "http://",
])("%s is refused", (given) => {
  expect(() => externalUrl(given, "box", ":9090")).toThrow(ConfigError);
});

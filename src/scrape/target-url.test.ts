import { expect, test } from "vitest";
import { Labels } from "../model/labels.ts";
import { targetUrl } from "./target-url.ts";

const base = { __scheme__: "http", __address__: "h:9100", __metrics_path__: "/metrics" };

// What Prometheus shows as scrapeUrl for the same labels.
test.each([
  [{}, {}, "http://h:9100/metrics"],
  [{ __metrics_path__: "" }, {}, "http://h:9100"],
  [{ __metrics_path__: "m" }, {}, "http://h:9100/m"],
  [{ __metrics_path__: "/probe?x=1" }, {}, "http://h:9100/probe%3Fx=1"],
  [{ __metrics_path__: "/a b/ü/%20/(1)/~" }, {}, "http://h:9100/a%20b/%C3%BC/%2520/%281%29/~"],
  [{ __scheme__: "https" }, {}, "https://h:9100/metrics"],
  [
    { __param_target: "http://x/?a=1&b=2" },
    {},
    "http://h:9100/metrics?target=http%3A%2F%2Fx%2F%3Fa%3D1%26b%3D2",
  ],
  [{ __param_a: "new" }, { a: ["1", "2"], b: ["x y"] }, "http://h:9100/metrics?a=new&a=2&b=x+y"],
  [
    {},
    { "match[]": ["up", "x{a='*'}"] },
    "http://h:9100/metrics?match%5B%5D=up&match%5B%5D=x%7Ba%3D%27%2A%27%7D",
  ],
  [{}, { z: ["1"], a: [], m: [""] }, "http://h:9100/metrics?m=&z=1"],
  [{ __address__: "", __unix_socket__: "/run/x" }, {}, "http://localhost/metrics"],
])("%j with %j is %s", (labels, params, url) => {
  expect(targetUrl(Labels.of({ ...base, ...labels }), params)).toBe(url);
});

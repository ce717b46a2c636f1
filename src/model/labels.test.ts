import { expect, test } from "vitest";
import { Labels } from "./labels.ts";

// As Prometheus prints label sets in errors and logs.
test.each<[Record<string, string>, string]>([
  [{}, "{}"],
  [{ __name__: "m" }, '{__name__="m"}'],
  [{ job: "j", __name__: "m" }, '{__name__="m", job="j"}'],
  [{ Z: "1", _a: "2" }, '{Z="1", _a="2"}'],
  [{ __name__: "a.b", "c d": 'x"y\\z\n' }, '{__name__="a.b", "c d"="x\\"y\\\\z\\n"}'],
  [{ "a:b": "1", "1a": "2" }, '{"1a"="2", "a:b"="1"}'],
])("%j is printed as %s", (labels, text) => {
  expect(`${Labels.of(labels)}`).toBe(text);
});

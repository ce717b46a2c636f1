import { expect, test } from "vitest";
import { Router } from "./router.ts";

const router = new Router<string>();
router.add("/metrics", "metrics");
router.add("/label/:name/values", "values");
router.add("/label/a/values", "values of a");

test.each([
  ["/metrics", "metrics", {}],
  ["/metrics/", undefined, undefined],
  ["/label/job/values", "values", { name: "job" }],
  ["/label/a%2Fb%20c/values", "values", { name: "a/b c" }],
  ["/label/a/values", "values of a", {}],
  ["/label//values", undefined, undefined],
  ["/label/a/b/values", undefined, undefined],
  ["/:name", undefined, undefined],
  ["", undefined, undefined],
])("%s", (path, value, parameters) => {
  const found = router.find(path);
  expect(found?.value).toBe(value);
  expect(found?.parameters).toEqual(parameters);
});

test("a parameter that is no percent-encoding is refused", () => {
  expect(() => router.find("/label/%zz/values")).toThrow(URIError);
});

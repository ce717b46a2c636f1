import { expect, test } from "vitest";
import { Labels } from "./labels.ts";
import { defaultRelabelRule, type RelabelRule, relabel } from "./relabel.ts";

const rule = (over: Partial<RelabelRule>): RelabelRule => ({ ...defaultRelabelRule, ...over });

test("smoke", () => {
  const got = relabel(Labels.of({ a: "foo", b: "bar" }), [
    rule({ sourceLabels: ["a", "b"], regex: "f(.*);(.*)r", targetLabel: "a", replacement: "b${1}${2}m" }),
  ]);
  expect(got?.toObject()).toEqual({ a: "boobam", b: "bar" });
});

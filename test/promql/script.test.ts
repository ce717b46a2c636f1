import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isStale } from "../../src/model/value.ts";
import { sharedData } from "../peers/find.ts";
import { parseScript } from "./script.ts";
import { parseSeriesLine } from "./series-notation.ts";

const upstream = sharedData("Prometheus's PromQL scripts", "promqltest");

/** Points as words: numbers, "stale", "_", "{{}}". */
function words(line: string): string[] {
  return parseSeriesLine(line).points.map((point) => {
    if (point === "omitted") return "_";
    if (point === "histogram") return "{{}}";
    return isStale(point, 0) ? "stale" : `${point[0]}`;
  });
}

test.each([
  ["m 1 -2 +3.5 1e3 .5 NaN -Inf +inf", "1 -2 3.5 1000 0.5 NaN -Infinity Infinity"],
  ["m 1x3 2+3x2 5-2x2 -1-1x1", "1 1 1 1 2 5 8 5 3 1 -1 -2"],
  ["m 0.1+0.1x2", "0.1 0.2 0.30000000000000004"],
  ["m _ _x3 stale 1", "_ _ _ _ stale 1"],
  ["m {{schema:1 buckets:[5 10]}} {{}}x2 {{sum:1}}+{{sum:2}}x1", "{{}} {{}} {{}} {{}} {{}} {{}}"],
  ["m", ""],
])("%s", (line, want) => {
  expect(words(line).join(" ")).toBe(want);
});

test.each([
  ['{a="b c", "d e"="}{"} 1', '{a="b c", "d e"="}{"}'],
  ['{"a.b"} 1', '{__name__="a.b"}'],
  ["a:b{} 1", '{__name__="a:b"}'],
  ["{} {{sum:1}}", "{}"],
])("labels of %s", (line, want) => {
  expect(`${parseSeriesLine(line).labels}`).toBe(want);
});

test.each(["m 1 two", "m 1+2", "m {{", "m{ 1", "m stalex2"])("%s is refused", (line) => {
  expect(() => parseSeriesLine(line)).toThrow();
});

test("commands and what they expect", () => {
  const commands = parseScript(`
# a comment
clear
load 1m
  a 1 2

eval_warn instant at 5m sum(a) + 1
  expect no_info
  expect warn regex: w.*n
  {} 3

eval instant at 1m 7
  7
eval range from 1m to 2m step 30s time()
  expect ordered
  {} 60 90 120

eval instant at 2m a[1m]
  expect range vector from 1m to 2m step 1m
  a 1 2

eval_fail instant at 0 foo
  expected_fail_message boo
`);
  expect(commands.map(({ kind }) => kind)).toEqual(["clear", "load", "eval", "eval", "eval", "eval", "eval"]);
  expect(commands[1]).toMatchObject({ stepMs: 60_000, withNativeHistograms: false });
  expect(commands[2]).toMatchObject({
    query: "sum(a) + 1",
    range: { startMs: 300_000, endMs: 300_000, stepMs: 0 },
    expect: { warn: [undefined, { matches: /w.*n/ }], no_info: true },
  });
  expect(commands[3]).toMatchObject({ query: "7", scalar: 7, series: [] });
  expect(commands[4]).toMatchObject({
    isRange: true,
    range: { startMs: 60_000, endMs: 120_000, stepMs: 30_000 },
    expect: { ordered: true },
  });
  expect(commands[5]).toMatchObject({ rangeVector: { startMs: 60_000, endMs: 120_000, stepMs: 60_000 } });
  expect(commands[6]).toMatchObject({ expect: { fail: [{ is: "boo" }] } });
});

test.skipIf(upstream === undefined)("every line of Prometheus's own scripts is understood", () => {
  const directory = upstream as string;
  let cases = 0;
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".test"))) {
    const text = readFileSync(join(directory, file), "utf8");
    const evals = parseScript(text).filter(({ kind }) => kind === "eval").length;
    expect(evals, file).toBe(text.match(/^\s*eval/gm)?.length ?? 0);
    cases += evals;
  }
  expect(cases).toBeGreaterThan(2000);
});

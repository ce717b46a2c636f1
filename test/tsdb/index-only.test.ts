/** Names, values, label sets and counts come from the index alone: no chunk is read for them, neither of a block nor of the head. */
import { expect, test } from "vitest";
import { Matcher } from "../../src/model/matcher.ts";
import type { Querier } from "../../src/storage/querier.ts";
import { interceptFs } from "../../src/testkit/intercept-fs.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { blockStatus } from "../../src/tsdb/block/block-status.ts";
import { headStatus } from "../../src/tsdb/head/head-status.ts";
import { append, type Row, testHead } from "../head/fixture.ts";
import { seriesText } from "../series-text.ts";
import { blockDir, readAll } from "./block-dir.ts";
import { chunkSource, noHints, unlimited } from "./chunk-series.ts";

const series = ["a", "b"].flatMap((name) =>
  Array.from({ length: name === "a" ? 50 : 49 }, (_, i) => ({
    labels: { __name__: name, i: String(i), ...(i % 2 === 0 ? { even: "yes" } : {}) },
    samples: Array.from({ length: 400 }, (_unused, k): [number, number] => [k * 1000, k + i]),
  })),
);

const name = (value: string) => new Matcher("=", "__name__", value);

/** Matchers of each kind: equal, a set of literals, a prefix, a suffix, others; negative and empty ones. */
const matcherSets: readonly (readonly [string, readonly Matcher[], number])[] = [
  ["=", [name("a")], 50],
  ["literals", [name("a"), new Matcher("=~", "i", "1|2|77")], 2],
  ["a prefix", [name("b"), new Matcher("=~", "i", "4.*")], 10],
  ["a suffix", [name("b"), new Matcher("=~", "i", ".+4")], 4],
  ["RE2", [new Matcher("=~", "i", "[0-9]{2}")], 79],
  ["!=", [name("a"), new Matcher("!=", "i", "3")], 49],
  ["!~", [name("a"), new Matcher("!~", "i", "1.*")], 39],
  ["no such label", [name("a"), new Matcher("=", "even", "")], 25],
  ["any value", [name("a"), new Matcher("!=", "even", "")], 25],
  ["nothing", [name("a"), new Matcher("=", "i", "x")], 0],
];

function askAll(querier: Querier): void {
  for (const [kind, matchers, count] of matcherSets) {
    const found = querier.select(
      unlimited,
      matchers,
      -Infinity,
      Infinity,
      { ...noHints, func: "series" },
      true,
    );
    expect([kind, new Set(found.map(({ labels }) => seriesText(labels))).size]).toEqual([kind, count]);
    const values = querier.labelValues(unlimited, "i", matchers, 0);
    expect(values.length, kind).toBe(new Set(found.map(({ labels }) => labels.get("i"))).size);
    expect(querier.labelValues(unlimited, "i", matchers, 2), kind).toEqual(values.slice(0, 2));
    const names = querier.labelNames(unlimited, matchers, 0);
    expect(names, kind).toEqual(
      count === 0 ? [] : names.includes("even") ? ["__name__", "even", "i"] : ["__name__", "i"],
    );
    expect(querier.labelNames(unlimited, matchers, 1), kind).toEqual(names.slice(0, 1));
  }
}

const tables = {
  numSeries: 99,
  numLabelPairs: 53,
  seriesCountByMetricName: [
    { name: "a", value: 50 },
    { name: "b", value: 49 },
  ],
  labelValueCountByLabelName: [
    { name: "i", value: 50 },
    { name: "__name__", value: 2 },
  ],
  seriesCountByLabelValuePair: [{ value: 50 }, { value: 50 }],
};

test("of a block", () => {
  let chunkReads = 0;
  const fs = interceptFs(new MemFs(), (call, run) => {
    if (call.operation === "read" && call.path.includes("/chunks/")) chunkReads++;
    return run();
  });
  const env = blockDir(fs);
  env.write(chunkSource(series), 0, 400_000);
  const block = Block.open(env, `data/${fs.list("data")[0]}`);
  const querier = block.querier();
  // Opening the files looks at their headers.
  chunkReads = 0;
  askAll(querier);
  const status = blockStatus(block, 2);
  expect(status).toMatchObject({ ...tables, chunkCount: 396, minTime: 0, maxTime: 400_000 });
  expect(chunkReads).toBe(0);
  readAll(querier, [name("a")]);
  expect(chunkReads).toBeGreaterThan(0);
  querier.close();
});

test("of the head", () => {
  const { appender, chunks, reader, memory } = testHead();
  for (let k = 0; k < 400; k++) {
    append(
      appender,
      series.map(({ labels, samples }): Row => [labels, ...samples[k]]),
    );
  }
  const querier = reader.querier(-Infinity, Infinity);
  chunks.reads = 0;
  askAll(querier);
  expect(headStatus(memory, 1, 2)).toMatchObject({ ...tables, minTime: 0, maxTime: 399_000 });
  expect(chunks.reads).toBe(0);
  readAll(querier, [name("a")]);
  expect(chunks.reads).toBeGreaterThan(0);
  querier.close();
});

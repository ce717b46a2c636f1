/** What the parser lets through must not exhaust the stack of the engine. */
import { expect, test } from "vitest";
import { Labels } from "../../src/model/labels.ts";
import { Engine } from "../../src/promql/engine.ts";
import { depthMax, nestingMax } from "../../src/promql/parser/cursor.ts";
import { MemoryStorage } from "./memory-storage.ts";

const storage = new MemoryStorage();
const series = storage.series(Labels.of({ __name__: "foo" }));
for (let i = 0; i < 5; i++) series.append(i * 60_000, Float64Array.of(i), 0);

const engine = new Engine({
  clock: { nowMs: () => 0, monotonicMs: () => 0, after: () => ({ cancel() {} }) },
  lookbackMs: 5 * 60_000,
  samplesMax: 50_000_000,
  bytesMax: 1 << 30,
  timeoutMs: 100_000,
  noStepSubqueryIntervalMs: () => 60_000,
});

const chain = depthMax - 2;
const nested = nestingMax - 1;

test.each([
  ["operators in a row", `foo${" + foo".repeat(chain)}`],
  ["set operators in a row", `foo${" or foo".repeat(chain)}`],
  ["powers", `foo${" ^ foo".repeat(nested)}`],
  ["parentheses", `${"(".repeat(nested)}foo${")".repeat(nested)}`],
  ["calls", `${"abs(".repeat(nested)}foo${")".repeat(nested)}`],
  ["signs", `${"-".repeat(nested)}foo`],
  ["aggregations", `${"sum(".repeat(nested)}foo${")".repeat(nested)}`],
  ["subqueries", `${"max_over_time(".repeat(nested - 1)}foo${"[1m:])".repeat(nested - 1)}`],
])("%s as deep as allowed", (_, query) => {
  expect(engine.range(storage, query, 0, 240_000, 60_000).value.type).toBe("matrix");
  expect(engine.instant(storage, query, 240_000).value.type).toBe("vector");
});

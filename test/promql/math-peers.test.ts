/** The math of the engine against a real Prometheus over thousands of arguments of all magnitudes: the same digits. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { formatSampleValue } from "../../src/model/format-float.ts";
import { Engine } from "../../src/promql/engine.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { havePeers } from "../peers/find.ts";
import { queryRange, resultOf } from "../peers/query-api.ts";
import { proofSeed, size } from "../proof/size.ts";
import { MemoryStorage } from "./memory-storage.ts";

const points = size(200, 5_000);
const functions =
  `acos acosh asin asinh atan atanh ceil cos cosh day_of_month day_of_week day_of_year days_in_month deg
  exp floor hour ln log10 log2 minute month rad round sgn sin sinh sqrt tan tanh year`.split(/\s+/);

/** A number in [0, 1) that looks random and is the same in both: from the evaluation time. */
const random = "(time() * 1103515245 % 2147483647 / 2147483647)";
const arguments_ = [
  `${random} * 1500 - 750`,
  `${random} * 2 - 1`,
  `${random} * 20 - 10`,
  `2 ^ (${random} * 2100 - 1060)`,
  `-(2 ^ (${random} * 60 - 30))`,
  // Beside the zeros of large sines.
  `scalar(floor(vector(${random} * 2 ^ 38))) * pi() / 4`,
  `scalar(floor(vector(${random} * 2 ^ 31))) * pi() / 4`,
  "time()",
];

describe.skipIf(!havePeers("math against Prometheus", "prometheus"))("math", () => {
  const dir = mkdtempSync(join(tmpdir(), "narthex-math-"));
  const start = 1e9 + (proofSeed("math against Prometheus") % 1e8);
  const end = start + points - 1;
  const engine = new Engine({
    clock: new ManualClock(),
    lookbackMs: 300_000,
    samplesMax: 1e7,
    bytesMax: 2 ** 30,
    timeoutMs: 1e6,
    noStepSubqueryIntervalMs: () => 60_000,
  });
  let server: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    server = await startServer("prometheus", dir);
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  async function compare(query: string): Promise<void> {
    const { value } = engine.range(new MemoryStorage(), query, start * 1000, end * 1000, 1000);
    const [theirs] = resultOf(await queryRange(server.url, query, start, end, 1));
    if (value.type !== "matrix" || value.form !== "grid") throw new Error(`a ${value.type}`);
    expect(Array.from(value.values, formatSampleValue)).toEqual(theirs.values?.map(([, text]) => text));
  }

  test.each(functions)("%s", async (name) => {
    for (const argument of arguments_) await compare(`${name}(vector(${argument}))`);
  });

  test.each(["^", "atan2", "%"])("%s", async (op) => {
    for (const left of arguments_) {
      for (const right of [...arguments_, "3", "-7", "0.3", "100"])
        await compare(`(${left}) ${op} (${right})`);
    }
  });
});

/**
 * Random expressions, evaluated by this engine and by a real Prometheus over the same data: the same series, the same
 * bits, the same errors and annotations, except where 3.14 differs from the 3.5.3 at hand (answers.ts).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../../bench/servers.mjs";
import { Labels } from "../../../src/model/labels.ts";
import { Engine } from "../../../src/promql/engine.ts";
import { ManualClock } from "../../../src/testkit/manual-clock.ts";
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { havePeers } from "../../peers/find.ts";
import { queryInstant, queryRange } from "../../peers/query-api.ts";
import { remoteWrite, type WrittenSeries } from "../../peers/remote-write.ts";
import { proofSeed, size } from "../../proof/size.ts";
import { MemoryStorage } from "../memory-storage.ts";
import { type Comparable, difference, ofApi, ofFailure, ofResult, same } from "./answers.ts";
import { allParts, type Generated, Generator } from "./expressions.ts";
import { endMs, makeWorld, startMs, vocabulary } from "./world.ts";

const expressions = size(150, 10_000);
const found = havePeers("PromQL against Prometheus", "prometheus");

function storageOf(world: readonly WrittenSeries[]): MemoryStorage {
  const storage = new MemoryStorage();
  const value = new BigUint64Array(1);
  const float = new Float64Array(value.buffer);
  for (const { labels, samples } of world) {
    const series = storage.series(Labels.of(labels));
    for (const { t, bits } of samples) {
      value[0] = bits;
      series.append(t, float, 0);
    }
  }
  return storage;
}

function attempt(evaluate: () => Comparable): Comparable {
  try {
    return evaluate();
  } catch (error) {
    return ofFailure((error as Error).message);
  }
}

describe.skipIf(!found)("the engine and Prometheus", () => {
  const dir = mkdtempSync(join(tmpdir(), "narthex-promql-"));
  const seed = proofSeed("PromQL against Prometheus");
  const world = makeWorld(seed);
  const storage = storageOf(world);
  const engine = new Engine({
    clock: new ManualClock(),
    lookbackMs: 300_000,
    samplesMax: 50_000_000,
    bytesMax: 2 ** 30,
    timeoutMs: 120_000,
    noStepSubqueryIntervalMs: () => 60_000,
  });
  let server: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    server = await startServer("prometheus", dir);
    const { status, text } = await remoteWrite(server.url, world);
    if (status !== 204) throw new Error(`remote write answered ${status}: ${text}`);
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  const middle = startMs + (endMs - startMs) / 2;

  /**
   * Prometheus hands some series from operator to operator in the random order of a Go map: sums over them then differ
   * from run to run in the last digits, and topk picks others among equals. Where it disagrees with itself there is
   * nothing to compare with.
   */
  async function compare(
    query: string,
    ours: Comparable,
    ask: () => Promise<Comparable>,
  ): Promise<{ problem: string | undefined; empty: boolean }> {
    const theirs = await ask();
    const empty = theirs.series.size === 0;
    const problem = difference(query, theirs, ours);
    for (let i = 0; i < 20 && problem !== undefined; i++) {
      if (!same(theirs, await ask())) return { problem: undefined, empty: true };
    }
    return { problem, empty };
  }

  function compareInstant({ text }: Generated) {
    const ours = attempt(() => ofResult(engine.instant(storage, text, middle)));
    return compare(text, ours, async () => ofApi(await queryInstant(server.url, text, middle / 1000)));
  }

  function compareRange({ text }: Generated) {
    const [start, end, step] = [startMs - 60_000, endMs + 60_000, 117_000];
    const ours = attempt(() => ofResult(engine.range(storage, text, start, end, step)));
    return compare(text, ours, async () =>
      ofApi(await queryRange(server.url, text, start / 1000, end / 1000, step / 1000)),
    );
  }

  test(
    `give the same answers to ${expressions} random expressions`,
    async () => {
      const generator = new Generator(new SeededRandom(seed), vocabulary);
      const counts = new Map(allParts.map((part) => [part, 0]));
      const problems: string[] = [];
      for (let i = 0; i < expressions && problems.length < 20; i++) {
        const expression = generator.next();
        const instant = await compareInstant(expression);
        const range = await compareRange(expression);
        if (instant.problem !== undefined)
          problems.push(`${expression.text} at ${middle}: ${instant.problem}`);
        if (range.problem !== undefined) problems.push(`${expression.text} over all: ${range.problem}`);
        if (instant.empty && range.empty) continue;
        for (const part of expression.parts) counts.set(part, (counts.get(part) ?? 0) + 1);
      }
      console.log(`with a non-empty answer: ${[...counts].map(([part, n]) => `${part} ${n}`).join(", ")}`);
      expect(problems).toEqual([]);
      if (expressions >= 10_000) {
        expect([...counts].filter(([, count]) => count < 10)).toEqual([]);
      }
    },
    expressions * 200,
  );
});

/**
 * Proof 4: seeded random PromQL expressions, asked of Narthex and of a real Prometheus over the same data, have the
 * same answers, bit for bit, where test/promql/random/allowed.ts does not say otherwise; and every function, operator
 * and modifier comes up at least ten times with an answer that is not empty, in instant and in range queries.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { havePeers } from "../peers/find.ts";
import { Comparison } from "../promql/random/comparison.ts";
import { Coverage } from "../promql/random/coverage.ts";
import { instantQuestion, rangeQuestion } from "../promql/random/questions.ts";
import { allParts, RandomExpressions } from "../promql/random/random-expression.ts";
import { selectionQuestion } from "../promql/random/selection-questions.ts";
import { ServerPair } from "../promql/random/server-pair.ts";
import { vocabularyOf } from "../promql/random/vocabulary.ts";
import { makeWorld, sortedBody } from "../promql/random/world.ts";
import { proofSeed, size } from "./size.ts";

const timesEach = 10;
const problemsShown = 10;
/** What has the rarest parts is taken of so many. */
const candidates = 12;
const peers = havePeers("proof 4 (PromQL against Prometheus)", "prometheus");

describe.skipIf(!peers)("PromQL, against a real Prometheus", () => {
  const seriesCount = size(300, 1000);
  const coverage = new Coverage(allParts, timesEach);
  let dir: string;
  let seed: number;
  let expressions: RandomExpressions;
  let pair: ServerPair | undefined;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-4-"));
    seed = proofSeed("proof 4");
  });
  afterEach(async () => {
    await pair?.stop();
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /** Asks about `count` expressions, and more until all parts were seen if `untilCovered`. */
  async function compareExpressions(servers: ServerPair, count: number, untilCovered = false): Promise<void> {
    const comparison = new Comparison();
    const problems: string[] = [];
    const most = untilCovered ? 5 * count : count;
    for (let i = 0; i < most && problems.length < problemsShown; i++) {
      if (i >= count && coverage.missing().length === 0) break;
      const expression = coverage.rarest(Array.from({ length: candidates }, () => expressions.next()));
      const instant = await comparison.ask(servers, instantQuestion(expressions, expression));
      if (instant.problem !== undefined) problems.push(instant.problem);
      if (instant.answered) coverage.add(expression, "instant");
      if (expression.type === "matrix" || expression.type === "string") continue;
      const range = await comparison.ask(servers, rangeQuestion(expressions, expression));
      if (range.problem !== undefined) problems.push(range.problem);
      if (range.answered) coverage.add(expression, "range");
    }
    console.log(`proof 4: ${comparison.summary()}`);
    expect(problems.join("\n")).toBe("");
    expect(comparison.unstable, "unstable answers of Prometheus").toBeLessThan(10 + comparison.asked / 20);
  }

  async function compareSelections(servers: ServerPair, count: number, anyTime: boolean): Promise<void> {
    const comparison = new Comparison();
    const problems: string[] = [];
    for (let i = 0; i < count && problems.length < problemsShown; i++) {
      const { problem } = await comparison.ask(servers, selectionQuestion(expressions, anyTime));
      if (problem !== undefined) problems.push(problem);
    }
    console.log(`proof 4: series and labels: ${comparison.summary()}`);
    expect(problems.join("\n")).toBe("");
  }

  test("over the head, and after a restart", async () => {
    const world = makeWorld(join(dir, "workload"), seed, seriesCount, 20);
    pair = await ServerPair.start(join(dir, "head"));
    await pair.feed(world.bodies);
    expressions = new RandomExpressions(seed, vocabularyOf(world));
    await compareExpressions(pair, size(300, 8000), true);
    await compareSelections(pair, size(50, 1000), true);
    console.log(`proof 4: answered instant/range: ${coverage.table()}`);
    expect(coverage.missing()).toEqual([]);
    await pair.restart();
    await compareExpressions(pair, size(20, 1000));
    await compareSelections(pair, size(10, 200), true);
  });

  test("over blocks and the head, and after a restart", async () => {
    // Without churn: a head forgets series after a while, and their order would depend on when it does.
    const world = makeWorld(join(dir, "workload"), seed, seriesCount, 0);
    const tenMinutes = ["--storage.tsdb.min-block-duration=10m", "--storage.tsdb.max-block-duration=10m"];
    pair = await ServerPair.start(join(dir, "blocks"), tenMinutes);
    await pair.feed([sortedBody(world), ...world.bodies]);
    expressions = new RandomExpressions(seed, vocabularyOf(world));
    const data = join(pair.narthexDir, "data");
    const blocks = () => readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name)).length;
    await expect.poll(blocks, { timeout: 90_000, interval: 200 }).toBeGreaterThanOrEqual(4);
    await compareExpressions(pair, size(60, 3000));
    await compareSelections(pair, size(20, 300), false);
    await pair.restart();
    await compareExpressions(pair, size(20, 1000));
    await compareSelections(pair, size(10, 200), false);
    console.log(`proof 4: ${blocks()} blocks`);
  });
});

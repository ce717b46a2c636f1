/** Services for tests of the HTTP side: what a freshly started server without a single sample would answer. */
import { ApiError } from "../../src/api/answer.ts";
import { answerQuery } from "../../src/api/answer-query.ts";
import type { Readiness, Services } from "../../src/api/services.ts";
import { silentLogger } from "../../src/base/env.ts";
import { Engine } from "../../src/promql/engine.ts";
import type { Querier } from "../../src/storage/querier.ts";

export const startMs = 1_795_334_376_814;

const emptyQuerier: Querier = {
  select: () => [],
  labelNames: () => [],
  labelValues: () => [],
  close() {},
};

const clock = { nowMs: () => startMs, monotonicMs: () => performance.now(), after: () => ({ cancel() {} }) };

const engine = new Engine({
  clock,
  lookbackMs: 300_000,
  samplesMax: 50_000_000,
  bytesMax: 2 ** 30,
  timeoutMs: 120_000,
  noStepSubqueryIntervalMs: () => 60_000,
});

export interface FakeState {
  readiness: Readiness;
  /** What the next reload is refused with. */
  reloadProblem: string;
  quits: number;
}

export function fakeServices(state: FakeState, overrides: Partial<Services> = {}): Services {
  return {
    queries: {
      answer: async (request) =>
        answerQuery(
          {
            engine,
            queryable: { querier: () => emptyQuerier },
            exemplars: undefined,
            selectionBytesMax: 2 ** 20,
            logger: silentLogger,
          },
          request,
          { queuedMs: 0, cancelled: undefined },
        ),
    },
    writes: undefined,
    storage: {
      walReplay: () => ({ min: 0, max: 0, current: 0 }),
      memoryStatus: async (limit: number) => ({
        limitBytes: 512 * 2 ** 20,
        fixed: 100,
        arena: 200,
        heldBytes: 150,
        caches: 50,
        queries: 25,
        compaction: 5,
        score: 0.75,
        rushed: true,
        queriesRefused: 3,
        series: 7,
        seriesRefused: 11,
        culprits: [{ job: "a", metric: "m", count: 11 }].slice(0, limit),
      }),
      blockMetas: async () => [],
      tsdbStatus: async (_limit, block) =>
        block !== ""
          ? undefined
          : {
              numSeries: 0,
              numLabelPairs: 0,
              chunkCount: 0,
              minTimeMs: Number.POSITIVE_INFINITY,
              maxTimeMs: Number.NEGATIVE_INFINITY,
              seriesCountByMetricName: [],
              labelValueCountByLabelName: [],
              memoryInBytesByLabelName: [],
              seriesCountByLabelValuePair: [],
            },
    },
    admin: {
      snapshot: async (skipHead) => {
        if (skipHead) throw new ApiError("internal", "the disk is full");
        return "20261122T075937Z-33dd412325502330";
      },
      deleteSeries: async ({ matches }) => {
        if (matches.includes("broken")) throw new Error("the disk is full");
      },
      cleanTombstones: async () => {},
      tryRetentionRules: async () => [],
    },
    scrape: {
      pools: () => [],
      activeTargets: () => [],
      droppedTargets: () => [],
      droppedCounts: () => new Map(),
      metadata: async () => [],
    },
    lifecycle: {
      readiness: () => state.readiness,
      reload: async () => {
        if (state.reloadProblem !== "") throw new Error(state.reloadProblem);
      },
      quit: () => state.quits++ === 0,
    },
    notifications: {
      notifications: () => [],
    },
    status: {
      configYaml: () => "global:\n  external_labels:\n    zone: <a&b>\n",
      flags: () => ({ "web.enable-lifecycle": "true", "web.cors.origin": ".*" }),
      runtimeInfo: async () => ({
        startTimeMs: startMs,
        serverTimeMs: startMs + 1500,
        cwd: "/",
        hostname: "host",
        reloadConfigSuccess: true,
        lastConfigMs: startMs,
        corruptionCount: 0,
        threadCount: 4,
        cpuCount: 2,
        storageRetention: "15d",
      }),
      nowMs: () => startMs,
    },
    ...overrides,
  };
}

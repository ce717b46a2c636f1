/** The status endpoints: configuration, flags, build, runtime, storage. */
import { quote } from "../../base/quote.ts";
import { ApiError, success } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { goTime, int64 } from "../json/go-json.ts";
import { parseGoInt } from "../params/go-numbers.ts";
import type { NameCount } from "../services.ts";

export interface BuildInfo {
  /** The version of Prometheus that this server behaves like. */
  readonly prometheusVersion: string;
  readonly narthexVersion: string;
  readonly nodeVersion: string;
}

const tsdbLimitMax = 10_000;

export const config: Handler = ({ status }) => success({ yaml: status.configYaml() });

export const flags: Handler = ({ status }) => success(status.flags());

/** What clients read to learn which Prometheus this is; our own versions have fields of their own. */
export function versionFields(build: BuildInfo) {
  return {
    version: build.prometheusVersion,
    revision: "",
    branch: "",
    buildUser: "",
    buildDate: "",
    goVersion: "",
    narthexVersion: build.narthexVersion,
    nodeVersion: build.nodeVersion,
  };
}

export function buildInfo(build: BuildInfo): Handler {
  return () => success(versionFields(build));
}

/** Goroutines are our threads here; the settings of Go's runtime do not exist. */
export const runtimeInfo: Handler = async ({ status }) => {
  const info = await status.runtimeInfo();
  const configSeconds = info.lastConfigMs === undefined ? 0 : Math.floor(info.lastConfigMs / 1000);
  return success({
    startTime: goTime(info.startTimeMs),
    CWD: info.cwd,
    hostname: info.hostname,
    serverTime: goTime(info.serverTimeMs),
    reloadConfigSuccess: info.reloadConfigSuccess,
    lastConfigTime: goTime(configSeconds * 1000),
    corruptionCount: info.corruptionCount,
    goroutineCount: info.threadCount,
    GOMAXPROCS: info.cpuCount,
    GOMEMLIMIT: 0,
    GOGC: "",
    GODEBUG: "",
    storageRetention: info.storageRetention,
  });
};

export const tsdb: Handler = async ({ storage }, { form }) => {
  const limit = readTsdbLimit(form.get("limit"));
  const block = form.get("block");
  const stats = await storage.tsdbStatus(limit, block);
  if (stats === undefined) {
    throw new ApiError("not_found", `there is no block ${quote(block)}; status/tsdb/blocks lists them`);
  }
  const shown = (counts: readonly NameCount[]) => counts.map(({ name, value }) => ({ name, value }));
  return success({
    headStats: {
      numSeries: stats.numSeries,
      numLabelPairs: stats.numLabelPairs,
      chunkCount: stats.chunkCount,
      minTime: int64(stats.minTimeMs),
      maxTime: int64(stats.maxTimeMs),
    },
    seriesCountByMetricName: shown(stats.seriesCountByMetricName),
    labelValueCountByLabelName: shown(stats.labelValueCountByLabelName),
    memoryInBytesByLabelName: shown(stats.memoryInBytesByLabelName),
    seriesCountByLabelValuePair: shown(stats.seriesCountByLabelValuePair),
  });
};

export const tsdbBlocks: Handler = async ({ storage }) => success({ blocks: await storage.blockMetas() });

/** Only here: what the memory is used for, and who was refused new series. */
export const memory: Handler = async ({ storage }, { form }) => {
  const status = await storage.memoryStatus(readTsdbLimit(form.get("limit")));
  return success({
    limitBytes: status.limitBytes,
    fixedBytes: status.fixed,
    arenaBytes: status.arena,
    arenaHeldBytes: status.heldBytes,
    cacheBytes: status.caches,
    queryBytes: status.queries,
    compactionBytes: status.compaction,
    urgencyScore: status.score,
    rushedMode: status.rushed,
    queriesRefused: status.queriesRefused,
    series: status.series,
    newSeriesRefused: status.seriesRefused,
    culprits: status.culprits.map(({ job, metric, count }) => ({ job, metric, count })),
  });
};

function readTsdbLimit(text: string): number {
  if (text === "") return 10;
  let limit = 0;
  try {
    limit = parseGoInt(text);
  } catch {
    // Refused below, with the same text as a number that is too small.
  }
  if (limit < 1) throw new ApiError("bad_data", "limit must be a positive number");
  if (limit > tsdbLimitMax) throw new ApiError("bad_data", `limit must not exceed ${tsdbLimitMax}`);
  return limit;
}

export const walReplay: Handler = ({ storage }) => {
  const { min, max, current } = storage.walReplay();
  return success({ min, max, current });
};

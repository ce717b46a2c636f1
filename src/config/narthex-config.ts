/**
 * The second file: settings that only Narthex has. They stand apart so that the main file stays one that Prometheus and
 * promtool accept. docs/operating.md describes them.
 */
import { ConfigError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { dirName, joinDirectory } from "./path.ts";
import { type ConfigNode, parseYaml } from "./yaml-node.ts";

export interface NarthexConfig {
  readonly tsdb: {
    readonly limits: {
      /** How many series the head may have; 0: any number. */
      readonly maxSeries: number;
      /** The same by the `job` label; jobs that are not named have no limit of their own. */
      readonly maxSeriesPerJob: Readonly<Record<string, number>>;
    };
    /** Series that are kept for a shorter time than the others; the first rule that matches counts. */
    readonly retentionRules: readonly RetentionRuleConfig[];
  };
}

export interface RetentionRuleConfig {
  /** A series selector. */
  readonly match: string;
  readonly timeMs: number;
}

/** Throws where a text is no series selector. */
export type CheckSelector = (text: string) => void;

const defaults: NarthexConfig = {
  tsdb: { limits: { maxSeries: 0, maxSeriesPerJob: {} }, retentionRules: [] },
};

export function parseNarthexConfig(
  content: Uint8Array | string,
  file: string,
  checkSelector: CheckSelector,
): NarthexConfig {
  let { limits, retentionRules } = defaults.tsdb;
  parseYaml(content, file).readFields({
    tsdb: (tsdb) =>
      tsdb.readFields({
        limits: (value) => {
          limits = readLimits(value);
        },
        retention_rules: (value) => {
          retentionRules = value.items().map((rule) => readRetentionRule(rule, checkSelector));
        },
      }),
  });
  return { tsdb: { limits, retentionRules } };
}

function readLimits(node: ConfigNode): NarthexConfig["tsdb"]["limits"] {
  let maxSeries = 0;
  const maxSeriesPerJob: Record<string, number> = {};
  node.readFields({
    max_series: (value) => {
      maxSeries = value.count();
    },
    max_series_per_job: (value) => {
      for (const [job, count] of value.entries()) maxSeriesPerJob[job] = count.count();
    },
  });
  return { maxSeries, maxSeriesPerJob };
}

function readRetentionRule(node: ConfigNode, checkSelector: CheckSelector): RetentionRuleConfig {
  let match = "";
  let timeMs = 0;
  node.readFields({
    match: (value) => {
      match = value.text();
      value.attempt(() => checkSelector(match));
    },
    time: (value) => {
      timeMs = value.durationMs();
      if (timeMs <= 0) throw value.error("how long the series are kept: a duration above 0 expected");
    },
  });
  if (match === "") throw node.error('a "match" is missing: the selector of the series');
  if (timeMs === 0) throw node.error('a "time" is missing: how long the series are kept');
  return { match, timeMs };
}

/**
 * `file` as --narthex.config.file names it; "" means `narthex.yml` beside the main file, which need not exist. Throws a
 * ConfigError.
 */
export function loadNarthexConfig(
  fs: Pick<Fs, "readFile" | "stat">,
  file: string,
  mainFile: string,
  checkSelector: CheckSelector,
): NarthexConfig {
  const beside = joinDirectory(dirName(mainFile), "narthex.yml");
  if (file === "" && fs.stat(beside) === undefined) return defaults;
  const path = file === "" ? beside : file;
  return parseNarthexConfig(readFile(fs, path), path, checkSelector);
}

function readFile(fs: Pick<Fs, "readFile">, path: string): Uint8Array {
  try {
    return fs.readFile(path);
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigError(path, 0, "", `cannot be read: ${message}; --narthex.config.file names it`, {
      cause: error,
    });
  }
}

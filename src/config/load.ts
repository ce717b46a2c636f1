/** Reads and checks the configuration: the main file and the job files that it names. */
import type { Logger } from "../base/env.ts";
import { silentLogger } from "../base/env.ts";
import { ConfigError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { readAlerting } from "./alerting-config.ts";
import type { AlertingConfig, Config, GlobalConfig, ScrapeConfig, StorageConfig } from "./config.ts";
import type { GetEnv } from "./environment.ts";
import { checkGlob, glob } from "./glob.ts";
import { defaultGlobal, type GlobalDefaults, readGlobal } from "./global-config.ts";
import { refuse } from "./http-config.ts";
import { dirName, joinDirectory } from "./path.ts";
import { readScrapeConfig } from "./scrape-config.ts";
import { protoFirstScrapeProtocols } from "./scrape-protocols.ts";
import { type Retention, readStorage, xorHasNoStarts } from "./storage-config.ts";
import { type ConfigNode, parseYaml } from "./yaml-node.ts";

export interface ConfigEnv {
  readonly fs: Pick<Fs, "readFile" | "stat" | "list">;
  readonly getEnv: GetEnv;
  readonly logger?: Logger;
}

/** What the command line says about the configuration's defaults. */
export interface ConfigOptions {
  /** Used where the file has no `storage.tsdb.retention` block. */
  readonly retention: Retention;
  /** The names given to --enable-feature; some change defaults. */
  readonly features: ReadonlySet<string>;
}

export const defaultConfigOptions: ConfigOptions = {
  retention: { timeMs: 15 * 86_400_000, sizeBytes: 0, percentage: 0 },
  features: new Set(),
};

/** Throws a ConfigError that names file, line and key, or the file system's error where the file cannot be read. */
export function loadConfig(env: ConfigEnv, file: string, options = defaultConfigOptions): Config {
  const config = parseConfig(env, env.fs.readFile(file), file, options);
  return { ...config, allScrapeConfigs: addJobFiles(env, config) };
}

/** The main file alone. */
export function parseConfig(
  env: Pick<ConfigEnv, "getEnv" | "logger">,
  content: Uint8Array | string,
  file: string,
  options = defaultConfigOptions,
): Config {
  const dir = dirName(file);
  const defaults = globalDefaults(options.features);
  let global: GlobalConfig = defaultGlobal(defaults);
  let gogc = 0;
  let alerting: AlertingConfig = { alertmanagers: [] };
  let jobs: ConfigNode | undefined;
  let storage: ConfigNode | undefined;
  let scrapeConfigFiles: readonly string[] = [];
  parseYaml(content, file).readFields({
    global: (node) => {
      global = readGlobal(node, defaults, warnOfMissing(env));
    },
    runtime: (node) =>
      node.readFields({
        gogc: (value) => {
          gogc = value.integer();
        },
      }),
    alerting: (node) => {
      alerting = readAlerting(node);
    },
    rule_files: (node) => refuse(node, "recording and alerting rules"),
    scrape_config_files: (node) => {
      scrapeConfigFiles = node.items().map((item) => readJobFilePattern(item, dir));
    },
    scrape_configs: (node) => {
      jobs = node;
    },
    storage: (node) => {
      storage = node;
    },
    tracing: (node) => refuse(node, "sending traces"),
    remote_write: (node) => refuse(node, "sending samples to other servers"),
    remote_read: (node) => refuse(node, "reading from other servers"),
    otlp: (node) => refuse(node, "receiving OTLP"),
  });
  const scrapeConfigs = readJobs(jobs, global, dir, new Map(), file);
  return {
    file,
    global,
    runtime: { gogc: gogc === 0 ? defaultGogc(env.getEnv) : gogc },
    alerting,
    scrapeConfigFiles,
    scrapeConfigs,
    allScrapeConfigs: scrapeConfigs,
    storage: readChecked(storage, file, options),
  };
}

function readChecked(
  node: ConfigNode | undefined,
  file: string,
  { retention, features }: ConfigOptions,
): StorageConfig {
  const keepsStarts = features.has("st-storage");
  const storage = readStorage(node, retention, keepsStarts);
  if (keepsStarts && storage.tsdb.floatChunkEncoding === "" && !features.has("xor2-encoding")) {
    throw new ConfigError(file, 0, "storage.tsdb.chunk_encoding.floats", xorHasNoStarts);
  }
  return storage;
}

function globalDefaults(features: ReadonlySet<string>): GlobalDefaults {
  const protoFirst = features.has("created-timestamp-zero-ingestion") || features.has("st-storage");
  return {
    scrapeProtocols: protoFirst ? protoFirstScrapeProtocols : undefined,
    extraScrapeMetrics: features.has("extra-scrape-metrics"),
  };
}

function warnOfMissing({ getEnv, logger = silentLogger }: Pick<ConfigEnv, "getEnv" | "logger">): GetEnv {
  return (name) => {
    const value = getEnv(name);
    if (value === undefined || value === "") {
      logger.warn("Empty environment variable in external_labels", { name });
    }
    return value;
  };
}

/** Go's own variable decides the default, as it does in Prometheus. It has no effect here but is shown. */
function defaultGogc(getEnv: GetEnv): number {
  const text = getEnv("GOGC") ?? "";
  if (text.toLowerCase() === "off") return -1;
  return /^[-+]?\d+$/.test(text) ? Number(text) : 75;
}

function readJobFilePattern(node: ConfigNode, dir: string): string {
  const path = node.text();
  if (!/^[^*]*(?:\*[^/]*)?$/.test(path)) {
    throw node.error(`"${path}" is not a valid path here: * may only stand in the last segment`);
  }
  node.attempt(() => checkGlob(path));
  return joinDirectory(dir, path);
}

/** `names` has the jobs so far and where each stands. */
function readJobs(
  node: ConfigNode | undefined,
  global: GlobalConfig,
  dir: string,
  names: Map<string, string>,
  place: string,
): ScrapeConfig[] {
  const jobs: ScrapeConfig[] = [];
  for (const item of node?.items() ?? []) {
    const job = readScrapeConfig(item, global, dir);
    const first = names.get(job.jobName);
    if (first !== undefined)
      throw item.error(`the job name "${job.jobName}" is taken; it stands in ${first}`);
    names.set(job.jobName, place);
    jobs.push(job);
  }
  return jobs;
}

function addJobFiles(env: ConfigEnv, config: Config): ScrapeConfig[] {
  const jobs = [...config.scrapeConfigs];
  const names = new Map(jobs.map((job) => [job.jobName, config.file]));
  for (const pattern of config.scrapeConfigFiles) {
    for (const file of glob(env.fs, pattern)) {
      let found: ConfigNode | undefined;
      parseYaml(readJobFile(env, file), file).readFields({
        scrape_configs: (node) => {
          found = node;
        },
      });
      jobs.push(...readJobs(found, config.global, dirName(file), names, file));
    }
  }
  return jobs;
}

function readJobFile(env: ConfigEnv, file: string): Uint8Array {
  try {
    return env.fs.readFile(file);
  } catch (error) {
    throw new ConfigError(file, 0, "", `cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** One job of `scrape_configs`. */
import { defaultHttpClientSettings } from "../base/http-client.ts";
import { isValidLabelName, type ValidationScheme } from "../model/relabel.ts";
import type { FileSdConfig, GlobalConfig, ScrapeConfig, ScrapeProtocol, StaticConfig } from "./config.ts";
import { otherDiscoveries } from "./discoveries.ts";
import { readEscapingScheme, readValidationScheme } from "./global-config.ts";
import { HttpConfigReader, refuse } from "./http-config.ts";
import { inheritLimits, limitReaders, noLimits } from "./limits.ts";
import { joinDirectory } from "./path.ts";
import { readRelabelRules } from "./relabel-config.ts";
import {
  defaultScrapeProtocols,
  protoFirstScrapeProtocols,
  readScrapeProtocols,
  scrapeProtocols,
} from "./scrape-protocols.ts";
import type { ConfigNode, FieldReaders } from "./yaml-node.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<ScrapeConfig>;

/** `dir` is the directory of the file: relative paths start there. */
export function readScrapeConfig(node: ConfigNode, global: GlobalConfig, dir: string): ScrapeConfig {
  if (node.isNull) throw node.error("the scrape job is empty");
  const http = new HttpConfigReader(dir);
  const limits = { ...noLimits };
  const draft = emptyDraft(global);
  const late: LateValues = { node };
  node.readFields({
    ...limitReaders(limits),
    ...http.readers,
    ...otherDiscoveries,
    ...plainReaders(draft, late),
    file_sd_configs: (value) => {
      draft.fileSdConfigs = value.items().map((item) => readFileSdConfig(item, dir));
    },
    static_configs: (value) => {
      late.staticConfigs = value;
      draft.staticConfigs = readStaticConfigs(value);
    },
    relabel_configs: (value) => {
      late.relabel = value;
    },
    metric_relabel_configs: (value) => {
      late.metricRelabel = value;
    },
  });
  if (draft.jobName === "") throw node.error("job_name is empty");
  draft.http = http.finish(node);
  draft.enableHttp2 = http.enableHttp2;
  Object.assign(draft, inheritLimits(limits, global));
  draft.scrapeProtocols = late.protocols ?? global.scrapeProtocols ?? protocolsFor(draft);
  finishTimes(draft, late, global);
  finishNames(draft, late, global);
  const scheme = draft.metricNameValidationScheme;
  if (late.relabel !== undefined) draft.relabelConfigs = readRelabelRules(late.relabel, scheme);
  if (late.metricRelabel !== undefined)
    draft.metricRelabelConfigs = readRelabelRules(late.metricRelabel, scheme);
  if (draft.relabelConfigs.length === 0 && late.staticConfigs !== undefined) {
    refuseUrls(late.staticConfigs, draft.staticConfigs);
  }
  return draft;
}

/** Nodes that are needed once the whole job was read: for their values, or for their lines in an error. */
interface LateValues {
  readonly node: ConfigNode;
  timeout?: ConfigNode;
  escaping?: ConfigNode;
  validationGiven?: boolean;
  protocols?: readonly ScrapeProtocol[] | undefined;
  staticConfigs?: ConfigNode;
  relabel?: ConfigNode;
  metricRelabel?: ConfigNode;
}

function emptyDraft(global: GlobalConfig): Draft {
  return {
    jobName: "",
    honorLabels: false,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    params: {},
    scrapeIntervalMs: 0,
    scrapeTimeoutMs: 0,
    scrapeProtocols: defaultScrapeProtocols,
    fallbackScrapeProtocol: "",
    scrapeNativeHistograms: global.scrapeNativeHistograms,
    alwaysScrapeClassicHistograms: global.alwaysScrapeClassicHistograms,
    convertClassicHistogramsToNHCB: global.convertClassicHistogramsToNHCB,
    metricsPath: "/metrics",
    scheme: "http",
    enableCompression: true,
    ...noLimits,
    nativeHistogramBucketLimit: 0,
    nativeHistogramMinBucketFactor: 0,
    metricNameValidationScheme: global.metricNameValidationScheme,
    metricNameEscapingScheme: "allow-utf-8",
    extraScrapeMetrics: global.extraScrapeMetrics,
    http: defaultHttpClientSettings,
    enableHttp2: true,
    relabelConfigs: [],
    metricRelabelConfigs: [],
    fileSdConfigs: [],
    staticConfigs: [],
  };
}

/** The keys whose values need nothing but themselves. */
function plainReaders(draft: Draft, late: LateValues): FieldReaders {
  return {
    job_name: (value) => {
      draft.jobName = value.text();
    },
    honor_labels: (value) => {
      draft.honorLabels = value.boolean();
    },
    honor_timestamps: (value) => {
      draft.honorTimestamps = value.boolean();
    },
    track_timestamps_staleness: (value) => {
      draft.trackTimestampsStaleness = value.boolean();
    },
    params: (value) => {
      draft.params = Object.fromEntries(value.entries().map(([name, values]) => [name, values.texts()]));
    },
    scrape_interval: (value) => {
      draft.scrapeIntervalMs = value.durationMs();
    },
    scrape_timeout: (value) => {
      late.timeout = value;
      draft.scrapeTimeoutMs = value.durationMs();
    },
    scrape_protocols: (value) => {
      late.protocols = readScrapeProtocols(value);
    },
    fallback_scrape_protocol: (value) => {
      draft.fallbackScrapeProtocol = value.text() === "" ? "" : value.oneOf(scrapeProtocols);
    },
    scrape_native_histograms: (value) => {
      if (!value.isNull) draft.scrapeNativeHistograms = value.boolean();
    },
    convert_classic_histograms_to_nhcb: (value) => {
      if (!value.isNull) draft.convertClassicHistogramsToNHCB = value.boolean();
    },
    always_scrape_classic_histograms: (value) => {
      if (!value.isNull) draft.alwaysScrapeClassicHistograms = value.boolean();
    },
    native_histogram_bucket_limit: (value) => {
      draft.nativeHistogramBucketLimit = value.count();
    },
    native_histogram_min_bucket_factor: (value) => {
      draft.nativeHistogramMinBucketFactor = value.number();
    },
    scrape_failure_log_file: (value) => refuse(value, "a log of failed scrapes"),
    metrics_path: (value) => {
      draft.metricsPath = value.text();
    },
    scheme: (value) => {
      draft.scheme = value.text();
    },
    enable_compression: (value) => {
      draft.enableCompression = value.boolean();
    },
    metric_name_validation_scheme: (value) => {
      const scheme = readValidationScheme(value);
      late.validationGiven = scheme !== undefined;
      draft.metricNameValidationScheme = scheme ?? draft.metricNameValidationScheme;
    },
    metric_name_escaping_scheme: (value) => {
      late.escaping = value;
    },
    extra_scrape_metrics: (value) => {
      if (!value.isNull) draft.extraScrapeMetrics = value.boolean();
    },
  };
}

/** Only protobuf has native histograms. */
function protocolsFor({ scrapeNativeHistograms }: Draft): readonly ScrapeProtocol[] {
  return scrapeNativeHistograms ? protoFirstScrapeProtocols : defaultScrapeProtocols;
}

function finishTimes(draft: Draft, late: LateValues, global: GlobalConfig): void {
  if (draft.scrapeIntervalMs === 0) draft.scrapeIntervalMs = global.scrapeIntervalMs;
  if (draft.scrapeTimeoutMs > draft.scrapeIntervalMs) {
    throw (late.timeout ?? late.node).error(
      `the scrape timeout is greater than the scrape interval in job "${draft.jobName}"`,
    );
  }
  if (draft.scrapeTimeoutMs === 0) {
    draft.scrapeTimeoutMs = Math.min(global.scrapeTimeoutMs, draft.scrapeIntervalMs);
  }
}

/** A job that sets only a validation scheme gets the escaping that goes with it, not the global one. */
function finishNames(draft: Draft, late: LateValues, global: GlobalConfig): void {
  const inherited = late.validationGiven === true ? "" : global.metricNameEscapingScheme;
  const own = late.escaping === undefined ? "" : readEscapingScheme(late.escaping);
  const fitting = draft.metricNameValidationScheme === "legacy" ? "underscores" : "allow-utf-8";
  draft.metricNameEscapingScheme = own || inherited || fitting;
  if (draft.metricNameEscapingScheme === "allow-utf-8" && draft.metricNameValidationScheme !== "utf8") {
    throw (late.escaping ?? late.node).error(
      "UTF-8 metric names are asked for (allow-utf-8), but the validation scheme is not utf8",
    );
  }
}

function readFileSdConfig(node: ConfigNode, dir: string): FileSdConfig {
  if (node.isNull) throw node.error("the file discovery is empty");
  let files: readonly string[] = [];
  let refreshIntervalMs = 5 * 60_000;
  node.readFields({
    files: (value) => {
      files = value.items().map((item) => {
        const path = item.text();
        if (!/^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/.test(path)) {
          throw item.error(
            `"${path}" is not a valid path here: it must end in .json, .yml or .yaml, with * only in the last segment`,
          );
        }
        return joinDirectory(dir, path);
      });
    },
    refresh_interval: (value) => {
      refreshIntervalMs = value.durationMs();
    },
  });
  if (files.length === 0) throw node.error("at least one path is needed in files");
  return { files, refreshIntervalMs };
}

export function readStaticConfigs(node: ConfigNode): StaticConfig[] {
  return node.items().map((item) => {
    if (item.isNull) throw item.error("the static configuration is empty");
    return readTargetGroup(item);
  });
}

/** Targets with their common labels, as static configurations and discovery files have them. */
export function readTargetGroup(node: ConfigNode): StaticConfig {
  let targets: readonly string[] = [];
  let labels: Readonly<Record<string, string>> = {};
  node.readFields({
    targets: (value) => {
      targets = value.texts();
    },
    labels: (value) => {
      labels = readLabels(value, "utf8");
    },
  });
  return { targets, labels };
}

/** A mapping of label names to values. */
export function readLabels(node: ConfigNode, scheme: ValidationScheme): Record<string, string> {
  return Object.fromEntries(
    node.entries().map(([name, value]) => {
      if (!isValidLabelName(name, scheme)) throw value.error(`"${name}" is not a valid label name`);
      return [name, value.text()];
    }),
  );
}

/** Targets are hosts and ports; a URL is a common mistake, which only relabelling could turn into an address. */
function refuseUrls(node: ConfigNode, groups: readonly StaticConfig[]): void {
  const url = groups.flatMap((group) => group.targets).find((target) => target.includes("/"));
  if (url !== undefined) throw node.error(`"${url}" is not a valid hostname`);
}

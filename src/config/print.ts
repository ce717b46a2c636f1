/**
 * The configuration as Prometheus 3.14 shows it under `status/config`: defaults filled in, secrets masked, keys in
 * Prometheus's order, and left out where Prometheus leaves them out.
 */
import type { HttpClientSettings } from "../base/http-client.ts";
import { formatDuration } from "../model/duration.ts";
import type { RelabelRule } from "../model/relabel.ts";
import type {
  AlertmanagerConfig,
  Config,
  FileSdConfig,
  GlobalConfig,
  ScrapeConfig,
  StaticConfig,
  StorageConfig,
} from "./config.ts";
import type { Limits } from "./limits.ts";
import { formatSize } from "./size.ts";
import { FlowList, printYaml, YamlMap, type YamlValue } from "./yaml-emitter.ts";

type Entries = (readonly [string, YamlValue | undefined])[];

const secretMask = "<secret>";

export function printConfig(config: Config): string {
  const { alertmanagers } = config.alerting;
  return printYaml(
    new YamlMap([
      ["global", globalBlock(config.global)],
      ["runtime", new YamlMap([["gogc", config.runtime.gogc]])],
      [
        "alerting",
        alertmanagers.length === 0
          ? undefined
          : new YamlMap([["alertmanagers", alertmanagers.map(alertmanagerBlock)]]),
      ],
      ["scrape_config_files", list(config.scrapeConfigFiles)],
      ["scrape_configs", list(config.scrapeConfigs.map(scrapeBlock))],
      ["storage", storageBlock(config.storage)],
      ["otlp", otlpDefaults],
    ]),
  );
}

/** One job as YAML, for `scrape_pools/config`. */
export function printScrapeConfig(config: ScrapeConfig): string {
  return printYaml(scrapeBlock(config));
}

/** Undefined, which leaves the key out, for what Prometheus takes for "not set". */
const text = (value: string) => (value === "" ? undefined : value);
const number = (value: number) => (value === 0 ? undefined : value);
const ifTrue = (value: boolean) => (value ? true : undefined);
const secret = (value: string) => (value === "" ? undefined : secretMask);
const list = (items: readonly YamlValue[]) => (items.length === 0 ? undefined : items);
const duration = (ms: number) => (ms === 0 ? undefined : formatDuration(ms));
const size = (bytes: number) => (bytes === 0 ? undefined : formatSize(bytes));

function mapping<T>(
  values: Readonly<Record<string, T>>,
  print: (value: T) => YamlValue,
): YamlMap | undefined {
  const entries = Object.entries(values).map(([name, value]) => [name, print(value)] as const);
  return entries.length === 0 ? undefined : YamlMap.sorted(entries);
}

/** There is no receiver yet; Prometheus shows these defaults all the same. */
const otlpDefaults = new YamlMap([
  ["translation_strategy", "UnderscoreEscapingWithSuffixes"],
  ["label_name_underscore_sanitization", true],
  ["label_name_preserve_multiple_underscores", true],
]);

function limitEntries(limits: Limits): Entries {
  return [
    ["body_size_limit", size(limits.bodySizeLimitBytes)],
    ["sample_limit", number(limits.sampleLimit)],
    ["target_limit", number(limits.targetLimit)],
    ["label_limit", number(limits.labelLimit)],
    ["label_name_length_limit", number(limits.labelNameLengthLimit)],
    ["label_value_length_limit", number(limits.labelValueLengthLimit)],
  ];
}

function globalBlock(global: GlobalConfig): YamlMap {
  return new YamlMap([
    ["scrape_interval", duration(global.scrapeIntervalMs)],
    ["scrape_timeout", duration(global.scrapeTimeoutMs)],
    ["scrape_protocols", global.scrapeProtocols],
    ["evaluation_interval", duration(global.evaluationIntervalMs)],
    ["rule_query_offset", duration(global.ruleQueryOffsetMs)],
    ["external_labels", mapping(global.externalLabels, (value) => value)],
    ...limitEntries(global),
    ["keep_dropped_targets", number(global.keepDroppedTargets)],
    ["metric_name_validation_scheme", global.metricNameValidationScheme],
    ["metric_name_escaping_scheme", text(global.metricNameEscapingScheme)],
    ["scrape_native_histograms", global.scrapeNativeHistograms],
    ["convert_classic_histograms_to_nhcb", ifTrue(global.convertClassicHistogramsToNHCB)],
    ["always_scrape_classic_histograms", ifTrue(global.alwaysScrapeClassicHistograms)],
    ["extra_scrape_metrics", global.extraScrapeMetrics],
  ]);
}

function scrapeBlock(job: ScrapeConfig): YamlMap {
  return new YamlMap([
    ["job_name", job.jobName],
    ["honor_labels", ifTrue(job.honorLabels)],
    ["honor_timestamps", job.honorTimestamps],
    ["track_timestamps_staleness", job.trackTimestampsStaleness],
    ["params", mapping(job.params, (values) => values)],
    ["scrape_interval", duration(job.scrapeIntervalMs)],
    ["scrape_timeout", duration(job.scrapeTimeoutMs)],
    ["scrape_protocols", job.scrapeProtocols],
    ["fallback_scrape_protocol", text(job.fallbackScrapeProtocol)],
    ["scrape_native_histograms", job.scrapeNativeHistograms],
    ["always_scrape_classic_histograms", job.alwaysScrapeClassicHistograms],
    ["convert_classic_histograms_to_nhcb", job.convertClassicHistogramsToNHCB],
    ["metrics_path", text(job.metricsPath)],
    ["scheme", text(job.scheme)],
    ["enable_compression", job.enableCompression],
    ...limitEntries(job),
    ["native_histogram_bucket_limit", number(job.nativeHistogramBucketLimit)],
    ["native_histogram_min_bucket_factor", number(job.nativeHistogramMinBucketFactor)],
    ["keep_dropped_targets", number(job.keepDroppedTargets)],
    ["metric_name_validation_scheme", job.metricNameValidationScheme],
    ["metric_name_escaping_scheme", job.metricNameEscapingScheme],
    ["extra_scrape_metrics", job.extraScrapeMetrics],
    ...httpEntries(job.http, job.enableHttp2),
    ["relabel_configs", list(job.relabelConfigs.map(relabelBlock))],
    ["metric_relabel_configs", list(job.metricRelabelConfigs.map(relabelBlock))],
    ["file_sd_configs", list(job.fileSdConfigs.map(fileSdBlock))],
    ["static_configs", list(job.staticConfigs.map(staticBlock))],
  ]);
}

function httpEntries(http: HttpClientSettings, enableHttp2: boolean): Entries {
  const { basicAuth, authorization } = http;
  return [
    [
      "basic_auth",
      basicAuth &&
        new YamlMap([
          ["username", text(basicAuth.username)],
          ["username_file", text(basicAuth.usernameFile)],
          ["password", secret(basicAuth.password)],
          ["password_file", text(basicAuth.passwordFile)],
        ]),
    ],
    [
      "authorization",
      authorization &&
        new YamlMap([
          ["type", authorization.type],
          ["credentials", secret(authorization.credentials)],
          ["credentials_file", text(authorization.credentialsFile)],
        ]),
    ],
    ["follow_redirects", http.followRedirects],
    ["enable_http2", enableHttp2],
    ["proxy_url", text(http.proxyUrl.replace(/^(\w+:\/\/[^/@:]*):[^/@]*@/, "$1:xxxxx@"))],
    ["no_proxy", text(http.noProxy)],
    ["proxy_from_environment", ifTrue(http.proxyFromEnvironment)],
    ["proxy_connect_header", mapping(http.proxyConnectHeader, (values) => values.map(() => secretMask))],
    [
      "http_headers",
      mapping(
        http.headers,
        (header) =>
          new YamlMap([
            ["values", list(header.values)],
            ["secrets", list(header.secrets.map(() => secretMask))],
            ["files", list(header.files)],
          ]),
      ),
    ],
  ];
}

function relabelBlock(rule: RelabelRule): YamlMap {
  return new YamlMap([
    ["source_labels", rule.sourceLabels.length === 0 ? undefined : new FlowList(rule.sourceLabels)],
    ["separator", rule.separator],
    ["regex", rule.regex],
    ["modulus", number(rule.modulus)],
    ["target_label", text(rule.targetLabel)],
    ["replacement", rule.replacement],
    ["action", rule.action],
  ]);
}

function fileSdBlock(config: FileSdConfig): YamlMap {
  return new YamlMap([
    ["files", config.files],
    ["refresh_interval", duration(config.refreshIntervalMs)],
  ]);
}

function staticBlock(config: StaticConfig): YamlMap {
  return new YamlMap([
    ["targets", config.targets],
    ["labels", mapping(config.labels, (value) => value)],
  ]);
}

function alertmanagerBlock(config: AlertmanagerConfig): YamlMap {
  return new YamlMap([
    ["follow_redirects", config.followRedirects],
    ["enable_http2", config.enableHttp2],
    ["scheme", text(config.scheme)],
    ["path_prefix", text(config.pathPrefix)],
    ["timeout", duration(config.timeoutMs)],
    ["api_version", "v2"],
    ["static_configs", list(config.staticConfigs.map(staticBlock))],
  ]);
}

function storageBlock({ tsdb, exemplars }: StorageConfig): YamlMap {
  const { retention } = tsdb;
  return new YamlMap([
    [
      "tsdb",
      new YamlMap([
        ["outofordertimewindow", tsdb.outOfOrderTimeWindowMs],
        ["out_of_order_time_window", duration(tsdb.outOfOrderTimeWindowMs)],
        ["stale_series_compaction_threshold", number(tsdb.staleSeriesCompactionThreshold)],
        [
          "chunk_encoding",
          tsdb.floatChunkEncoding === "" ? undefined : new YamlMap([["floats", tsdb.floatChunkEncoding]]),
        ],
        [
          "retention",
          new YamlMap([
            ["time", duration(retention.timeMs)],
            ["size", size(retention.sizeBytes)],
            ["percentage", number(retention.percentage)],
          ]),
        ],
      ]),
    ],
    ["exemplars", exemplars && new YamlMap([["max_exemplars", number(exemplars.maxExemplars)]])],
  ]);
}

/**
 * The configuration after parsing: every default filled in, every value checked. Durations are milliseconds, sizes
 * bytes; a limit of 0 means "no limit". Plain objects, so that they can be compared and posted.
 */
import type { HttpClientSettings } from "../base/http-client.ts";
import type { RelabelRule, ValidationScheme } from "../model/relabel.ts";

export type ScrapeProtocol =
  | "PrometheusProto"
  | "OpenMetricsText1.0.0"
  | "OpenMetricsText0.0.1"
  | "PrometheusText1.0.0"
  | "PrometheusText0.0.4";

export type EscapingScheme = "allow-utf-8" | "underscores" | "dots" | "values";

export interface Config {
  /** The file it was read from. */
  readonly file: string;
  readonly global: GlobalConfig;
  readonly runtime: { readonly gogc: number };
  readonly alerting: AlertingConfig;
  /** Glob patterns, relative ones already joined with the directory of the file. */
  readonly scrapeConfigFiles: readonly string[];
  /** The jobs of the main file, which is what `status/config` shows. */
  readonly scrapeConfigs: readonly ScrapeConfig[];
  /** The jobs of the main file and of all `scrape_config_files`: what is to be scraped. */
  readonly allScrapeConfigs: readonly ScrapeConfig[];
  readonly storage: StorageConfig;
}

export interface GlobalConfig {
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  /** Undefined: each job has the default. */
  readonly scrapeProtocols: readonly ScrapeProtocol[] | undefined;
  readonly evaluationIntervalMs: number;
  readonly ruleQueryOffsetMs: number;
  /** Name and value; environment variables already expanded. */
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
  readonly metricNameValidationScheme: ValidationScheme;
  /** "" where the file leaves it open: it then follows the validation scheme. */
  readonly metricNameEscapingScheme: EscapingScheme | "";
  readonly scrapeNativeHistograms: boolean;
  readonly convertClassicHistogramsToNHCB: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly extraScrapeMetrics: boolean;
}

export interface ScrapeConfig {
  readonly jobName: string;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  /** Most wanted first. */
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | "";
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNHCB: boolean;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly enableCompression: boolean;
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly keepDroppedTargets: number;
  readonly metricNameValidationScheme: ValidationScheme;
  readonly metricNameEscapingScheme: EscapingScheme;
  readonly extraScrapeMetrics: boolean;
  readonly http: HttpClientSettings;
  /** Accepted as Prometheus does; connections speak HTTP/1.1, which every server understands. */
  readonly enableHttp2: boolean;
  readonly relabelConfigs: readonly RelabelRule[];
  readonly metricRelabelConfigs: readonly RelabelRule[];
  readonly fileSdConfigs: readonly FileSdConfig[];
  readonly staticConfigs: readonly StaticConfig[];
}

export interface StaticConfig {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface FileSdConfig {
  /** Glob patterns, relative ones already joined with the directory of the file. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
}

export interface StorageConfig {
  readonly tsdb: TsdbConfig;
  /** Undefined where the file has no `exemplars` block. */
  readonly exemplars: { readonly maxExemplars: number } | undefined;
}

export interface TsdbConfig {
  readonly outOfOrderTimeWindowMs: number;
  readonly staleSeriesCompactionThreshold: number;
  /** "" where the file leaves it open. */
  readonly floatChunkEncoding: "" | "xor" | "xor2";
  /** From the file's `retention` block where there is one, otherwise from the flags. 0: no bound of this kind. */
  readonly retention: {
    readonly timeMs: number;
    readonly sizeBytes: number;
    readonly percentage: number;
  };
}

/** Alertmanagers without targets, which is what the usual example file has: nothing is sent yet. */
export interface AlertingConfig {
  readonly alertmanagers: readonly AlertmanagerConfig[];
}

export interface AlertmanagerConfig {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
  readonly staticConfigs: readonly StaticConfig[];
}

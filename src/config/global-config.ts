/** The `global` block. */
import { isValidLabelName, type ValidationScheme } from "../model/relabel.ts";
import type { EscapingScheme, GlobalConfig } from "./config.ts";
import { expandEnvironment, type GetEnv } from "./environment.ts";
import { refuse } from "./http-config.ts";
import { limitReaders, noLimits } from "./limits.ts";
import { readScrapeProtocols } from "./scrape-protocols.ts";
import type { ConfigNode } from "./yaml-node.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const escapingSchemes: readonly EscapingScheme[] = ["allow-utf-8", "underscores", "dots", "values"];

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** What feature flags change in the defaults. */
export type GlobalDefaults = Pick<GlobalConfig, "scrapeProtocols" | "extraScrapeMetrics">;

/** The block as it is when the file has none, or an empty one. */
export function defaultGlobal(defaults: GlobalDefaults): GlobalConfig {
  return {
    scrapeIntervalMs: minuteMs,
    scrapeTimeoutMs: 10 * secondMs,
    evaluationIntervalMs: minuteMs,
    ruleQueryOffsetMs: 0,
    externalLabels: {},
    ...noLimits,
    metricNameValidationScheme: "utf8",
    metricNameEscapingScheme: "allow-utf-8",
    scrapeNativeHistograms: false,
    convertClassicHistogramsToNHCB: false,
    alwaysScrapeClassicHistograms: false,
    ...defaults,
  };
}

export function readGlobal(node: ConfigNode, defaults: GlobalDefaults, getEnv: GetEnv): GlobalConfig {
  if (node.isNull) return defaultGlobal(defaults);
  const limits = { ...noLimits };
  const global: Mutable<GlobalConfig> = {
    ...defaultGlobal(defaults),
    scrapeIntervalMs: 0,
    scrapeTimeoutMs: 0,
    evaluationIntervalMs: 0,
    metricNameEscapingScheme: "",
  };
  let externalLabels: ConfigNode | undefined;
  let timeout = node;
  node.readFields({
    ...limitReaders(limits),
    scrape_interval: (value) => {
      global.scrapeIntervalMs = value.durationMs();
    },
    scrape_timeout: (value) => {
      timeout = value;
      global.scrapeTimeoutMs = value.durationMs();
    },
    scrape_protocols: (value) => {
      global.scrapeProtocols = readScrapeProtocols(value) ?? defaults.scrapeProtocols;
    },
    evaluation_interval: (value) => {
      global.evaluationIntervalMs = value.durationMs();
    },
    rule_query_offset: (value) => {
      global.ruleQueryOffsetMs = value.durationMs();
    },
    query_log_file: (value) => refuse(value, "a log of queries"),
    scrape_failure_log_file: (value) => refuse(value, "a log of failed scrapes"),
    external_labels: (value) => {
      externalLabels = value;
    },
    metric_name_validation_scheme: (value) => {
      global.metricNameValidationScheme = readValidationScheme(value) ?? "utf8";
    },
    metric_name_escaping_scheme: (value) => {
      global.metricNameEscapingScheme = readEscapingScheme(value);
    },
    scrape_native_histograms: (value) => {
      global.scrapeNativeHistograms = value.boolean();
    },
    convert_classic_histograms_to_nhcb: (value) => {
      global.convertClassicHistogramsToNHCB = value.boolean();
    },
    always_scrape_classic_histograms: (value) => {
      global.alwaysScrapeClassicHistograms = value.boolean();
    },
    extra_scrape_metrics: (value) => {
      global.extraScrapeMetrics = value.isNull ? defaults.extraScrapeMetrics : value.boolean();
    },
  });
  if (global.scrapeIntervalMs === 0) global.scrapeIntervalMs = minuteMs;
  if (global.scrapeTimeoutMs > global.scrapeIntervalMs) {
    throw timeout.error("the scrape timeout is greater than the scrape interval");
  }
  if (global.scrapeTimeoutMs === 0) {
    global.scrapeTimeoutMs = Math.min(10 * secondMs, global.scrapeIntervalMs);
  }
  if (global.evaluationIntervalMs === 0) global.evaluationIntervalMs = minuteMs;
  if (externalLabels !== undefined) {
    global.externalLabels = readExternalLabels(externalLabels, global.metricNameValidationScheme, getEnv);
  }
  return { ...global, ...limits };
}

/** Undefined for an empty value. */
export function readValidationScheme(node: ConfigNode): ValidationScheme | undefined {
  return node.text() === "" ? undefined : node.oneOf(["utf8", "legacy"] as const);
}

export function readEscapingScheme(node: ConfigNode): EscapingScheme | "" {
  return node.text() === "" ? "" : node.oneOf(escapingSchemes);
}

function readExternalLabels(
  node: ConfigNode,
  scheme: ValidationScheme,
  getEnv: GetEnv,
): Record<string, string> {
  return Object.fromEntries(
    node.entries().map(([name, value]) => {
      if (!isValidLabelName(name, scheme)) throw value.error(`"${name}" is not a valid label name`);
      return [name, expandEnvironment(value.text(), getEnv)];
    }),
  );
}

/**
 * From what discovery found to the labels of a target: the job's settings become labels (`__scheme__`,
 * `__metrics_path__`, `__param_x` …), relabelling may change them all, and what is left says how the target is reached.
 */
import { ParseError } from "../base/errors.ts";
import type { ScrapeConfig } from "../config/config.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import { Labels } from "../model/labels.ts";
import { LabelsBuilder } from "../model/labels-builder.ts";
import { relabelBuilder } from "../model/relabel.ts";
import type { HistogramOptions } from "../textparse/events.ts";

type LabelSet = Readonly<Record<string, string>>;

/** Labels that may turn a setting of the job on or off for one target, and what an error calls them. */
const switches = [
  ["__convert_classic_histograms_to_nhcb__", "convert classic histograms to nhcb"],
  ["__always_scrape_classic_histograms__", "always scrape classic histograms"],
  ["__scrape_native_histograms__", "scrape native histograms"],
] as const;

/** Before relabelling. The target's own labels win over those of its group, both over the job's settings. */
export function discoveredLabels(job: ScrapeConfig, target: LabelSet, group: LabelSet): Labels {
  const labels = new LabelsBuilder();
  for (const [name, value] of Object.entries({ ...group, ...target })) labels.set(name, value);
  const settings = [
    ["job", job.jobName],
    ["__scrape_interval__", formatDuration(job.scrapeIntervalMs)],
    ["__scrape_timeout__", formatDuration(job.scrapeTimeoutMs)],
    ["__metrics_path__", job.metricsPath],
    ["__scheme__", job.scheme],
    ["__convert_classic_histograms_to_nhcb__", String(job.convertClassicHistogramsToNHCB)],
    ["__always_scrape_classic_histograms__", String(job.alwaysScrapeClassicHistograms)],
    ["__scrape_native_histograms__", String(job.scrapeNativeHistograms)],
    ...Object.entries(job.params)
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [`__param_${name}`, values[0]]),
  ];
  for (const [name, value] of settings) if (labels.get(name) === "") labels.set(name, value);
  return labels.labels();
}

/**
 * After relabelling, without the `__meta_` labels; undefined where a rule drops the target. Throws an Error where the
 * labels do not make a target.
 */
export function targetLabels(job: ScrapeConfig, discovered: Labels): Labels | undefined {
  const labels = new LabelsBuilder(discovered);
  if (!relabelBuilder(labels, job.relabelConfigs)) return undefined;
  const address = labels.get("__address__");
  if (address === "") throw new Error("no address");
  if (address.includes("/")) throw new Error(`"${address}" is not a valid hostname`);
  const intervalMs = positiveDuration(labels.get("__scrape_interval__"), "scrape interval");
  const timeoutMs = positiveDuration(labels.get("__scrape_timeout__"), "scrape timeout");
  if (timeoutMs > intervalMs) {
    throw new Error(
      `scrape timeout cannot be greater than scrape interval ("${labels.get("__scrape_timeout__")}" > "${labels.get("__scrape_interval__")}")`,
    );
  }
  for (const [name, what] of switches) {
    const value = labels.get(name);
    if (value !== "" && !/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
      throw new Error(`error parsing ${what}: "${value}" is neither true nor false`);
    }
  }
  for (const [name] of labels.entries()) if (name.startsWith("__meta_")) labels.delete(name);
  if (labels.get("instance") === "") labels.set("instance", address);
  return labels.labels();
}

function positiveDuration(text: string, what: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Error(`error parsing ${what}: ${error.message}`, { cause: error });
  }
  if (ms === 0) throw new Error(`${what} cannot be 0`);
  return ms;
}

/** What the labels after relabelling say about histograms. */
export function histogramOptions(labels: Labels): HistogramOptions {
  const isOn = (name: (typeof switches)[number][0]) => /^(?:1|t|T|TRUE|true|True)$/.test(labels.get(name));
  return {
    native: isOn("__scrape_native_histograms__"),
    classic: isOn("__always_scrape_classic_histograms__"),
    convert: isOn("__convert_classic_histograms_to_nhcb__"),
  };
}

/** The labels that go on every series of the target. */
export function publicLabels(labels: Labels): Labels {
  const pairs: string[] = [];
  for (const [name, value] of labels.entries()) if (!name.startsWith("__")) pairs.push(name, value);
  return new Labels(pairs);
}

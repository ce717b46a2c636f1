/** The exposition formats a job may ask for, and in which order it does unless told otherwise. */
import type { ScrapeProtocol } from "./config.ts";
import type { ConfigNode } from "./yaml-node.ts";

export const scrapeProtocols: readonly ScrapeProtocol[] = [
  "OpenMetricsText0.0.1",
  "OpenMetricsText1.0.0",
  "PrometheusProto",
  "PrometheusText0.0.4",
  "PrometheusText1.0.0",
];

export const defaultScrapeProtocols: readonly ScrapeProtocol[] = [
  "OpenMetricsText1.0.0",
  "OpenMetricsText0.0.1",
  "PrometheusText1.0.0",
  "PrometheusText0.0.4",
];

/** The default where native histograms are scraped; `created-timestamp-zero-ingestion` and `st-storage` make it so too. */
export const protoFirstScrapeProtocols: readonly ScrapeProtocol[] = [
  "PrometheusProto",
  ...defaultScrapeProtocols,
];

/** Undefined for an empty value. */
export function readScrapeProtocols(node: ConfigNode): readonly ScrapeProtocol[] | undefined {
  if (node.isNull) return undefined;
  const items = node.items();
  if (items.length === 0) throw node.error("at least one scrape protocol is needed");
  const seen = new Set<ScrapeProtocol>();
  for (const item of items) {
    const protocol = item.oneOf(scrapeProtocols);
    if (seen.has(protocol)) throw item.error(`the protocol ${protocol} is listed twice`);
    seen.add(protocol);
  }
  return [...seen];
}

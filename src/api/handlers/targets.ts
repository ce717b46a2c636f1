/** targets and scrape_pools: what is scraped, and what relabelling dropped. */
import { compareUtf8 } from "../../base/strings.ts";
import { success } from "../answer.ts";
import { type ExternalAddress, globalUrl } from "../global-url.ts";
import type { Handler } from "../handler.ts";
import { goTime, RawJson, wholeNanos } from "../json/go-json.ts";
import { pairsJson } from "../json/labels-json.ts";

import type { DroppedTargetStatus, TargetStatus } from "../services.ts";

/** Only the URL's parameters count here, as in Prometheus. */
export function targets(address: ExternalAddress): Handler {
  return ({ scrape }, { urlValues }) => {
    const pool = urlValues.get("scrapePool");
    const state = urlValues.get("state").toLowerCase();
    const showAll = state === "" || state === "any";
    const showDropped = showAll || state === "dropped";
    const wanted = (target: { scrapePool: string }) => pool === "" || target.scrapePool === pool;
    const active = showAll || state === "active" ? scrape.activeTargets().filter(wanted) : [];
    const dropped = showDropped ? scrape.droppedTargets().filter(wanted) : [];
    return success({
      activeTargets: byPool(active).map((target) => activeJson(target, address)),
      droppedTargets: byPool(dropped).map(droppedJson),
      droppedTargetCounts: showDropped ? sortedCounts(scrape.droppedCounts()) : null,
    });
  };
}

export const scrapePools: Handler = ({ scrape }) =>
  success({ scrapePools: [...scrape.pools()].sort(compareUtf8) });

/** Stable: within a pool the order stays. */
function byPool<T extends { readonly scrapePool: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => compareUtf8(a.scrapePool, b.scrapePool));
}

function activeJson(target: TargetStatus, address: ExternalAddress) {
  const { url, problem } = globalUrl(target.scrapeUrl, address);
  return {
    discoveredLabels: new RawJson(pairsJson(target.discoveredLabels)),
    labels: new RawJson(pairsJson(target.labels)),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: url,
    lastError: problem === "" ? target.lastError : `${target.lastError}: ${problem}`,
    lastScrape: goTime(target.lastScrapeMs),
    lastScrapeDuration: wholeNanos(target.lastScrapeDurationMs / 1000),
    health: target.health,
    scrapeInterval: target.scrapeInterval,
    scrapeTimeout: target.scrapeTimeout,
  };
}

function droppedJson(target: DroppedTargetStatus) {
  return {
    discoveredLabels: new RawJson(pairsJson(target.discoveredLabels)),
    scrapePool: target.scrapePool,
  };
}

function sortedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => compareUtf8(a, b)));
}

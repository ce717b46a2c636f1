import type { Labels } from "../model/labels.ts";
import { publicLabels } from "./target-labels.ts";
import { targetUrl } from "./target-url.ts";

type Params = Readonly<Record<string, readonly string[]>>;

export type TargetHealth = "unknown" | "up" | "down";

/**
 * Something to scrape, and how its last scrape went. Targets are the same when labels and URL are; what was discovered
 * may change under it.
 */
export class Target {
  /** After relabelling, with the labels that start with "__". */
  readonly labels: Labels;
  readonly publicLabels: Labels;
  readonly url: string;
  /** Equal for equal targets. Its hash is the target's phase, so it must stay the same from version to version. */
  readonly key: string;
  discovered: Labels;
  health: TargetHealth = "unknown";
  /** "" when the last scrape succeeded. */
  lastError = "";
  lastScrapeMs: number | undefined;
  lastDurationMs = 0;

  constructor(labels: Labels, discovered: Labels, params: Params) {
    this.labels = labels;
    this.publicLabels = publicLabels(labels);
    this.url = targetUrl(labels, params);
    this.key = JSON.stringify(labels.pairs) + this.url;
    this.discovered = discovered;
  }

  report(scrapeMs: number, durationMs: number, error: string): void {
    this.health = error === "" ? "up" : "down";
    this.lastError = error;
    this.lastScrapeMs = scrapeMs;
    this.lastDurationMs = durationMs;
  }
}

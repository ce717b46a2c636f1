/** `prometheus_target_*` as far as the main thread knows them: pools, targets, intervals. */
import { Counter, Gauge, Histogram, type Registry, Summary } from "prom-client";
import type { ScrapeObserver } from "../../scrape/observer.ts";
import { durationBuckets, scrapeQuantiles, summaryWindow } from "./windows.ts";

export function scrapeMetrics(registry: Registry): ScrapeObserver {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `prometheus_target_${name}`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `prometheus_target_${name}`, help, labelNames: ["scrape_job"], registers });
  const jobCounter = (name: string, help: string) =>
    new Counter({ name: `prometheus_target_${name}`, help, labelNames: ["scrape_job"], registers });
  const summary = (name: string, help: string, label: string) =>
    new Summary({
      name: `prometheus_target_${name}`,
      help,
      labelNames: [label],
      percentiles: scrapeQuantiles,
      ...summaryWindow,
      registers,
    });
  const histogram = (name: string, help: string, label: string) =>
    new Histogram({
      name: `prometheus_target_${name}`,
      help,
      labelNames: [label],
      buckets: [...durationBuckets],
      registers,
    });

  const intervals = summary("interval_length_seconds", "Time between scrapes of a target.", "interval");
  const intervalBuckets = histogram(
    "interval_length_histogram_seconds",
    "Time between scrapes of a target.",
    "interval",
  );
  const bodies = counter("scrapes_exceeded_body_size_limit_total", "Scrapes whose page was too large.");
  const pools = counter("scrape_pools_total", "Scrape pools that were started.");
  // Starting a pool cannot fail here.
  counter("scrape_pools_failed_total", "Scrape pools that could not be started.");
  const reloads = counter("scrape_pool_reloads_total", "Scrape pools that got a new configuration.");
  counter("scrape_pool_reloads_failed_total", "Scrape pools that refused a new configuration.");
  const reloadTimes = summary(
    "reload_length_seconds",
    "How long a pool took to take over a new configuration.",
    "interval",
  );
  const targets = gauge("scrape_pool_targets", "Targets of a pool.");
  const limits = gauge("scrape_pool_target_limit", "How many targets a pool may have; 0: any number.");
  const overLimit = counter(
    "scrape_pool_exceeded_target_limit_total",
    "Times a pool had more targets than its limit.",
  );
  const syncs = jobCounter("scrape_pool_sync_total", "Times the targets of a pool were brought up to date.");
  const syncTimes = summary(
    "sync_length_seconds",
    "How long bringing a pool's targets up to date took.",
    "scrape_job",
  );
  const syncBuckets = histogram(
    "sync_length_histogram_seconds",
    "How long bringing a pool's targets up to date took.",
    "scrape_job",
  );
  const failed = jobCounter("sync_failed_total", "Targets that could not be made from what was discovered.");
  const ofJob = [targets, limits, syncs, syncTimes, syncBuckets, failed];

  return {
    intervalLength(interval, seconds) {
      intervals.observe({ interval }, seconds);
      intervalBuckets.observe({ interval }, seconds);
    },
    bodySizeExceeded: () => bodies.inc(),
    poolOpened(job) {
      pools.inc();
      failed.inc({ scrape_job: job }, 0);
      syncs.inc({ scrape_job: job }, 0);
    },
    poolClosed(job) {
      for (const metric of ofJob) metric.remove({ scrape_job: job });
    },
    poolReloaded(interval, seconds) {
      reloads.inc();
      reloadTimes.observe({ interval }, seconds);
    },
    poolTargets(job, count, limit) {
      targets.set({ scrape_job: job }, count);
      limits.set({ scrape_job: job }, limit);
    },
    targetLimitExceeded: () => overLimit.inc(),
    synced(job, seconds) {
      syncs.inc({ scrape_job: job });
      syncTimes.observe({ scrape_job: job }, seconds);
      syncBuckets.observe({ scrape_job: job }, seconds);
    },
    targetsFailed: (job, count) => failed.inc({ scrape_job: job }, count),
  };
}

/** What scraping reports for the server's own metrics; each call names the metric it feeds. */
export interface ScrapeObserver {
  /** prometheus_target_interval_length_seconds{interval} and its histogram */
  intervalLength(interval: string, seconds: number): void;
  /** prometheus_target_scrapes_exceeded_body_size_limit_total */
  bodySizeExceeded(): void;
  /** prometheus_target_scrape_pools_total */
  poolOpened(job: string): void;
  /** The pool is gone, and its series with it. */
  poolClosed(job: string): void;
  /** prometheus_target_scrape_pool_reloads_total and prometheus_target_reload_length_seconds{interval} */
  poolReloaded(interval: string, seconds: number): void;
  /** prometheus_target_scrape_pool_targets{scrape_job} and …_target_limit{scrape_job} */
  poolTargets(job: string, targets: number, limit: number): void;
  /** prometheus_target_scrape_pool_exceeded_target_limit_total */
  targetLimitExceeded(): void;
  /** prometheus_target_scrape_pool_sync_total{scrape_job}, prometheus_target_sync_length_seconds{scrape_job} */
  synced(job: string, seconds: number): void;
  /** prometheus_target_sync_failed_total{scrape_job} */
  targetsFailed(job: string, count: number): void;
}

export const silentScrapeObserver: ScrapeObserver = {
  intervalLength() {},
  bodySizeExceeded() {},
  poolOpened() {},
  poolClosed() {},
  poolReloaded() {},
  poolTargets() {},
  targetLimitExceeded() {},
  synced() {},
  targetsFailed() {},
};

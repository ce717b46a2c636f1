/** What happened to scraped samples in the writer thread, for Prometheus's prometheus_target_* counters. */
export interface IngestStats {
  /** prometheus_target_scrapes_exceeded_sample_limit_total */
  sampleLimitExceeded: number;
  /** prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total */
  bucketLimitExceeded: number;
  /** prometheus_target_scrape_pool_exceeded_label_limits_total */
  labelLimitsExceeded: number;
  /** prometheus_target_scrapes_sample_duplicate_timestamp_total */
  duplicateTimestamps: number;
  /** prometheus_target_scrapes_sample_out_of_order_total */
  outOfOrder: number;
  /** prometheus_target_scrapes_sample_out_of_bounds_total */
  outOfBounds: number;
  /** prometheus_target_scrapes_exemplar_out_of_order_total */
  exemplarsOutOfOrder: number;
  /** prometheus_target_scrapes_cache_flush_forced_total */
  cacheFlushesForced: number;
  /** Times that a new series of a page was refused by the storage. */
  seriesRefused: number;
  /** Scrapes of which nothing was stored because the storage's memory was full. */
  scrapesSkipped: number;
  /** Memory that the pages' lines are remembered in, bytes. */
  cacheBytes: number;
}

export function newIngestStats(): IngestStats {
  return {
    sampleLimitExceeded: 0,
    bucketLimitExceeded: 0,
    labelLimitsExceeded: 0,
    duplicateTimestamps: 0,
    outOfOrder: 0,
    outOfBounds: 0,
    exemplarsOutOfOrder: 0,
    cacheFlushesForced: 0,
    seriesRefused: 0,
    scrapesSkipped: 0,
    cacheBytes: 0,
  };
}

/** Summaries look at the last ten minutes, in five parts, as those of Prometheus's client library do. */
export const summaryWindow = { maxAgeSeconds: 600, ageBuckets: 5 } as const;

/** Quantiles of the summaries of scraping. */
export const scrapeQuantiles = [0.01, 0.05, 0.5, 0.9, 0.99];

/** Seconds: the classic buckets of all histograms that Prometheus put beside its older summaries. */
export const durationBuckets = [0.01, 0.1, 1, 10] as const;

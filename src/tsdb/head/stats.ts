/** What the head counts, for prometheus_tsdb_head_* and its like. Counters only rise; gauges are marked. */
export interface HeadStats {
  /** Gauge. */
  series: number;
  seriesCreated: number;
  seriesRemoved: number;
  /** Times that a new series was refused, for want of memory or because of a limit. */
  seriesRefused: number;
  /** Gauge: series whose last sample is a staleness marker. */
  staleSeries: number;
  /** Gauge: chunks in memory and in chunks_head. */
  chunks: number;
  chunksCreated: number;
  chunksRemoved: number;
  /** Gauge: series whose last sample is a native histogram, and the buckets of these. */
  nativeHistogramSeries: number;
  nativeHistogramBuckets: number;
  /** Floats; histograms are counted apart. */
  samplesAppended: number;
  outOfOrder: number;
  outOfBounds: number;
  tooOld: number;
  histogramsAppended: number;
  histogramsOutOfOrder: number;
  histogramsOutOfBounds: number;
  commits: number;
  rollbacks: number;
  truncations: number;
  /** Times that full chunks could not be written. */
  chunkWriteErrors: number;
}

export function newHeadStats(): HeadStats {
  return {
    series: 0,
    seriesCreated: 0,
    seriesRemoved: 0,
    seriesRefused: 0,
    staleSeries: 0,
    chunks: 0,
    chunksCreated: 0,
    chunksRemoved: 0,
    nativeHistogramSeries: 0,
    nativeHistogramBuckets: 0,
    samplesAppended: 0,
    outOfOrder: 0,
    outOfBounds: 0,
    tooOld: 0,
    histogramsAppended: 0,
    histogramsOutOfOrder: 0,
    histogramsOutOfBounds: 0,
    commits: 0,
    rollbacks: 0,
    truncations: 0,
    chunkWriteErrors: 0,
  };
}

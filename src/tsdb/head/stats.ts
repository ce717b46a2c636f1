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
  /** Floats that were stored out of order. */
  lateAppended: number;
  lateHistogramsAppended: number;
  /** Histograms that came later than the window allows. */
  histogramsTooOld: number;
  /** How late the samples were that were taken: cumulative counts up to the bounds, and their sum. */
  lateSecondsSum: number;
  lateSecondsUpTo600: number;
  lateSecondsUpTo1800: number;
  lateSecondsUpTo3600: number;
  lateSecondsUpTo7200: number;
  lateSecondsUpTo10800: number;
  lateSecondsUpTo21600: number;
  lateSecondsUpTo43200: number;
  lateSecondsCount: number;
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
    lateAppended: 0,
    lateHistogramsAppended: 0,
    histogramsTooOld: 0,
    lateSecondsSum: 0,
    lateSecondsUpTo600: 0,
    lateSecondsUpTo1800: 0,
    lateSecondsUpTo3600: 0,
    lateSecondsUpTo7200: 0,
    lateSecondsUpTo10800: 0,
    lateSecondsUpTo21600: 0,
    lateSecondsUpTo43200: 0,
    lateSecondsCount: 0,
    commits: 0,
    rollbacks: 0,
    truncations: 0,
    chunkWriteErrors: 0,
  };
}

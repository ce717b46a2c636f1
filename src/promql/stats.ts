/** What a query cost, under the names of the API's `stats`. */
export interface QueryStats {
  /** Seconds. The time in the queue is the query service's to add. */
  readonly timings: {
    readonly evalTotalTime: number;
    readonly resultSortTime: number;
    readonly queryPreparationTime: number;
    readonly innerEvalTime: number;
  };
  readonly samples: SampleStats;
}

/** Counted as Prometheus counts, whether or not this engine had to hold or to read them again. */
export interface SampleStats {
  /** At every step the samples that it looks at: a range vector's whole window. */
  readonly totalQueryableSamples: number;
  /** Samples that came from the storage: of a range vector only what is new at a step. */
  readonly samplesRead: number;
  /** The most samples that were held at once; what `--query.max-samples` limits. */
  readonly peakSamples: number;
}

/** What a query thread answers requests with. */
import type { Logger } from "../base/env.ts";
import type { Labels } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { Engine } from "../promql/engine.ts";
import type { Exemplar } from "../storage/appender.ts";
import type { Queryable } from "../storage/querier.ts";

export interface QuerySources {
  readonly engine: Engine;
  readonly queryable: Queryable;
  /** undefined where no exemplars are kept. */
  readonly exemplars: ExemplarSource | undefined;
  /** Memory that the answer to a series, labels or label-values request may need while it is collected. */
  readonly selectionBytesMax: number;
  readonly logger: Logger;
}

/** What the query service knows of a request besides its parameters. */
export interface QueryRunOptions {
  /** How long it waited for a free thread. */
  readonly queuedMs: number;
  /** A word of shared memory that becomes other than 0 when the client went away. */
  readonly cancelled: Int32Array | undefined;
  /** A word of shared memory for the KiB that the request holds. */
  readonly heldKiB?: Int32Array;
}

export interface SeriesExemplars {
  readonly labels: Labels;
  /** In time order. */
  readonly exemplars: readonly Exemplar[];
}

export interface ExemplarSource {
  /** The exemplars in [startMs, endMs] of the series that match all matchers of any set, sorted by labels. */
  exemplars(
    startMs: number,
    endMs: number,
    matcherSets: readonly (readonly Matcher[])[],
  ): readonly SeriesExemplars[];
}

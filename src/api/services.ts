/**
 * What the HTTP API needs from the rest of the server. The handlers run in the main thread; behind these interfaces
 * stand the writer thread, the query threads, the compaction threads and the scrape manager. Everything in a request
 * or an answer is plain data that can be posted between threads; byte arrays are handed over, not copied.
 *
 * Times are milliseconds since 1970 UTC, durations milliseconds, limits 0 for "none".
 */

/** A finished HTTP answer. `body` belongs to the receiver. */
export interface Answer {
  readonly status: number;
  /** Header names in lower case, without content-length, vary and the CORS ones, which the server adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface QueryLimits {
  /** From the request's `timeout`; undefined: only `--query.timeout` holds. */
  readonly timeoutMs: number | undefined;
  /** From the request's `lookback_delta`; 0: the server's. */
  readonly lookbackMs: number;
  /** At most so many series in the answer. */
  readonly limit: number;
  /** The request's `stats` as sent; "" for none. */
  readonly stats: string;
}

export interface InstantRequest extends QueryLimits {
  readonly kind: "instant";
  readonly query: string;
  readonly timeMs: number;
}

export interface RangeRequest extends QueryLimits {
  readonly kind: "range";
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

interface SelectionRequest {
  /** The `match[]` texts, not yet parsed. */
  readonly matches: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
}

export interface SeriesRequest extends SelectionRequest {
  readonly kind: "series";
}

export interface LabelsRequest extends SelectionRequest {
  readonly kind: "labels";
}

export interface LabelValuesRequest extends SelectionRequest {
  readonly kind: "labelValues";
  readonly name: string;
}

export interface ExemplarsRequest {
  readonly kind: "exemplars";
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Everything a query thread answers; see answer-query.ts, which is the code that runs there. */
export type QueryRequest =
  | InstantRequest
  | RangeRequest
  | SeriesRequest
  | LabelsRequest
  | LabelValuesRequest
  | ExemplarsRequest;

/** How long the parts of one PromQL query took, in seconds. */
export interface QueryTimings {
  readonly queue: number;
  readonly prepare: number;
  readonly innerEval: number;
  readonly sort: number;
  readonly samplesTotal: number;
}

export interface QueryAnswer extends Answer {
  /** Only of instant and range queries that reached the engine. */
  readonly timings?: QueryTimings;
}

export interface QueryService {
  /**
   * Never rejects for anything the client did or that the query ran into: those are answers. When `signal` aborts (the
   * client went away) the query is cancelled; the answer is then not sent.
   */
  answer(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer>;
}

/** The request headers that decide how a remote-write body is read; "" where missing. */
export interface WriteHeaders {
  readonly contentType: string;
  readonly contentEncoding: string;
}

export interface WriteService {
  /** `body` as it came over the wire, handed over. */
  write(body: Uint8Array, headers: WriteHeaders): Promise<Answer>;
}

export interface WalReplay {
  /** First and last segment to replay, and the one at work. */
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

export interface NameCount {
  readonly name: string;
  readonly value: number;
}

/** The content of status/tsdb, of the head or of a block. */
export interface TsdbStatus {
  readonly numSeries: number;
  readonly numLabelPairs: number;
  readonly chunkCount: number;
  /** Infinity and -Infinity when it is empty. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Each at most `limit` entries, largest first. */
  readonly seriesCountByMetricName: readonly NameCount[];
  readonly labelValueCountByLabelName: readonly NameCount[];
  readonly memoryInBytesByLabelName: readonly NameCount[];
  readonly seriesCountByLabelValuePair: readonly NameCount[];
}

/** starting: the WAL is replayed · ready · stopping: draining before the end. */
export type Readiness = "starting" | "ready" | "stopping";

/** The process's memory as it is counted, and how near its limit is. Sizes in bytes. */
export interface MemoryFacts {
  readonly limitBytes: number;
  /** Threads and code: what is not counted elsewhere, as measured. */
  readonly fixed: number;
  /** What the head's arena has taken from the system, and what of that is in use. */
  readonly arena: number;
  readonly heldBytes: number;
  /** Of file pages. */
  readonly caches: number;
  /** Of running queries. */
  readonly queries: number;
  /** Buffers of running compactions. */
  readonly compaction: number;
  /** The urgency score, 0 to 1. */
  readonly score: number;
  readonly rushed: boolean;
  readonly queriesRefused: number;
}

export interface MemoryStatus extends MemoryFacts {
  readonly series: number;
  readonly seriesRefused: number;
  /** Whose new series were refused, most first. */
  readonly culprits: readonly { readonly job: string; readonly metric: string; readonly count: number }[];
}

export interface StorageStatus {
  /** With at most `limit` culprits. */
  memoryStatus(limit: number): Promise<MemoryStatus>;
  walReplay(): WalReplay;
  /** Of the block of that name, of the head for "". Resolves to undefined where there is no such block. */
  tsdbStatus(limit: number, block: string): Promise<TsdbStatus | undefined>;
  /** The meta.json of every block, by minTime. */
  blockMetas(): Promise<readonly object[]>;
}

/** A block before and after what retention rules do not keep is taken out of it. */
export interface RewrittenBlock {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly sizeBytes: number;
  readonly freedBytes: number;
}

export interface AdminService {
  /** Writes a snapshot of all blocks, and of the head unless told not to, under `snapshots/`; resolves to its name. */
  snapshot(skipHead: boolean): Promise<string>;
  /** Deletes the samples of the series that match any of the selectors, within [mint, maxt] (ms, inclusive). */
  deleteSeries(request: {
    readonly matches: readonly string[];
    readonly mint: number;
    readonly maxt: number;
  }): Promise<void>;
  /** Frees the room of deleted samples. */
  cleanTombstones(): Promise<void>;
  /**
   * The blocks that these retention rules (default: those of the configuration) want something out of now, and what that
   * frees. Changes nothing.
   */
  tryRetentionRules(
    rules?: readonly { readonly match: string; readonly timeMs: number }[],
  ): Promise<readonly RewrittenBlock[]>;
}

/** A label set as it is posted: name, value, name, value …, sorted by name. */
export type LabelPairs = readonly string[];

export interface TargetStatus {
  /** Chosen by the scrape manager; for {@link ScrapeStatus.metadata}. */
  readonly id: number;
  readonly scrapePool: string;
  /** Before and after relabelling; the latter without the labels that start with "__". */
  readonly discoveredLabels: LabelPairs;
  readonly labels: LabelPairs;
  readonly scrapeUrl: string;
  /** "" when the last scrape succeeded. */
  readonly lastError: string;
  /** undefined before the first scrape. */
  readonly lastScrapeMs: number | undefined;
  readonly lastScrapeDurationMs: number;
  readonly health: "unknown" | "up" | "down";
  /** As the relabelled `__scrape_interval__` and `__scrape_timeout__` labels have them: "15s". */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface DroppedTargetStatus {
  readonly scrapePool: string;
  readonly discoveredLabels: LabelPairs;
}

/** Help, type and unit of a metric family, as a target's last page gave them. */
export interface TargetFamily {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface ScrapeStatus {
  /** Names of all pools, also of those without a target; any order. */
  pools(): readonly string[];
  /** Any order of pools; within a pool the order of the manager. */
  activeTargets(): readonly TargetStatus[];
  droppedTargets(): readonly DroppedTargetStatus[];
  /** How many targets each pool dropped; may be more than {@link droppedTargets} keeps. */
  droppedCounts(): ReadonlyMap<string, number>;
  metadata(targetId: number): Promise<readonly TargetFamily[]>;
}

/** The content of status/runtimeinfo that only the process knows. */
export interface RuntimeInfo {
  readonly startTimeMs: number;
  readonly serverTimeMs: number;
  readonly cwd: string;
  readonly hostname: string;
  readonly reloadConfigSuccess: boolean;
  /** undefined before the first successful load. */
  readonly lastConfigMs: number | undefined;
  readonly corruptionCount: number;
  /** Threads of ours: what Go's goroutines and GOMAXPROCS come closest to. */
  readonly threadCount: number;
  readonly cpuCount: number;
  /** As Prometheus prints it: "15d", "15d or 1GiB". */
  readonly storageRetention: string;
}

/** Something that the people who run this server should know as long as it lasts. */
export interface Notification {
  readonly text: string;
  /** Since when. */
  readonly dateMs: number;
}

export interface NotificationService {
  notifications(): readonly Notification[];
}

export interface LifecycleService {
  readiness(): Readiness;
  /** Loads the configuration again; rejects with the reason, and nothing has changed then. */
  reload(): Promise<void>;
  /** Starts an orderly end; false when one is on its way already. */
  quit(): boolean;
}

export interface ServerStatus {
  /** The configuration in force as YAML, defaults filled in, secrets masked. */
  configYaml(): string;
  /** Every flag by its name, values as Prometheus prints them. */
  flags(): Readonly<Record<string, string>>;
  runtimeInfo(): Promise<RuntimeInfo>;
  nowMs(): number;
}

/** All of them together: what the composition root hands to the API. */
export interface Services {
  readonly queries: QueryService;
  /** undefined without `--web.enable-remote-write-receiver`. */
  readonly writes: WriteService | undefined;
  readonly storage: StorageStatus;
  /** undefined without `--web.enable-admin-api`. */
  readonly admin: AdminService | undefined;
  readonly scrape: ScrapeStatus;
  readonly lifecycle: LifecycleService;
  readonly notifications: NotificationService;
  readonly status: ServerStatus;
}

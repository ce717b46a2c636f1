/**
 * Where scrape loops deliver their pages: the writer thread, which alone parses and appends. Scheduling and HTTP stay
 * in the main thread. Everything here can be posted between threads.
 */
import type { RelabelRule } from "../model/relabel.ts";
import type { HistogramOptions } from "../textparse/events.ts";

/** What the writer must know of one target to turn its pages into series. 0 means "no limit" for every limit. */
export interface TargetSettings {
  /** Chosen by the sender, never reused while the process lives. */
  readonly id: number;
  /** The target's own labels: name, value, name, value …, sorted. */
  readonly labels: readonly string[];
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly metricRelabel: readonly RelabelRule[];
  readonly validationScheme: "utf8" | "legacy";
  readonly fallbackProtocol: string;
  /** Whether pages are asked since when their counters count; then `_created` lines are no series. */
  readonly startTimes: boolean;
  /** What becomes of native and of classic histograms. */
  readonly histograms: HistogramOptions;
  /** Native histograms get coarser buckets until they have no more than this. */
  readonly bucketLimit: number;
  /** Native histograms with finer buckets than of this schema get coarser ones. */
  readonly schemaMax: number;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly bodySizeLimitBytes: number;
  readonly extraMetrics: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** One scrape's result. */
export interface ScrapedPage {
  /** The scrape's timestamp, ms, after alignment. */
  readonly t: number;
  readonly durationMs: number;
  /** The decompressed body; undefined when the scrape failed before there was one. Handed over, not copied. */
  readonly body: Uint8Array | undefined;
  /** The Content-Type header as sent; "" when missing. */
  readonly contentType: string;
  /** What went wrong before parsing; "" when nothing did. */
  readonly error: string;
}

export interface ScrapeReport {
  readonly scraped: number;
  readonly postRelabel: number;
  readonly added: number;
  /** Why the scrape counts as failed (`up` 0); "" when it does not. */
  readonly error: string;
}

/** Help, type and unit of a metric family, as a target's last page gave them. */
export interface FamilyMetadata {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface ScrapeSink {
  open(settings: TargetSettings): void;
  deliver(id: number, page: ScrapedPage): Promise<ScrapeReport>;
  /** The target is gone: at `staleAt` (ms) its series get staleness markers; undefined: none are written. */
  close(id: number, staleAt: number | undefined): Promise<void>;
  metadata(id: number): Promise<readonly FamilyMetadata[]>;
}

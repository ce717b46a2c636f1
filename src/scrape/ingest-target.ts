/**
 * A target's pages, one after the other, into the storage. Each scrape is one batch: the page's samples, staleness
 * markers for the series that it no longer shows, and the report series. A scrape that fails is rolled back whole;
 * what remains of it are staleness markers for what it did not show before it failed, and the report.
 */
import type { Clock, Logger } from "../base/env.ts";
import { NarthexError, ParseError } from "../base/errors.ts";
import { ScrapeCache } from "../kernels/scrape-cache.ts";
import { Control } from "../kernels/scrape-layout.ts";
import type { ScrapeMemory } from "../kernels/scrape-memory.ts";
import type { readPage } from "../kernels/scrape-reader.ts";
import { setStale } from "../model/value.ts";
import { type Appender, Outcome } from "../storage/appender.ts";
import { chooseFormat } from "../textparse/content-type.ts";
import { ConvertedHistograms } from "../textparse/converted-histograms.ts";
import { newParser } from "../textparse/new-parser.ts";
import { ProtobufParser } from "../textparse/protobuf-parser.ts";
import { PageRefusedError, SeriesLabels } from "./ingest-labels.ts";
import { familyMetadata } from "./ingest-metadata.ts";
import { PageIngest } from "./ingest-page.ts";
import { ReportSeries } from "./ingest-report.ts";
import { SampleStage } from "./ingest-stage.ts";
import type { IngestStats } from "./ingest-stats.ts";
import type { FamilyMetadata, ScrapedPage, ScrapeReport, TargetSettings } from "./sink.ts";

export interface IngestEnv {
  readonly appender: Appender;
  readonly memory: ScrapeMemory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stats: IngestStats;
  /** Whether the storage keeps exemplars. */
  readonly exemplars: boolean;
  /** How pages of lines are read; tests compare two ways. */
  readonly read: typeof readPage;
}

/** As the fetching side words it; the report series tell such a scrape from others. */
const bodyTooLarge = "body size limit exceeded";

export class TargetIngest {
  readonly #env: IngestEnv;
  readonly #settings: TargetSettings;
  readonly #labels: SeriesLabels;
  readonly #report: ReportSeries;
  readonly #cache: ScrapeCache;
  readonly #stage: SampleStage;
  #logger: Logger;
  /** Lines remembered after the last page that was read to its end. */
  #countAtSuccess = 0;
  #scraped = false;
  #saidSkipped = false;
  #saidRefused = false;
  #metadataSize: { entries: number; bytes: number } | undefined;

  constructor(env: IngestEnv, settings: TargetSettings) {
    this.#env = env;
    this.#settings = settings;
    this.#labels = new SeriesLabels(settings);
    this.#report = new ReportSeries(settings, this.#labels);
    this.#cache = new ScrapeCache(env.memory);
    this.#stage = new SampleStage(env.appender, env.memory, this.#cache, settings);
    this.#logger = env.logger.child({ target: settings.labels.join(" ") });
  }

  deliver(page: ScrapedPage): ScrapeReport {
    const { clock, appender } = this.#env;
    if (appender.saturated !== "") return this.#skip(appender.saturated);
    this.#saidSkipped = false;
    const startedMs = clock.monotonicMs();
    this.#scraped = true;
    this.#begin();
    const ingest = this.#newPage(page.t);
    let error = page.error;
    let complete = false;
    try {
      if (error === "" && page.body !== undefined)
        complete = this.#ingest(ingest, page.body, page.contentType);
      this.#appendStale(page.t);
    } catch (cause) {
      error = this.#explain(cause);
      complete = false;
      appender.rollback();
      this.#appendStaleAfterFailure(page.t);
    }
    const { memory } = this.#env;
    const counts = {
      scraped: memory.control(Control.total),
      postRelabel: memory.control(Control.added),
      added: ingest.seriesAdded,
    };
    this.#countRefusals(ingest);
    const durationMs = page.durationMs + clock.monotonicMs() - startedMs;
    const problem = this.#commitReport(page, error, { ...counts, durationMs });
    this.#end(complete, problem === "", ingest);
    return { ...counts, error: error === "" ? problem : error };
  }

  /** Nothing of the scrape is stored, not even that it was made: there is no room for it. */
  #skip(reason: string): ScrapeReport {
    this.#env.stats.scrapesSkipped++;
    if (!this.#saidSkipped) {
      this.#logger.error(
        "Scrapes of this target are skipped: no memory is left even for series that are known; " +
          "older samples must go into a block first, so look whether blocks and chunk files can be written",
        { reason },
      );
    }
    this.#saidSkipped = true;
    return { scraped: 0, postRelabel: 0, added: 0, error: `skipped: ${reason}` };
  }

  /** Once for each time that it begins. */
  #sayRefused(refused: number): void {
    const { appender, stats } = this.#env;
    stats.seriesRefused += refused;
    if (refused > 0 && !this.#saidRefused) {
      this.#logger.warn("New series of this target are refused, its known ones are stored", {
        refused,
        known: this.#cache.count,
        reason: appender.refusal?.reason,
      });
    }
    this.#saidRefused = refused > 0;
  }

  /** Gives the memory back; with `staleAt`, after marking everything stale at that time. */
  close(staleAt: number | undefined): void {
    const { appender } = this.#env;
    try {
      if (staleAt === undefined || !this.#scraped) return;
      this.#begin();
      this.#appendStaleAfterFailure(staleAt);
      if (this.#report.appendStale(appender, staleAt)) appender.commit();
      else appender.rollback();
    } finally {
      this.#cache.close();
    }
  }

  metadata(): FamilyMetadata[] {
    return familyMetadata(this.#cache);
  }

  /** For prometheus_target_metadata_cache_entries and _bytes. */
  metadataSize(): { readonly entries: number; readonly bytes: number } {
    if (this.#metadataSize === undefined) {
      const families = this.metadata();
      const bytes = families.reduce(
        (sum, { type, help, unit }) => sum + type.length + help.length + unit.length,
        0,
      );
      this.#metadataSize = { entries: families.length, bytes };
    }
    return this.#metadataSize;
  }

  #newPage(t: number): PageIngest {
    const { appender, memory, exemplars } = this.#env;
    const parts = {
      appender,
      memory,
      exemplars,
      cache: this.#cache,
      stage: this.#stage,
      labels: this.#labels,
      settings: this.#settings,
    };
    return new PageIngest(parts, t);
  }

  #begin(): void {
    const { appender, clock } = this.#env;
    this.#cache.begin();
    this.#cache.forgetRefs((ref) => appender.isLive(ref));
    this.#stage.begin(clock.nowMs());
  }

  /** Stages the page. False for an empty one, which is no failure, but nothing to remember either. */
  #ingest(ingest: PageIngest, body: Uint8Array, contentType: string): boolean {
    if (body.length === 0) return false;
    const { mediaType, problem } = chooseFormat(contentType, this.#settings.fallbackProtocol);
    if (mediaType === undefined) throw new PageRefusedError(problem);
    if (problem !== "")
      this.#logger.debug("Invalid content type on scrape, using fallback setting", { err: problem });
    const { histograms, startTimes } = this.#settings;
    if (mediaType === "application/vnd.google.protobuf")
      ingest.readEntries(new ProtobufParser(body, histograms));
    else if (histograms.convert)
      ingest.readEntries(new ConvertedHistograms(newParser(mediaType, body, startTimes), histograms.classic));
    else if (startTimes && mediaType === "application/openmetrics-text")
      ingest.readEntries(newParser(mediaType, body, startTimes));
    else ingest.readText(body, mediaType === "application/openmetrics-text", this.#env.read);
    if (this.#stage.limitExceeded) throw new PageRefusedError("sample limit exceeded", "sample");
    if (this.#stage.bucketLimitExceeded) throw new PageRefusedError("histogram bucket limit exceeded");
    return true;
  }

  /** What to say of a failed scrape. Anything unexpected costs this scrape too, not the thread; but loudly. */
  #explain(cause: unknown): string {
    if (cause instanceof PageRefusedError && cause.limit === "label") this.#env.stats.labelLimitsExceeded++;
    const expected =
      cause instanceof PageRefusedError || cause instanceof ParseError || cause instanceof NarthexError;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (expected) this.#logger.debug("Append failed", { err: message });
    else this.#logger.error("A page could not be read", { err: message, stack: (cause as Error).stack });
    return message;
  }

  #appendStaleAfterFailure(t: number): void {
    try {
      this.#appendStale(t);
    } catch (cause) {
      this.#env.appender.rollback();
      this.#logger.warn("Staleness markers could not be written", { err: this.#explain(cause) });
    }
  }

  /** Stages a staleness marker for every series that vanished. Throws where the storage takes nothing at `t`. */
  #appendStale(t: number): void {
    const { appender } = this.#env;
    const refs = Uint32Array.from(this.#cache.vanished());
    const n = refs.length;
    if (n === 0) return;
    const values = new Float64Array(n);
    for (let i = 0; i < n; i++) setStale(values, i);
    const outcomes = new Uint8Array(n);
    if (appender.append(refs, new Float64Array(n).fill(t), values, n, outcomes) === 0) return;
    // Out of order or a second value for one time: the target came back in the meantime, in another loop.
    if (outcomes.includes(Outcome.outOfBounds)) throw new PageRefusedError("out of bounds");
    if (outcomes.includes(Outcome.tooOld)) throw new PageRefusedError("too old sample");
  }

  #countRefusals(ingest: PageIngest): void {
    const stage = this.#stage;
    stage.count(this.#env.stats);
    this.#sayRefused(ingest.seriesRefused);
    this.#env.stats.exemplarsOutOfOrder += ingest.exemplarsOutOfOrder;
    const warn = (message: string, dropped: number) => {
      if (dropped > 0) this.#logger.warn(message, { num_dropped: dropped });
    };
    warn("Error on ingesting out-of-order samples", stage.outOfOrder);
    warn("Error on ingesting samples with different value but same timestamp", stage.duplicates);
    warn("Error on ingesting samples that are too old or are too far into the future", stage.outOfBounds);
    warn("Error on ingesting out-of-order exemplars", ingest.exemplarsOutOfOrder);
  }

  /** Ends the cache's scrape. One that goes on failing with ever new lines must not fill the memory. */
  #end(read: boolean, stored: boolean, ingest: PageIngest): void {
    const cache = this.#cache;
    const before = cache.count;
    const complete = read && stored;
    if (!complete && before > 2 * this.#countAtSuccess + 1000) {
      cache.forgetUnseen();
      this.#env.stats.cacheFlushesForced++;
    }
    if (stored) cache.end(complete);
    else cache.endUnstored();
    if (complete) this.#countAtSuccess = before;
    if (ingest.commentsChanged || cache.count !== before) this.#metadataSize = undefined;
    this.#env.stats.cacheBytes = this.#env.memory.usedBytes;
  }

  /** Stages the report and commits the scrape. Returns why the storage took nothing of it, or "". */
  #commitReport(
    page: ScrapedPage,
    error: string,
    counts: { scraped: number; postRelabel: number; added: number; durationMs: number },
  ): string {
    const { appender } = this.#env;
    const bodyBytes = error === bodyTooLarge ? -1 : page.error === "" ? (page.body?.length ?? 0) : 0;
    try {
      if (this.#report.append(appender, page.t, { ...counts, up: error === "", bodyBytes }))
        appender.commit();
      else {
        appender.rollback();
        this.#logger.warn("Appending scrape report failed", { err: "out of bounds" });
      }
      return "";
    } catch (cause) {
      appender.rollback();
      const err = (cause as Error).message;
      this.#logger.error("Scrape commit failed", { err });
      return err;
    }
  }
}

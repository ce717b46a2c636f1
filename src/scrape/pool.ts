/** The targets of one job and the loops that scrape them. */
import type { HttpClient, HttpClients } from "../base/http-client.ts";
import type { ScrapeConfig } from "../config/config.ts";
import type { TargetGroup } from "../discovery/target-group.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import type { Labels } from "../model/labels.ts";
import { acceptHeader } from "./accept-header.ts";
import { schemaOfFactor } from "./bucket-factor.ts";
import { type LoopEnv, type LoopRequest, ScrapeLoop } from "./loop.ts";
import type { TargetSettings } from "./sink.ts";
import { Target } from "./target.ts";
import { discoveredLabels, histogramOptions, targetLabels } from "./target-labels.ts";

export interface PoolEnv extends LoopEnv {
  readonly clients: HttpClients;
  readonly userAgent: string;
  readonly startTimes: boolean;
  /** Ids of targets, for the sink; never the same twice. */
  readonly nextId: () => number;
}

interface Active {
  readonly target: Target;
  loop: ScrapeLoop;
  /** Everything the loop was made from: a loop goes on as long as this does not change. */
  fingerprint: string;
}

export class ScrapePool {
  readonly #env: PoolEnv;
  #job: ScrapeConfig;
  #client: HttpClient;
  #groups: readonly TargetGroup[] = [];
  #active = new Map<string, Active>();
  #dropped: Labels[] = [];
  #droppedCount = 0;
  /** Stopped loops that still have staleness markers to write. */
  #retiring: ScrapeLoop[] = [];

  constructor(env: PoolEnv, job: ScrapeConfig) {
    this.#env = env;
    this.#job = job;
    this.#client = env.clients.open(job.http);
    env.observer.poolOpened(job.jobName);
  }

  get config(): ScrapeConfig {
    return this.#job;
  }

  targets(): { readonly id: number; readonly target: Target }[] {
    return [...this.#active.values()].map(({ loop, target }) => ({ id: loop.settings.id, target }));
  }

  /** Nothing runs any more and no staleness markers are due. */
  get settled(): boolean {
    return this.#active.size === 0 && this.#retiring.every((loop) => loop.closed);
  }

  /** What was discovered of the targets that relabelling dropped; at most `keep_dropped_targets`. */
  dropped(): readonly Labels[] {
    return this.#dropped;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Scrapes the targets of these groups from here on. Loops whose target and settings stay go on untouched. */
  async sync(groups: readonly TargetGroup[]): Promise<void> {
    const { clock, observer } = this.#env;
    const startMs = clock.monotonicMs();
    this.#groups = groups;
    const found = this.#targetsOf(groups);
    const stopped: Promise<void>[] = [];
    for (const [key, { loop }] of this.#active) {
      if (found.has(key)) continue;
      this.#active.delete(key);
      stopped.push(this.#retire(loop));
    }
    const forcedError = this.#targetLimitError(found.size);
    for (const target of found.values()) {
      const running = this.#keepOrStart(target, forcedError);
      if (running !== undefined) stopped.push(running);
    }
    observer.poolTargets(this.#job.jobName, this.#active.size, this.#job.targetLimit);
    await Promise.all(stopped);
    observer.synced(this.#job.jobName, (clock.monotonicMs() - startMs) / 1000);
  }

  /** Follows a changed configuration of the job. */
  async reload(job: ScrapeConfig): Promise<void> {
    const { clock, clients, observer } = this.#env;
    const startMs = clock.monotonicMs();
    const oldClient = this.#client;
    const newClient = JSON.stringify(job.http) !== JSON.stringify(this.#job.http);
    if (newClient) this.#client = clients.open(job.http);
    this.#job = job;
    await this.sync(this.#groups);
    if (newClient) oldClient.close();
    observer.poolReloaded(formatDuration(job.scrapeIntervalMs), (clock.monotonicMs() - startMs) / 1000);
  }

  /** The job is gone: its series are marked stale in time. Resolves when no scrape runs any more. */
  async stop(): Promise<void> {
    const loops = [...this.#active.values()].map(({ loop }) => this.#retire(loop));
    this.#active.clear();
    await Promise.all(loops);
    this.#client.close();
    this.#env.observer.poolClosed(this.#job.jobName);
  }

  /** The server ends: no staleness markers, also not of loops that were waiting to write some. */
  async shutdown(): Promise<void> {
    const loops = [...[...this.#active.values()].map(({ loop }) => loop), ...this.#retiring];
    this.#active.clear();
    await Promise.all(loops.map((loop) => loop.shutdown()));
    this.#client.close();
  }

  #retire(loop: ScrapeLoop): Promise<void> {
    this.#retiring = [...this.#retiring.filter((other) => !other.closed), loop];
    return loop.stop();
  }

  /** By key: of equal targets the first counts. */
  #targetsOf(groups: readonly TargetGroup[]): Map<string, Target> {
    const { logger, observer } = this.#env;
    const job = this.#job;
    const found = new Map<string, Target>();
    let failed = 0;
    this.#dropped = [];
    this.#droppedCount = 0;
    for (const group of groups) {
      for (const [i, own] of group.targets.entries()) {
        const discovered = discoveredLabels(job, own, group.labels);
        try {
          const labels = targetLabels(job, discovered);
          const target = labels && new Target(labels, discovered, job.params);
          if (target === undefined) this.#drop(discovered);
          else if (!found.has(target.key)) found.set(target.key, target);
        } catch (error) {
          failed++;
          logger.error("Creating target failed", {
            scrape_pool: job.jobName,
            err: `instance ${i} in group ${group.source}: ${(error as Error).message}`,
          });
        }
      }
    }
    observer.targetsFailed(job.jobName, failed);
    return found;
  }

  #drop(discovered: Labels): void {
    const { keepDroppedTargets } = this.#job;
    if (keepDroppedTargets === 0 || this.#dropped.length < keepDroppedTargets) this.#dropped.push(discovered);
    this.#droppedCount++;
  }

  #targetLimitError(count: number): string {
    const { targetLimit } = this.#job;
    if (targetLimit === 0 || count <= targetLimit) return "";
    this.#env.observer.targetLimitExceeded();
    return `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})`;
  }

  /** A promise where a loop had to be replaced: of the old one's end. The new one starts then. */
  #keepOrStart(target: Target, forcedError: string): Promise<void> | undefined {
    const settings = this.#settingsOf(target);
    const request = this.#requestOf(target, settings.timeoutMs);
    const fingerprint = JSON.stringify([settings, request, this.#job.http]);
    const existing = this.#active.get(target.key);
    if (existing === undefined) {
      const loop = this.#newLoop(target, settings, request, forcedError);
      this.#active.set(target.key, { target, loop, fingerprint });
      loop.start();
      return undefined;
    }
    existing.target.discovered = target.discovered;
    if (existing.fingerprint === fingerprint) {
      existing.loop.forcedError = forcedError;
      return undefined;
    }
    const old = existing.loop;
    const loop = this.#newLoop(existing.target, settings, request, forcedError);
    existing.loop = loop;
    existing.fingerprint = fingerprint;
    // By then the new loop may be stopped itself: it then does not begin.
    return this.#retire(old).then(() => loop.start());
  }

  #newLoop(
    target: Target,
    settings: Omit<TargetSettings, "id">,
    request: LoopRequest,
    forcedError: string,
  ): ScrapeLoop {
    const withId = { id: this.#env.nextId(), ...settings };
    return new ScrapeLoop(this.#env, target, withId, request, this.#client, forcedError);
  }

  #settingsOf(target: Target): Omit<TargetSettings, "id"> {
    const job = this.#job;
    return {
      labels: target.publicLabels.pairs,
      honorLabels: job.honorLabels,
      honorTimestamps: job.honorTimestamps,
      trackTimestampsStaleness: job.trackTimestampsStaleness,
      metricRelabel: job.metricRelabelConfigs,
      validationScheme: job.metricNameValidationScheme,
      fallbackProtocol: job.fallbackScrapeProtocol,
      startTimes: this.#env.startTimes,
      histograms: histogramOptions(target.labels),
      bucketLimit: job.nativeHistogramBucketLimit,
      schemaMax: schemaOfFactor(job.nativeHistogramMinBucketFactor),
      sampleLimit: job.sampleLimit,
      labelLimit: job.labelLimit,
      labelNameLengthLimit: job.labelNameLengthLimit,
      labelValueLengthLimit: job.labelValueLengthLimit,
      bodySizeLimitBytes: job.bodySizeLimitBytes,
      extraMetrics: job.extraScrapeMetrics,
      intervalMs: parseDuration(target.labels.get("__scrape_interval__")),
      timeoutMs: parseDuration(target.labels.get("__scrape_timeout__")),
    };
  }

  #requestOf(target: Target, timeoutMs: number): LoopRequest {
    const job = this.#job;
    return {
      headers: {
        Accept: acceptHeader(job.scrapeProtocols, job.metricNameEscapingScheme),
        "Accept-Encoding": job.enableCompression ? "gzip" : "identity",
        "User-Agent": this.#env.userAgent,
        "X-Prometheus-Scrape-Timeout-Seconds": String(timeoutMs / 1000),
      },
      unixSocket: target.labels.get("__unix_socket__"),
    };
  }
}

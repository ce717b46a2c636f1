/**
 * All scraping: one pool per job. Configuration comes by {@link ScrapeManager.applyConfig}, targets by
 * {@link ScrapeManager.update}; pages go to the sink. Its readers are what the HTTP API shows of targets.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import type { HttpClients } from "../base/http-client.ts";
import type { Config, ScrapeConfig } from "../config/config.ts";
import type { TargetSets } from "../discovery/manager.ts";
import type { ScrapeObserver } from "./observer.ts";
import { silentScrapeObserver } from "./observer.ts";
import { type PoolEnv, ScrapePool } from "./pool.ts";
import type { FamilyMetadata, ScrapeSink } from "./sink.ts";
import type { TargetHealth } from "./target.ts";

export interface ScrapeEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink: ScrapeSink;
  readonly clients: HttpClients;
  readonly observer?: ScrapeObserver;
}

export interface ScrapeOptions {
  readonly userAgent: string;
  /** Together with the external labels it decides at which phase of its interval a target is scraped. */
  readonly hostname: string;
  /** --scrape.timestamp-tolerance; 0 for --no-scrape.adjust-timestamps. */
  readonly timestampToleranceMs: number;
  /** --scrape.discovery-reload-interval: changes of targets take effect at most this often. */
  readonly discoveryReloadIntervalMs: number;
  /** Whether pages are asked since when their counters count (--enable-feature=st-storage). */
  readonly startTimes: boolean;
}

export const defaultScrapeOptions: ScrapeOptions = {
  userAgent: "Prometheus/3.14.0 Narthex",
  hostname: "",
  timestampToleranceMs: 2,
  discoveryReloadIntervalMs: 5000,
  startTimes: false,
};

/** Name, value, name, value …, sorted by name. */
type LabelPairs = readonly string[];

export interface TargetStatus {
  readonly id: number;
  readonly scrapePool: string;
  readonly discoveredLabels: LabelPairs;
  readonly labels: LabelPairs;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly lastScrapeMs: number | undefined;
  readonly lastScrapeDurationMs: number;
  readonly health: TargetHealth;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export class ScrapeManager {
  readonly #env: ScrapeEnv;
  readonly #options: ScrapeOptions;
  readonly #pools = new Map<string, ScrapePool>();
  /** Pools of jobs that are gone; they may have staleness markers to write. */
  #leaving: ScrapePool[] = [];
  #jobs = new Map<string, ScrapeConfig>();
  #sets: TargetSets = new Map();
  #offsetSeed = "";
  #lastId = 0;
  #timer: Timer | undefined;
  #syncedAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(env: ScrapeEnv, options: ScrapeOptions = defaultScrapeOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Resolves when every loop that had to stop has ended its scrape. Unchanged jobs go on undisturbed. */
  async applyConfig(config: Config): Promise<void> {
    this.#jobs = new Map(config.allScrapeConfigs.map((job) => [job.jobName, job]));
    this.#offsetSeed = this.#options.hostname + JSON.stringify(config.global.externalLabels);
    this.#leaving = this.#leaving.filter((pool) => !pool.settled);
    const changes: Promise<void>[] = [];
    for (const [name, pool] of this.#pools) {
      const job = this.#jobs.get(name);
      if (job === undefined) {
        this.#pools.delete(name);
        this.#leaving.push(pool);
        changes.push(pool.stop());
      } else if (!sameJob(job, pool.config)) changes.push(pool.reload(job));
    }
    await Promise.all(changes);
  }

  /** The targets of all jobs. The first take effect at once, later ones when the reload interval has passed. */
  update(sets: TargetSets): void {
    this.#sets = sets;
    if (this.#stopped || this.#timer !== undefined) return;
    const { clock } = this.#env;
    const waitMs = this.#syncedAtMs + this.#options.discoveryReloadIntervalMs - clock.monotonicMs();
    if (waitMs <= 0) return this.#sync();
    this.#timer = clock.after(waitMs, () => {
      this.#timer = undefined;
      this.#sync();
    });
  }

  /** Ends all scraping; running scrapes are aborted, no staleness markers are written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await Promise.all([...this.#pools.values(), ...this.#leaving].map((pool) => pool.shutdown()));
  }

  pools(): readonly string[] {
    return [...this.#pools.keys()];
  }

  poolConfig(name: string): ScrapeConfig | undefined {
    return this.#pools.get(name)?.config;
  }

  activeTargets(): readonly TargetStatus[] {
    return [...this.#pools].flatMap(([scrapePool, pool]) =>
      pool.targets().map(({ id, target }) => ({
        id,
        scrapePool,
        discoveredLabels: target.discovered.pairs,
        labels: target.publicLabels.pairs,
        scrapeUrl: target.url,
        lastError: target.lastError,
        lastScrapeMs: target.lastScrapeMs,
        lastScrapeDurationMs: target.lastDurationMs,
        health: target.health,
        scrapeInterval: target.labels.get("__scrape_interval__"),
        scrapeTimeout: target.labels.get("__scrape_timeout__"),
      })),
    );
  }

  droppedTargets(): readonly { readonly scrapePool: string; readonly discoveredLabels: LabelPairs }[] {
    return [...this.#pools].flatMap(([scrapePool, pool]) =>
      pool.dropped().map((labels) => ({ scrapePool, discoveredLabels: labels.pairs })),
    );
  }

  droppedCounts(): ReadonlyMap<string, number> {
    return new Map([...this.#pools].map(([name, pool]) => [name, pool.droppedCount]));
  }

  metadata(targetId: number): Promise<readonly FamilyMetadata[]> {
    return this.#env.sink.metadata(targetId);
  }

  #sync(): void {
    if (this.#stopped) return;
    this.#syncedAtMs = this.#env.clock.monotonicMs();
    for (const [name, groups] of this.#sets) {
      const job = this.#jobs.get(name);
      // A discovery that does not know yet that its job is gone.
      if (job === undefined) continue;
      let pool = this.#pools.get(name);
      if (pool === undefined) {
        pool = new ScrapePool(this.#poolEnv(), job);
        this.#pools.set(name, pool);
      }
      void pool.sync(groups);
    }
  }

  #poolEnv(): PoolEnv {
    const { clock, logger, sink, clients, observer = silentScrapeObserver } = this.#env;
    const { userAgent, timestampToleranceMs, startTimes } = this.#options;
    return {
      clock,
      logger,
      sink,
      clients,
      observer,
      startTimes,
      userAgent,
      toleranceMs: timestampToleranceMs,
      offsetSeed: this.#offsetSeed,
      nextId: () => ++this.#lastId,
    };
  }
}

/** Where only the discovery differs, the pool learns of it by its targets. */
function sameJob(a: ScrapeConfig, b: ScrapeConfig): boolean {
  const withoutDiscovery = (job: ScrapeConfig) =>
    JSON.stringify({ ...job, fileSdConfigs: [], staticConfigs: [] });
  return withoutDiscovery(a) === withoutDiscovery(b);
}

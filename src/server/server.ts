/**
 * The composition root: builds the server from its parts and wires them, reloads the configuration, and takes
 * everything down again in reverse order.
 *
 * Order of a start: configuration → lock → threads (the WAL replay begins) → HTTP (what needs the head answers 503) →
 * replay done → scraping.
 */
import { mkdirSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { resolve } from "node:path";
import { Registry } from "prom-client";
import type { BuildInfo } from "../api/handlers/status.ts";
import { type ApiOptions, routesOf } from "../api/routes.ts";
import type { LifecycleService, Readiness, RuntimeInfo, Services } from "../api/services.ts";
import type { Clock, Logger, Random } from "../base/env.ts";
import type { Fs } from "../base/fs.ts";
import type { HttpClients } from "../base/http-client.ts";
import { printConfig } from "../config/print.ts";
import { DiscoveryManager } from "../discovery/manager.ts";
import { CleanStart, DirectoryLock } from "../node/directory-lock.ts";
import { diskBytes } from "../node/disk.ts";
import { diskSpace, type FileSystemInfo, fileSystemOf } from "../node/file-system.ts";
import type { WriterSettings } from "../runtime/protocol.ts";
import { Runtime } from "../runtime/runtime.ts";
import type { QuerySettings, RetentionSettings } from "../runtime/settings.ts";
import { ScrapeManager } from "../scrape/manager.ts";
import { blockRanges } from "../tsdb/compact/plan.ts";
import { configuredEncodings, sayWhoCanRead } from "./chunk-encodings.ts";
import { ConfigState } from "./config-state.ts";
import { type CorsPolicy, corsPolicy } from "./cors.ts";
import { externalUrl } from "./external-url.ts";
import { createHttpApp } from "./http-app.ts";
import { HttpServer } from "./http-server.ts";
import { BlockStatsReader } from "./metrics/block-stats.ts";
import { discoveryMetrics } from "./metrics/discovery-metrics.ts";
import { httpMetrics } from "./metrics/http-metrics.ts";
import { MetricsPage, metricsRoute } from "./metrics/metrics-page.ts";
import { processMetrics } from "./metrics/process-metrics.ts";
import { meteredQueries } from "./metrics/query-metrics.ts";
import { scrapeMetrics } from "./metrics/scrape-metrics.ts";
import { storageFamilies } from "./metrics/storage-families.ts";
import { storageStats } from "./metrics/storage-stats.ts";
import { Notifications, notificationTexts } from "./notifications.ts";
import type { ServerOptions } from "./options.ts";
import { describeRetention } from "./retention-text.ts";
import { rootRoute } from "./root-page.ts";

export interface ServerEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly fs: Fs;
  readonly clients: HttpClients;
  readonly getEnv: (name: string) => string | undefined;
  readonly build: BuildInfo;
  /** Called once when somebody asks over HTTP for the server's end. */
  readonly onQuit: () => void;
}

/** Of the file system: so much the reserve may take up at most. */
const reserveShareMax = 0.05;

/** How long running requests may go on once the server is to end. */
const drainMs = 10_000;

export class Server implements LifecycleService {
  readonly dataDir: string;
  readonly #options: ServerOptions;
  readonly #env: ServerEnv;
  readonly #config: ConfigState;
  readonly #lock: DirectoryLock | undefined;
  readonly #fileSystem: FileSystemInfo | undefined;
  readonly #notifications: Notifications;
  readonly #startTimeMs: number;
  readonly #registry = new Registry();
  readonly #runtime: Runtime;
  readonly #scrape: ScrapeManager;
  readonly #discovery: DiscoveryManager;
  #http: HttpServer | undefined;
  #scraping: Promise<void> | undefined;
  #state: Readiness = "starting";
  #reloading: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #quitAsked = false;

  /** Starts the threads; {@link start} is what to call. */
  private constructor(
    options: ServerOptions,
    env: ServerEnv,
    config: ConfigState,
    dataDir: string,
    lock: DirectoryLock | undefined,
  ) {
    this.#options = options;
    this.#env = env;
    this.#config = config;
    this.dataDir = dataDir;
    this.#lock = lock;
    this.#startTimeMs = env.clock.nowMs();
    this.#notifications = new Notifications(env.clock);
    this.#notifications.set("state", notificationTexts.starting);
    this.#fileSystem = fileSystemOf(dataDir);
    this.#judgeFileSystem();
    const { totalBytes = Number.POSITIVE_INFINITY } = diskSpace(dataDir) ?? {};
    const writer = this.#writerSettings();
    sayWhoCanRead(env.logger, writer.encodings, options.storage.keepsStarts);
    this.#runtime = new Runtime(
      {
        storage: {
          ...options.storage,
          dir: dataDir,
          reserveBytes: Math.min(options.storage.reserveBytes, Math.floor(totalBytes * reserveShareMax)),
          keepExemplars: options.keepExemplars,
          exemplarsMax: config.exemplarsMax,
        },
        queries: this.#querySettings(),
        writer,
        queryConcurrencyMax: options.queries.concurrencyMax,
        retention: this.#retention,
        blockRanges: blockRanges(options.storage.blockRangeMs, options.blockRangeMaxMs(config.current)),
        compactionParallelism: options.compactionParallelism,
        maintenance: {
          intervalMs: options.blockReloadIntervalMs,
          headCutDelayMs: Math.floor((env.random.u32() / 2 ** 32) * options.headCutDelayMaxMs),
        },
      },
      { ...env, notify: (key, text) => this.#notifications.set(key, text) },
    );
    this.#scrape = new ScrapeManager(
      { ...env, sink: this.#runtime.appends.sink, observer: scrapeMetrics(this.#registry) },
      { ...options.scrape, hostname: hostname() },
    );
    this.#discovery = new DiscoveryManager({ ...env, observer: discoveryMetrics(this.#registry) }, (sets) =>
      this.#scrape.update(sets),
    );
  }

  /**
   * Resolves when the server listens; see {@link ready} for the rest. Rejects with a ConfigError, a LOCKED error or
   * what is wrong with an address, and has released everything then.
   */
  static async start(options: ServerOptions, env: ServerEnv): Promise<Server> {
    const { web, storage } = options;
    const config = new ConfigState(env, options);
    const url = externalUrl(web.externalUrl, hostname(), web.listenAddresses[0]);
    const cors = corsPolicy(web.corsOrigin);
    const dataDir = makeDataDir(storage.dir);
    const lock = options.lockDirectory ? lockDirectory(dataDir, env.logger) : undefined;
    const server = new Server(options, env, config, dataDir, lock);
    try {
      await server.#listen(url, cors);
    } catch (error) {
      await server.close();
      throw error;
    }
    server.#scraping = server.#beginScraping();
    return server;
  }

  /** Where it listens. */
  get addresses(): readonly string[] {
    return this.#http?.addresses ?? [];
  }

  /** Resolves when the WAL is replayed and scraping has begun; rejects when the storage cannot be opened. */
  get ready(): Promise<void> {
    return this.#scraping ?? Promise.reject(new TypeError("the server is not started"));
  }

  readiness(): Readiness {
    return this.#state === "ready" && !this.#runtime.isReady ? "starting" : this.#state;
  }

  quit(): boolean {
    if (this.#quitAsked) return false;
    this.#quitAsked = true;
    this.#env.onQuit();
    return true;
  }

  /** One at a time. */
  reload(): Promise<void> {
    const reloading = this.#reloading.then(() => this.#reload());
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  /** Drains, flushes, unlocks. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = "stopping";
    this.#notifications.set("state", notificationTexts.stopping);
    this.#discovery.stop();
    this.#runtime.appends.endWaiting();
    await this.#scrape.stop();
    await this.#http?.close(drainMs);
    try {
      await this.#runtime.close();
    } finally {
      this.#lock?.release();
    }
  }

  /** As Prometheus does at its start, and for as long as it is so. */
  #judgeFileSystem(): void {
    if (this.#fileSystem === undefined) return;
    const { type, problem } = this.#fileSystem;
    this.#notifications.set("file system", problem);
    const fields = { dir: this.dataDir, fs_type: type };
    if (problem === "") this.#env.logger.info("filesystem information", fields);
    else this.#env.logger.warn(problem, fields);
  }

  async #listen(url: URL, cors: CorsPolicy): Promise<void> {
    const env = this.#env;
    const { web, configFile } = this.#options;
    const observer = httpMetrics(this.#registry);
    processMetrics(this.#registry, env.build, () => this.readiness() === "ready", this.#config);
    const families = storageFamilies(this.#options.storage.walCompression);
    const blocks = new BlockStatsReader(env.fs, this.dataDir);
    const page = new MetricsPage(env, this.#registry, families, () =>
      storageStats(this.#runtime, blocks, {
        cleanStart: this.#lock?.cleanStart ?? CleanStart.notLocked,
        diskBytes: diskBytes(this.dataDir),
        retention: this.#retention,
      }),
    );
    const api: ApiOptions = {
      listenAddress: web.listenAddresses[0],
      externalUrl: url,
      build: env.build,
      enableLifecycle: web.enableLifecycle,
    };
    const root = rootRoute({
      build: env.build,
      dataDir: this.dataDir,
      fileSystem: this.#fileSystem?.type ?? "",
      configFile,
      startTimeMs: this.#startTimeMs,
      readiness: () => this.readiness(),
      notifications: this.#notifications,
      pathPrefix: url.pathname === "/" ? "" : url.pathname,
    });
    const app = createHttpApp({
      services: this.#services(),
      routes: [root, metricsRoute(page, this.#registry), ...routesOf(api)],
      logger: env.logger,
      observer,
      cors,
      prefix: web.routePrefix === "/" ? "" : web.routePrefix,
      readTimeoutMs: web.readTimeoutMs,
    });
    const { listenAddresses: addresses, connectionsMax } = web;
    this.#http = await HttpServer.open(app, { addresses, connectionsMax, observer }, env.clock);
  }

  #services(): Services {
    const { web, queries } = this.#options;
    const runtime = this.#runtime;
    const concurrencyMax = Math.min(queries.concurrencyMax, availableParallelism());
    return {
      queries: meteredQueries(this.#registry, runtime, concurrencyMax),
      writes: web.enableRemoteWriteReceiver ? runtime : undefined,
      storage: runtime,
      admin: web.enableAdminApi ? runtime : undefined,
      scrape: this.#scrape,
      lifecycle: this,
      notifications: this.#notifications,
      status: {
        configYaml: () => printConfig(this.#config.current),
        flags: () => this.#options.shownFlags(this.#config.current),
        runtimeInfo: () => this.#runtimeInfo(),
        nowMs: () => this.#env.clock.nowMs(),
      },
    };
  }

  /** Targets are scraped from the first moment on; their pages wait for the head. */
  async #beginScraping(): Promise<void> {
    try {
      await Promise.all([this.#applyJobs(), this.#runtime.ready]);
    } catch (error) {
      // Closing ends the replay.
      if (this.#state !== "stopping") throw error;
    }
    if (this.#state === "stopping") return;
    this.#state = "ready";
    this.#notifications.set("state", "");
    this.#env.logger.info("Server is ready to receive web requests.");
  }

  async #applyJobs(): Promise<void> {
    const { current } = this.#config;
    await this.#scrape.applyConfig(current);
    this.#discovery.apply(current.allScrapeConfigs);
  }

  async #reload(): Promise<void> {
    const { clock, logger } = this.#env;
    const { configFile: file } = this.#options;
    const startedMs = clock.monotonicMs();
    logger.info("Loading configuration file", { file });
    try {
      this.#config.load();
    } catch (error) {
      const problem = (error as Error).message;
      logger.error("The configuration was not loaded; the old one stays in force.", { file, problem });
      this.#notifications.set("reload", notificationTexts.reloadFailed);
      throw error;
    }
    this.#notifications.set("reload", "");
    await this.#runtime.configure({
      queries: this.#querySettings(),
      retention: this.#retention,
      writer: this.#writerSettings(),
    });
    if (this.#state !== "stopping") await this.#applyJobs();
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info("Completed loading of configuration file", { file, durationMs });
  }

  #writerSettings(): WriterSettings {
    const { current, narthex, exemplarsMax } = this.#config;
    const { maxSeries, maxSeriesPerJob } = narthex.tsdb.limits;
    return {
      exemplarsMax,
      seriesLimits: { series: maxSeries, seriesByJob: maxSeriesPerJob },
      staleSeriesThreshold: current.storage.tsdb.staleSeriesCompactionThreshold,
      outOfOrderWindowMs: current.storage.tsdb.outOfOrderTimeWindowMs,
      encodings: configuredEncodings(this.#options.encodings, current.storage.tsdb.floatChunkEncoding),
    };
  }

  #querySettings(): QuerySettings {
    const { lookbackMs, samplesMax, timeoutMs, bytesMax } = this.#options.queries;
    const { evaluationIntervalMs } = this.#config.current.global;
    return { lookbackMs, samplesMax, timeoutMs, bytesMax, evaluationIntervalMs };
  }

  get #retention(): RetentionSettings {
    const { current, narthex } = this.#config;
    return { ...current.storage.tsdb.retention, rules: narthex.tsdb.retentionRules };
  }

  async #runtimeInfo(): Promise<RuntimeInfo> {
    const stats = await this.#runtime.writerStats();
    return {
      startTimeMs: this.#startTimeMs,
      serverTimeMs: this.#env.clock.nowMs(),
      cwd: process.cwd(),
      hostname: hostname(),
      reloadConfigSuccess: this.#config.lastSuccessful,
      lastConfigMs: this.#config.loadedMs,
      corruptionCount: stats["walCorruptions"] ?? 0,
      threadCount: this.#runtime.threads.running + 1,
      cpuCount: availableParallelism(),
      storageRetention: describeRetention(this.#config.current.storage.tsdb.retention),
    };
  }
}

/** Throws a LOCKED error where another server has the directory; says what else there is to know. */
function lockDirectory(dir: string, logger: Logger): DirectoryLock {
  const lock = new DirectoryLock(dir);
  if (lock.cleanStart === CleanStart.replaced) {
    const file = lock.path;
    logger.warn("A lockfile from a previous execution already existed. It was replaced", { file });
  } else if (lock.cleanStart === CleanStart.notLocked) {
    logger.warn("The data directory could not be locked: make sure that no other server uses it.", {
      dir,
      problem: lock.problem,
    });
  }
  return lock;
}

function makeDataDir(given: string): string {
  const dir = resolve(given);
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new Error(`cannot make the data directory ${dir} (--storage.tsdb.path): ${problem}`, { cause });
  }
  return dir;
}

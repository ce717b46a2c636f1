/** What a server is started with: the command line, read and checked. Durations are milliseconds, sizes bytes. */
import type { Config } from "../config/config.ts";
import type { ConfigOptions } from "../config/load.ts";
import type { ChunkSettings, StorageSettings } from "../runtime/settings.ts";
import type { ScrapeOptions } from "../scrape/manager.ts";

export interface WebOptions {
  readonly listenAddresses: readonly string[];
  readonly connectionsMax: number;
  readonly readTimeoutMs: number;
  /** As given; "": http://<host name>:<port>/ */
  readonly externalUrl: string;
  /** "/" or "/prefix" */
  readonly routePrefix: string;
  /** A regular expression, anchored. */
  readonly corsOrigin: string;
  readonly enableLifecycle: boolean;
  readonly enableAdminApi: boolean;
  readonly enableRemoteWriteReceiver: boolean;
}

export interface QueryOptions {
  readonly lookbackMs: number;
  readonly samplesMax: number;
  readonly timeoutMs: number;
  readonly concurrencyMax: number;
  /** Memory that one query may hold. */
  readonly bytesMax: number;
}

export interface ServerOptions {
  readonly configFile: string;
  readonly configOptions: ConfigOptions;
  readonly narthexConfigFile: string;
  /** Throws a ParseError where a text is no series selector. */
  readonly checkSelector: (text: string) => void;
  /** The flags as status/flags shows them under this configuration. */
  readonly shownFlags: (config: Config) => Readonly<Record<string, string>>;
  /** Without what the configuration file decides. */
  readonly storage: Omit<StorageSettings, "exemplarsMax" | "keepExemplars">;
  /** Of chunks, unless the configuration says another one for floats. */
  readonly encodings: ChunkSettings;
  /** Whether the feature is switched on; how many are kept is the configuration's to say. */
  readonly keepExemplars: boolean;
  readonly lockDirectory: boolean;
  readonly blockReloadIntervalMs: number;
  /** A block of the head waits for a random part of it, so that not all servers of a fleet cut theirs at once. */
  readonly headCutDelayMaxMs: number;
  /** The longest block that compaction makes, by the configuration at the start. */
  readonly blockRangeMaxMs: (config: Config) => number;
  readonly compactionParallelism: number;
  readonly queries: QueryOptions;
  readonly scrape: Omit<ScrapeOptions, "hostname">;
  readonly web: WebOptions;
}

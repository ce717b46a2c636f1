/** The configuration in force, and how the last attempt to load it went. */
import type { Clock, Logger } from "../base/env.ts";
import { ConfigError, NarthexError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import type { Config } from "../config/config.ts";
import { type ConfigOptions, loadConfig } from "../config/load.ts";
import { type CheckSelector, loadNarthexConfig, type NarthexConfig } from "../config/narthex-config.ts";

/** Prometheus's number of exemplars where the feature is on and the configuration does not say. */
const exemplarsDefault = 100_000;

export interface ConfigStateEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fs: Fs;
  readonly getEnv: (name: string) => string | undefined;
}

export interface ConfigSource {
  readonly configFile: string;
  readonly configOptions: ConfigOptions;
  /** As --narthex.config.file names it; "" for the one beside the configuration file, where there is one. */
  readonly narthexConfigFile: string;
  readonly keepExemplars: boolean;
  readonly checkSelector: CheckSelector;
}

export class ConfigState {
  readonly #env: ConfigStateEnv;
  readonly #source: ConfigSource;
  #current: Config;
  #narthex: NarthexConfig;
  #loadedMs: number;
  #lastSuccessful = true;

  /** Throws what {@link loadConfig} throws. */
  constructor(env: ConfigStateEnv, source: ConfigSource) {
    this.#env = env;
    this.#source = source;
    this.#current = this.#read();
    this.#narthex = this.#readNarthex();
    this.#loadedMs = env.clock.nowMs();
  }

  get current(): Config {
    return this.#current;
  }

  /** The settings that only Narthex has. */
  get narthex(): NarthexConfig {
    return this.#narthex;
  }

  /** When {@link current} was loaded. */
  get loadedMs(): number {
    return this.#loadedMs;
  }

  get lastSuccessful(): boolean {
    return this.#lastSuccessful;
  }

  /** 0: none are kept. */
  get exemplarsMax(): number {
    const { maxExemplars = 0 } = this.#current.storage.exemplars ?? {};
    return this.#source.keepExemplars ? Math.max(0, maxExemplars) : 0;
  }

  /** Reads the file again. Throws, with the old configuration still in force, where it is not acceptable. */
  load(): Config {
    try {
      const narthex = this.#readNarthex();
      this.#current = this.#read();
      this.#narthex = narthex;
      this.#loadedMs = this.#env.clock.nowMs();
      this.#lastSuccessful = true;
      return this.#current;
    } catch (error) {
      this.#lastSuccessful = false;
      throw error;
    }
  }

  #read(): Config {
    const { configFile, configOptions, keepExemplars } = this.#source;
    const config = this.#readFile(configFile, configOptions);
    const { storage } = config;
    if (!keepExemplars || storage.exemplars !== undefined) return config;
    return { ...config, storage: { ...storage, exemplars: { maxExemplars: exemplarsDefault } } };
  }

  #readNarthex(): NarthexConfig {
    const { narthexConfigFile, configFile, checkSelector } = this.#source;
    return loadNarthexConfig(this.#env.fs, narthexConfigFile, configFile, checkSelector);
  }

  #readFile(file: string, options: ConfigOptions): Config {
    try {
      return loadConfig(this.#env, file, options);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof NarthexError || code === undefined) throw error;
      const reason = code === "ENOENT" ? "there is no such file" : message;
      throw new ConfigError(file, 0, "", `${reason}; --config.file names the configuration`, {
        cause: error,
      });
    }
  }
}

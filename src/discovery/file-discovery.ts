/**
 * Target groups from files (`file_sd_configs`). The files are looked at every few seconds and read again when one of
 * them changed, appeared or vanished, and in any case every `refresh_interval`. A file that cannot be read or parsed
 * keeps the groups it had.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import type { Fs } from "../base/fs.ts";
import type { FileSdConfig } from "../config/config.ts";
import { glob } from "../config/glob.ts";
import type { DiscoveryObserver } from "./observer.ts";
import { readTargetFile } from "./target-file.ts";
import type { TargetGroup } from "./target-group.ts";

export interface FileDiscoveryEnv {
  readonly clock: Clock;
  readonly fs: Pick<Fs, "readFile" | "stat" | "list">;
  readonly logger: Logger;
  readonly observer: DiscoveryObserver;
}

/** How often the files' times and sizes are compared. */
const pollMs = 5000;

export class FileDiscovery {
  readonly #env: FileDiscoveryEnv;
  readonly #config: FileSdConfig;
  readonly #changed: () => void;
  #groups = new Map<string, readonly TargetGroup[]>();
  #fingerprint = "";
  #refreshedAtMs = 0;
  #timer: Timer | undefined;
  #stopped = false;

  /** `changed` is called whenever {@link FileDiscovery.groups} may have changed, but not from within `start`. */
  constructor(env: FileDiscoveryEnv, config: FileSdConfig, changed: () => void) {
    this.#env = env;
    this.#config = config;
    this.#changed = changed;
  }

  /** By file, in the order of the patterns. */
  groups(): readonly TargetGroup[] {
    return [...this.#groups.values()].flat();
  }

  /** Reads all files once, then keeps looking. */
  start(): void {
    this.#refresh();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const path of this.#groups.keys()) this.#env.observer.fileForgotten(path);
  }

  #schedule(): void {
    const delayMs = Math.max(1, Math.min(pollMs, this.#config.refreshIntervalMs));
    this.#timer = this.#env.clock.after(delayMs, () => {
      if (this.#stopped) return;
      if (this.#isDue() && this.#refresh()) this.#changed();
      this.#schedule();
    });
  }

  #isDue(): boolean {
    const elapsedMs = this.#env.clock.monotonicMs() - this.#refreshedAtMs;
    return elapsedMs >= this.#config.refreshIntervalMs || this.#look() !== this.#fingerprint;
  }

  #paths(): string[] {
    return this.#config.files.flatMap((pattern) => glob(this.#env.fs, pattern));
  }

  #look(): string {
    const { fs } = this.#env;
    return this.#paths()
      .map((path) => `${path}\0${fs.stat(path)?.mtimeMs}\0${fs.stat(path)?.sizeBytes}`)
      .join("\n");
  }

  /** Whether any group is different from before. */
  #refresh(): boolean {
    const { clock, observer } = this.#env;
    const startMs = clock.monotonicMs();
    // Before the files are read: a change in between is then seen at the next look.
    this.#fingerprint = this.#look();
    this.#refreshedAtMs = startMs;
    const before = JSON.stringify([...this.#groups]);
    const groups = new Map<string, readonly TargetGroup[]>();
    for (const path of this.#paths()) {
      const read = this.#read(path) ?? this.#groups.get(path);
      if (read !== undefined) groups.set(path, read);
    }
    for (const path of this.#groups.keys()) if (!groups.has(path)) observer.fileForgotten(path);
    this.#groups = groups;
    observer.filesScanned((clock.monotonicMs() - startMs) / 1000);
    return JSON.stringify([...groups]) !== before;
  }

  #read(path: string): readonly TargetGroup[] | undefined {
    const { fs, logger, observer } = this.#env;
    try {
      const groups = readTargetFile(fs.readFile(path), path);
      observer.fileRead(path, fs.stat(path)?.mtimeMs ?? 0);
      return groups;
    } catch (error) {
      observer.fileFailed();
      logger.error("A discovery file cannot be read; its last targets are kept", {
        path,
        err: (error as Error).message,
      });
      return undefined;
    }
  }
}

/**
 * Runs the discoveries that the jobs ask for and hands on the target groups of all jobs together, each time anything
 * changed. Jobs with equal discovery configurations share one discovery.
 */
import type { Clock, Logger } from "../base/env.ts";
import type { Fs } from "../base/fs.ts";
import type { FileSdConfig, ScrapeConfig } from "../config/config.ts";
import { FileDiscovery } from "./file-discovery.ts";
import type { DiscoveryObserver } from "./observer.ts";
import { silentDiscoveryObserver } from "./observer.ts";
import { type TargetGroup, targetGroup } from "./target-group.ts";

export interface DiscoveryEnv {
  readonly clock: Clock;
  readonly fs: Pick<Fs, "readFile" | "stat" | "list">;
  readonly logger: Logger;
  readonly observer?: DiscoveryObserver;
}

/** The groups of every job by its name; a job without any has an empty list. */
export type TargetSets = ReadonlyMap<string, readonly TargetGroup[]>;

type Job = Pick<ScrapeConfig, "jobName" | "fileSdConfigs" | "staticConfigs">;

export class DiscoveryManager {
  readonly #env: Required<DiscoveryEnv>;
  readonly #publish: (sets: TargetSets) => void;
  #jobs: readonly Job[] = [];
  #files = new Map<string, FileDiscovery>();

  constructor(env: DiscoveryEnv, publish: (sets: TargetSets) => void) {
    this.#env = { ...env, observer: env.observer ?? silentDiscoveryObserver };
    this.#publish = publish;
  }

  /** From here on discovers for these jobs, and publishes their groups at once. */
  apply(jobs: readonly Job[]): void {
    for (const { jobName } of this.#jobs) {
      if (!jobs.some((job) => job.jobName === jobName)) this.#env.observer.jobForgotten(jobName);
    }
    this.#jobs = jobs;
    const wanted = new Map(jobs.flatMap((job) => job.fileSdConfigs).map((config) => [keyOf(config), config]));
    for (const [key, discovery] of this.#files) {
      if (wanted.has(key)) continue;
      discovery.stop();
      this.#files.delete(key);
    }
    for (const [key, config] of wanted) {
      if (this.#files.has(key)) continue;
      const discovery = new FileDiscovery(this.#env, config, () => {
        this.#env.observer.updateReceived();
        this.#send();
      });
      this.#files.set(key, discovery);
      discovery.start();
    }
    this.#send();
  }

  stop(): void {
    for (const discovery of this.#files.values()) discovery.stop();
    this.#files.clear();
  }

  #send(): void {
    const sets = new Map<string, readonly TargetGroup[]>();
    for (const job of this.#jobs) {
      const groups = this.#groupsOf(job);
      const count = groups.reduce((sum, group) => sum + group.targets.length, 0);
      this.#env.observer.discovered(job.jobName, count);
      sets.set(job.jobName, groups);
    }
    this.#env.observer.updateSent();
    this.#publish(sets);
  }

  #groupsOf(job: Job): TargetGroup[] {
    const files = job.fileSdConfigs.flatMap((config) => this.#files.get(keyOf(config))?.groups() ?? []);
    const fixed = job.staticConfigs.map(({ targets, labels }, i) => targetGroup(String(i), targets, labels));
    return [...files, ...fixed];
  }
}

function keyOf(config: FileSdConfig): string {
  return JSON.stringify([config.files, config.refreshIntervalMs]);
}

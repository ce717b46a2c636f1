/** What the process is and how it does: build, configuration, readiness, `process_*`, event loop. */
import { readFileSync } from "node:fs";
import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import type { BuildInfo } from "../../api/handlers/status.ts";

/** How the last load of the configuration went; see ConfigState. */
export interface LoadedConfig {
  readonly lastSuccessful: boolean;
  readonly loadedMs: number;
}

/** What getrlimit calls "unlimited". */
const unlimitedBytes = 2 ** 64;

/** Linux says; elsewhere there is taken to be no limit. */
function virtualMemoryMax(): number {
  try {
    const soft = /^Max address space\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined || soft === "unlimited" ? unlimitedBytes : Number(soft);
  } catch {
    return unlimitedBytes;
  }
}

export function processMetrics(
  registry: Registry,
  build: BuildInfo,
  isReady: () => boolean,
  config: LoadedConfig,
): void {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "process_virtual_memory_max_bytes",
    help: "Most virtual memory that the process may have.",
    registers,
  }).set(virtualMemoryMax());
  new Gauge({
    name: "prometheus_build_info",
    help: "Always 1; the labels say which Prometheus this server behaves like and what it is.",
    labelNames: ["version", "revision", "branch", "goversion", "goos", "goarch", "tags", "narthex", "node"],
    registers,
  }).set(
    {
      version: build.prometheusVersion,
      revision: "",
      branch: "",
      goversion: "",
      goos: process.platform,
      goarch: process.arch === "x64" ? "amd64" : process.arch,
      tags: "",
      narthex: build.narthexVersion,
      node: build.nodeVersion,
    },
    1,
  );
  new Gauge({
    name: "prometheus_ready",
    help: "Whether the server has started completely.",
    registers,
    collect() {
      this.set(isReady() ? 1 : 0);
    },
  });
  new Gauge({
    name: "prometheus_config_last_reload_successful",
    help: "Whether the last load of the configuration succeeded.",
    registers,
    collect() {
      this.set(config.lastSuccessful ? 1 : 0);
    },
  });
  new Gauge({
    name: "prometheus_config_last_reload_success_timestamp_seconds",
    help: "When the configuration was last loaded successfully.",
    registers,
    collect() {
      this.set(config.loadedMs / 1000);
    },
  });
}

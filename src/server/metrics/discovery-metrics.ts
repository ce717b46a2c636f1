/** `prometheus_sd_*`: what discovery finds. */
import { Counter, Gauge, type Registry, Summary } from "prom-client";
import type { DiscoveryObserver } from "../../discovery/observer.ts";
import { summaryWindow } from "./windows.ts";

/** Prometheus runs one discovery for scraping and one for notifying; this server has the first. */
const name = "scrape";

export function discoveryMetrics(registry: Registry): DiscoveryObserver {
  const registers = [registry];
  const modified = new Gauge({
    name: "prometheus_sd_file_mtime_seconds",
    help: "When a file of targets was last modified.",
    labelNames: ["filename"],
    registers,
  });
  const readErrors = new Counter({
    name: "prometheus_sd_file_read_errors_total",
    help: "Files of targets that could not be read.",
    registers,
  });
  const scans = new Summary({
    name: "prometheus_sd_file_scan_duration_seconds",
    help: "How long reading the files of targets took.",
    percentiles: [0.5, 0.9, 0.99],
    ...summaryWindow,
    registers,
  });
  const discovered = new Gauge({
    name: "prometheus_sd_discovered_targets",
    help: "Targets that were discovered, before relabelling.",
    labelNames: ["name", "config"],
    registers,
  });
  const received = updates(registry, "received_updates_total", "Updates that came from the discoveries.");
  const sent = updates(registry, "updates_total", "Updates that were handed on.");
  new Gauge({
    name: "prometheus_sd_failed_configs",
    help: "Discovery configurations that could not be started.",
    labelNames: ["name"],
    registers,
  }).set({ name }, 0);
  return {
    fileRead: (filename, mtimeMs) => modified.set({ filename }, mtimeMs / 1000),
    fileForgotten: (filename) => modified.remove({ filename }),
    fileFailed: () => readErrors.inc(),
    filesScanned: (seconds) => scans.observe(seconds),
    discovered: (config, targets) => discovered.set({ name, config }, targets),
    jobForgotten: (config) => discovered.remove({ name, config }),
    updateReceived: () => received.inc({ name }),
    updateSent: () => sent.inc({ name }),
  };
}

function updates(registry: Registry, what: string, help: string): Counter {
  const counter = new Counter({
    name: `prometheus_sd_${what}`,
    help,
    labelNames: ["name"],
    registers: [registry],
  });
  counter.inc({ name }, 0);
  return counter;
}

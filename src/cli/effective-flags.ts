import { ConfigError } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { formatSize } from "../config/size.ts";
import { formatDuration } from "../model/duration.ts";
import { usableMemoryBytes } from "../node/memory-limit.ts";
import { memoryLimitMin } from "../tsdb/budget/shares.ts";
import type { Flags } from "./flags.ts";

const maxBlockMs = 31 * 86_400_000;

/** The retention that the command line asks for: the default where it says nothing. */
export function flagRetention(flags: Flags): { timeMs: number; sizeBytes: number; percentage: number } {
  const timeMs = flags.durationMs("storage.tsdb.retention.time");
  const sizeBytes = flags.bytes("storage.tsdb.retention.size");
  const unset = timeMs === 0 && sizeBytes === 0;
  return { timeMs: unset ? 15 * 86_400_000 : timeMs, sizeBytes, percentage: 0 };
}

/** The share of the memory that this process may use. */
const memoryShare = 2 / 3;

/** What the whole process shall keep to. Throws a ConfigError where nothing can run in that. */
export function memoryLimitBytes(flags: Flags): number {
  const given = flags.bytes("storage.tsdb.memory-limit");
  const limit = given === 0 ? Math.floor(usableMemoryBytes() * memoryShare) : given;
  if (given !== 0 && given < memoryLimitMin) {
    const problem = `at least ${formatSize(memoryLimitMin)} are needed, ${formatSize(given)} given`;
    throw new ConfigError("command line", 0, "--storage.tsdb.memory-limit", problem);
  }
  return Math.max(limit, memoryLimitMin);
}

/** The path under which everything is served: "/" or "/prefix". */
export function routePrefix(flags: Flags): string {
  const given = flags.text("web.route-prefix");
  const external = flags.text("web.external-url");
  const path = given === "" && URL.canParse(external) ? new URL(external).pathname : given;
  return `/${path.replace(/^\/+|\/+$/g, "")}`;
}

/** The longest block that compaction makes: a tenth of the retention, at most 31 days. */
export function maxBlockDurationMs(flags: Flags, config: Config): number {
  const given = flags.durationMs("storage.tsdb.max-block-duration");
  const { timeMs } = config.storage.tsdb.retention;
  if (given !== 0) return given;
  return timeMs === 0 ? maxBlockMs : Math.min(maxBlockMs, Math.floor(timeMs / 10));
}

/** What status/flags shows: as given, but with what the start made of some values, as Prometheus shows it. */
export function effectiveFlags(flags: Flags, config: Config): Record<string, string> {
  const { retention } = config.storage.tsdb;
  return {
    ...flags.all(),
    "storage.tsdb.retention.time": formatDuration(retention.timeMs),
    "storage.tsdb.retention.size": formatSize(retention.sizeBytes),
    "storage.tsdb.max-block-duration": formatDuration(maxBlockDurationMs(flags, config)),
    "storage.tsdb.memory-limit": formatSize(memoryLimitBytes(flags)),
    "web.route-prefix": routePrefix(flags),
  };
}

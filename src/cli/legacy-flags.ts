/**
 * Flags of Prometheus 1.x, which were written with a single dash, and what became of them. Whoever starts this server
 * with an old command line is told today's flag instead of "unknown".
 */
const replacements: Readonly<Record<string, string>> = {
  "config.file": "--config.file",
  "log.level": "--log.level",
  "log.format": "--log.format",
  "alertmanager.notification-queue-capacity": "--alertmanager.notification-queue-capacity",
  "alertmanager.timeout": "the timeout of an Alertmanager in the configuration file",
  "alertmanager.url": "the alerting block of the configuration file",
  "query.max-concurrency": "--query.max-concurrency",
  "query.staleness-delta": "--query.lookback-delta",
  "query.timeout": "--query.timeout",
  "storage.local.path": "--storage.tsdb.path",
  "storage.local.retention": "--storage.tsdb.retention.time",
  "storage.local.target-heap-size":
    "nothing: the new storage needs no heap size; --query.max-samples bounds what a query may take",
  "storage.local.memory-chunks": "nothing: the new storage does not count chunks",
  "storage.local.max-chunks-to-persist": "nothing: the new storage does not count chunks",
  "storage.local.checkpoint-interval": "nothing: the write-ahead log replaces the old checkpoints",
  "storage.local.checkpoint-dirty-series-limit": "nothing: the write-ahead log replaces the old checkpoints",
  "storage.local.series-sync-strategy": "--storage.tsdb.wal-sync",
  "storage.local.dirty": "nothing: recovery starts by itself where it is needed",
  "storage.local.pedantic-checks": "nothing: recovery starts by itself where it is needed",
  "storage.local.engine": "nothing: there is one storage engine",
  "storage.local.chunk-encoding-version": "nothing: chunks have one encoding for floats",
  "storage.local.num-fingerprint-mutexes": "nothing: the storage has no such locks",
  "storage.local.series-file-shrink-ratio": "nothing: blocks are deleted as a whole",
  "storage.local.index-cache-size.fingerprint-to-metric": "nothing: the index needs no cache sizes",
  "storage.local.index-cache-size.fingerprint-to-timerange": "nothing: the index needs no cache sizes",
  "storage.local.index-cache-size.label-name-to-label-values": "nothing: the index needs no cache sizes",
  "storage.local.index-cache-size.label-pair-to-fingerprints": "nothing: the index needs no cache sizes",
  "storage.remote.timeout": "remote_timeout of remote_write in the configuration file",
  "storage.remote.influxdb-url": "remote_write in the configuration file",
  "storage.remote.graphite-address": "remote_write in the configuration file",
  "storage.remote.opentsdb-url": "remote_write in the configuration file",
  "web.console.libraries": "--web.console.libraries",
  "web.console.templates": "--web.console.templates",
  "web.enable-remote-shutdown": "--web.enable-lifecycle",
  "web.external-url": "--web.external-url",
  "web.listen-address": "--web.listen-address",
  "web.local-assets": "nothing: pages are built in",
  "web.max-connections": "--web.max-connections",
  "web.read-timeout": "--web.read-timeout",
  "web.route-prefix": "--web.route-prefix",
  "web.telemetry-path": "nothing: metrics are always under /metrics",
  "web.user-assets": "--web.user-assets",
};

/** Flags of Prometheus 2.x that are gone. */
const removed: Readonly<Record<string, string>> = {
  "storage.tsdb.retention": "--storage.tsdb.retention.time",
  "storage.tsdb.allow-overlapping-blocks": "nothing: overlapping blocks are always allowed",
  "alertmanager.timeout": "the timeout of an Alertmanager in the configuration file",
};

/** What to use instead of `-name`; undefined where 1.x had no such flag. */
export function replacementOf1x(name: string): string | undefined {
  return Object.hasOwn(replacements, name) ? replacements[name] : undefined;
}

/** What to use instead of `--name`; undefined where it was never a flag. */
export function replacementOfRemoved(name: string): string | undefined {
  if (Object.hasOwn(removed, name)) return removed[name];
  return name.startsWith("storage.local.") || name.startsWith("storage.remote.")
    ? replacementOf1x(name)
    : undefined;
}

/** Every flag: Prometheus 3.14's in its order, then ours. */
import type { FlagDefinition, FlagKind } from "./flag-definition.ts";

type More = Partial<Omit<FlagDefinition, "name" | "kind" | "help" | "default">>;

const server: More = { mode: "server" };
const agent: More = { mode: "agent" };
const later: More = { noEffectYet: true };
const serverLater: More = { mode: "server", noEffectYet: true };
const hidden: More = { mode: "server", hidden: true };
const hiddenLater: More = { mode: "server", hidden: true, noEffectYet: true };

function flag(kind: FlagKind, name: string, value: string, help: string, more: More = {}): FlagDefinition {
  return { name, kind, default: value, help, ...more };
}

const web: readonly FlagDefinition[] = [
  flag("text", "config.file", "prometheus.yml", "Path of the configuration file."),
  flag(
    "bool",
    "config.auto-reload",
    "false",
    "Reload the configuration file by itself when it changes.",
    later,
  ),
  flag(
    "duration",
    "config.auto-reload-interval",
    "30s",
    "With --config.auto-reload: how often to look for changes.",
    later,
  ),
  flag("texts", "web.listen-address", "0.0.0.0:9090", "Address to serve HTTP on. Can be repeated."),
  flag("bool", "auto-gomaxprocs", "true", "Go only: adapt the number of threads to the CPU quota.", later),
  flag("bool", "auto-gomemlimit", "true", "Go only: adapt the memory limit to the container's.", later),
  flag("float", "auto-gomemlimit.ratio", "0.9", "Go only: the share of the memory to use.", later),
  flag(
    "duration",
    "auto-gomemlimit.refresh-interval",
    "0s",
    "Go only: how often to look at the container's memory limit again.",
    later,
  ),
  flag("text", "web.config.file", "", "Path of a file that switches on TLS or authentication.", later),
  flag(
    "duration",
    "web.read-timeout",
    "5m",
    "How long reading a request may take; idle connections end too.",
  ),
  flag("int", "web.max-connections", "512", "Most connections at a time, over all addresses."),
  flag(
    "int",
    "web.max-notifications-subscribers",
    "16",
    "Most clients that may follow live notifications.",
    later,
  ),
  flag(
    "text",
    "web.external-url",
    "",
    "URL under which users reach this server, for links to it; its path is also the prefix of all endpoints.",
    { placeholder: "<URL>" },
  ),
  flag("text", "web.route-prefix", "", "Prefix of all endpoints. Default: the path of --web.external-url.", {
    placeholder: "<path>",
  }),
  flag("text", "web.user-assets", "", "Directory of files to serve under /user.", {
    placeholder: "<path>",
    noEffectYet: true,
  }),
  flag("bool", "web.enable-lifecycle", "false", "Allow reload and shutdown by HTTP request."),
  flag("bool", "web.enable-admin-api", "false", "Allow the API's administrative actions."),
  flag("bool", "web.enable-remote-write-receiver", "false", "Accept remote write requests."),
  flag(
    "texts",
    "web.remote-write-receiver.accepted-protobuf-messages",
    "prometheus.WriteRequest,io.prometheus.write.v2.Request",
    "Remote write messages to accept.",
    { words: ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"], noEffectYet: true },
  ),
  flag("bool", "web.enable-otlp-receiver", "false", "Accept OTLP write requests.", later),
  flag("text", "web.console.templates", "consoles", "Directory of console templates.", later),
  flag("text", "web.console.libraries", "console_libraries", "Directory of console libraries.", later),
  flag(
    "text",
    "web.page-title",
    "Prometheus Time Series Collection and Processing Server",
    "Title of the pages.",
    later,
  ),
  flag(
    "text",
    "web.cors.origin",
    ".*",
    "Regular expression, anchored, for origins that other sites' pages may come from.",
  ),
];

const tsdb: readonly FlagDefinition[] = [
  flag("text", "storage.tsdb.path", "data/", "Directory of the data.", server),
  flag("duration", "storage.tsdb.min-block-duration", "2h", "For tests: time span of a new block.", hidden),
  flag("duration", "storage.tsdb.max-block-duration", "", "For tests: longest time span of a block.", {
    ...hiddenLater,
    placeholder: "<duration>",
  }),
  flag("size", "storage.tsdb.max-block-chunk-segment-size", "", "Largest chunk file of a block.", {
    ...hidden,
    placeholder: "<bytes>",
  }),
  flag("size", "storage.tsdb.wal-segment-size", "", "Size at which the WAL starts a new file.", {
    ...hidden,
    placeholder: "<bytes>",
  }),
  flag(
    "duration",
    "storage.tsdb.retention.time",
    "",
    "How long samples are kept; 15d where neither this nor the size is set. Better set in the configuration file.",
    server,
  ),
  flag(
    "size",
    "storage.tsdb.retention.size",
    "",
    "How much the blocks may take, as in 512MB. Better set in the configuration file.",
    server,
  ),
  flag("bool", "storage.tsdb.no-lockfile", "false", "Do not lock the data directory.", server),
  flag(
    "bool",
    "storage.tsdb.allow-overlapping-compaction",
    "true",
    "Merge blocks that overlap.",
    hiddenLater,
  ),
  flag("bool", "storage.tsdb.wal-compression", "true", "Compress the WAL.", hidden),
  flag("text", "storage.tsdb.wal-compression-type", "snappy", "How the WAL is compressed.", {
    ...hidden,
    words: ["snappy", "zstd"],
  }),
  flag(
    "int",
    "storage.tsdb.head-chunks-write-queue-size",
    "0",
    "Length of the queue of chunks to write.",
    serverLater,
  ),
  flag("int", "storage.tsdb.samples-per-chunk", "120", "Samples that a chunk aims at.", hidden),
  flag(
    "int",
    "storage.tsdb.delayed-compaction.max-percent",
    "10",
    "With the feature delayed-compaction: longest delay, in percent of the head's range.",
    { mode: "server", hidden: true },
  ),
  flag(
    "text",
    "storage.tsdb.delay-compact-file.path",
    "",
    "File that lists uploaded blocks (Thanos's shipper); others are not compacted.",
    server,
  ),
  flag(
    "duration",
    "storage.tsdb.block-reload-interval",
    "1m",
    "How often to look for blocks that were added or removed.",
    hidden,
  ),
];

const agents: readonly FlagDefinition[] = [
  flag("text", "storage.agent.path", "data-agent/", "Directory of the data.", agent),
  flag("size", "storage.agent.wal-segment-size", "", "Size at which the WAL starts a new file.", {
    ...agent,
    hidden: true,
    placeholder: "<bytes>",
  }),
  flag("bool", "storage.agent.wal-compression", "true", "Compress the WAL.", agent),
  flag("text", "storage.agent.wal-compression-type", "snappy", "How the WAL is compressed.", {
    ...agent,
    hidden: true,
    words: ["snappy", "zstd"],
  }),
  flag("duration", "storage.agent.wal-truncate-frequency", "", "How often the WAL is cut.", {
    ...agent,
    hidden: true,
    placeholder: "<duration>",
  }),
  flag("duration", "storage.agent.retention.min-time", "5m", "Age before samples may be deleted.", agent),
  flag("duration", "storage.agent.retention.max-time", "4h", "Age at which samples are deleted.", agent),
  flag(
    "bool",
    "storage.agent.checkpoint-from-in-memory-series",
    "false",
    "Build checkpoints from the series in memory.",
    agent,
  ),
  flag("int", "storage.agent.checkpoint-batch-size", "1000", "Records written at a time then.", agent),
  flag("bool", "storage.agent.no-lockfile", "false", "Do not lock the data directory.", agent),
];

const rest: readonly FlagDefinition[] = [
  flag("duration", "storage.remote.flush-deadline", "1m", "How long sending may take at the end.", {
    ...later,
    placeholder: "<duration>",
  }),
  flag(
    "int",
    "storage.remote.read-sample-limit",
    "5e7",
    "Most samples in one remote read answer; 0: no limit.",
    serverLater,
  ),
  flag(
    "int",
    "storage.remote.read-concurrent-limit",
    "10",
    "Most remote reads at a time; 0: no limit.",
    serverLater,
  ),
  flag(
    "int",
    "storage.remote.read-max-bytes-in-frame",
    "1048576",
    "Largest frame of a streamed remote read.",
    serverLater,
  ),
  flag(
    "int",
    "web.search.max-limit",
    "10000",
    "With the feature search-api: largest limit of a search; 0: none.",
    serverLater,
  ),
  flag(
    "duration",
    "rules.alert.for-outage-tolerance",
    "1h",
    'Longest outage after which the "for" state of alerts is restored.',
    serverLater,
  ),
  flag(
    "duration",
    "rules.alert.for-grace-period",
    "10m",
    'Shortest time between a restored "for" state and its alert.',
    serverLater,
  ),
  flag(
    "duration",
    "rules.alert.resend-delay",
    "1m",
    "Wait before an alert is sent to Alertmanager again.",
    serverLater,
  ),
  flag("int", "rules.max-concurrent-evals", "4", "Most independent rules evaluated at a time.", serverLater),
  flag("bool", "scrape.adjust-timestamps", "true", "Set timestamps of scrapes to their exact schedule.", {
    hidden: true,
  }),
  flag("goDuration", "scrape.timestamp-tolerance", "2ms", "By how much they may be set.", { hidden: true }),
  flag(
    "int",
    "alertmanager.notification-queue-capacity",
    "10000",
    "Most notifications waiting for Alertmanager.",
    serverLater,
  ),
  flag(
    "int",
    "alertmanager.notification-batch-size",
    "256",
    "Most notifications sent at a time.",
    serverLater,
  ),
  flag(
    "bool",
    "alertmanager.drain-notification-queue-on-shutdown",
    "true",
    "Send waiting notifications before the end.",
    serverLater,
  ),
  flag("duration", "query.lookback-delta", "5m", "How far back a query looks for a series' value.", server),
  flag("duration", "query.timeout", "2m", "How long a query may take.", server),
  flag("int", "query.max-concurrency", "20", "Most queries at a time.", server),
  flag("int", "query.max-samples", "50000000", "Most samples one query may hold in memory.", server),
  flag("duration", "scrape.discovery-reload-interval", "5s", "How often changes of targets take effect.", {
    hidden: true,
  }),
  flag("texts", "enable-feature", "", "Names of features to switch on, separated by commas."),
  flag("bool", "agent", "false", "Scrape and forward only: not supported yet."),
  flag("text", "log.level", "info", "Least severity of log messages.", {
    words: ["debug", "info", "warn", "error"],
  }),
  flag("text", "log.format", "logfmt", "Format of log messages.", { words: ["logfmt", "json"] }),
  flag("bool", "write-documentation", "false", "Print these flags as Markdown.", { hidden: true, ...later }),
];

const ours: readonly FlagDefinition[] = [
  flag(
    "int",
    "storage.tsdb.compaction-parallelism",
    "0",
    "How many compactions of blocks may run at once, each in a thread of its own; 0: one for each processor.",
    server,
  ),
  flag(
    "text",
    "storage.tsdb.wal-sync",
    "segment",
    "When samples in the WAL are also forced to the disk: with each segment, within a second (interval), always before they are acknowledged, or within a second except while memory is short (adaptive).",
    { ...server, words: ["segment", "interval", "always", "adaptive"] },
  ),
  flag(
    "duration",
    "storage.tsdb.head-snapshot-interval",
    "2m",
    "How often a snapshot of the head is taken in the background, so that a start replays only what the WAL got since. 0: never.",
    server,
  ),
  flag(
    "size",
    "storage.tsdb.head-snapshot-max-size",
    "1GiB",
    "No snapshot of the head is taken that would be larger. 0: no limit.",
    { ...server, placeholder: "<bytes>" },
  ),
  flag(
    "bool",
    "storage.tsdb.verify-on-start",
    "false",
    "Replays all of the WAL and reads all blocks through at the start, whether there is a snapshot of the head or not.",
    server,
  ),
  flag(
    "size",
    "storage.tsdb.memory-limit",
    "",
    "How much memory the whole process may use, as in 2GiB. Near it the head is cut early and queries are refused, at it new series are. Default: two thirds of what the machine or the control group has.",
    { ...server, placeholder: "<bytes>" },
  ),
  flag(
    "size",
    "storage.tsdb.reserve-size",
    "64MB",
    "Size of a file that is given up when the disk is full, so that there is room for what frees space; 5 % of the file system at most, 0 for none.",
    server,
  ),
  flag(
    "text",
    "narthex.config.file",
    "",
    "Path of the file with settings that Prometheus does not have. Default: narthex.yml beside the configuration file, where it exists.",
  ),
];

export const prometheusFlags: readonly FlagDefinition[] = [...web, ...tsdb, ...agents, ...rest];
export const narthexFlags: readonly FlagDefinition[] = ours;
export const allFlags: readonly FlagDefinition[] = [...prometheusFlags, ...narthexFlags];

import { describe, expect, test } from "vitest";
import { ConfigError } from "../base/errors.ts";
import { parseConfig } from "../config/load.ts";
import { effectiveFlags, flagRetention, maxBlockDurationMs, routePrefix } from "./effective-flags.ts";
import { flagHelp } from "./flag-help.ts";
import { allFlags } from "./flag-table.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { formatGoDuration, parseGoDuration } from "./go-duration.ts";

const noFile = (path: string): string => {
  throw new Error(`no ${path}`);
};
const parse = (...args: string[]): Flags => parseFlags(args, noFile).flags;

function failure(...args: string[]): string {
  try {
    parseFlags(args, noFile);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${args.join(" ")}`);
}

describe("spellings", () => {
  test.each([
    ["--query.timeout=5m", "query.timeout", "5m"],
    ["--query.timeout 5m", "query.timeout", "5m"],
    ["--query.timeout=300s", "query.timeout", "5m"],
    ["--web.enable-lifecycle", "web.enable-lifecycle", "true"],
    ["--no-web.enable-lifecycle", "web.enable-lifecycle", "false"],
    ["--no-storage.tsdb.wal-compression", "storage.tsdb.wal-compression", "false"],
    ["--storage.tsdb.no-lockfile", "storage.tsdb.no-lockfile", "true"],
    ["--no-storage.tsdb.no-lockfile", "storage.tsdb.no-lockfile", "false"],
    ["--query.max-samples=1e3", "query.max-samples", "1000"],
    ["--query.max-samples=1.5", "query.max-samples", "1"],
    ["--web.listen-address=:1 --web.listen-address :2", "web.listen-address", ":1,:2"],
    ["--enable-feature=a,b --enable-feature=c", "enable-feature", "a,b,c"],
    ["--storage.tsdb.retention.size=1.5GB", "storage.tsdb.retention.size", "1GiB512MiB"],
    ["--scrape.timestamp-tolerance=1500us", "scrape.timestamp-tolerance", "1.5ms"],
    ["--config.file=", "config.file", ""],
    ["--config.file=a=b", "config.file", "a=b"],
    ["--config.file -", "config.file", "-"],
    ["--storage.tsdb.wal-sync=always", "storage.tsdb.wal-sync", "always"],
    ["--", "config.file", "prometheus.yml"],
  ])("%s", (line, name, value) => {
    expect(parse(...line.split(" ")).all()[name]).toBe(value);
  });

  test("arguments from a file", () => {
    const { flags } = parseFlags(["@args", "--query.timeout=1m"], (path) =>
      path === "args" ? "# old\n--web.page-title=A title\n--log.level\ndebug\n" : "",
    );
    expect([flags.text("web.page-title"), flags.text("log.level"), flags.text("query.timeout")]).toEqual([
      "A title",
      "debug",
      "1m",
    ]);
    expect(failure("@none")).toMatch(/"none" cannot be read/);
  });

  test.each([
    ["-h", "help"],
    ["--help", "help"],
    ["--help-long", "help"],
    ["--version", "version"],
    ["--log.level=warn", "serve"],
  ])("%s asks for %s", (arg, wish) => {
    expect(parseFlags([arg], noFile).wish).toBe(wish);
  });
});

test.each([
  ["--query.timout=5m", "unknown long flag '--query.timout'; did you mean --query.timeout?"],
  ["--zzzzzz", "unknown long flag '--zzzzzz'; --help lists all flags"],
  ["--no-query.timeout", "unknown long flag '--no-query.timeout'"],
  ["--no-nope", "unknown long flag '--no-nope'"],
  ["--query.timeout", "expected argument for flag '--query.timeout'"],
  ["--query.timeout --log.level=info", "expected argument for flag '--query.timeout'"],
  ["--query.timeout=5m --query.timeout=6m", "flag 'query.timeout' cannot be repeated"],
  ["--web.enable-lifecycle --web.enable-lifecycle", "cannot be repeated"],
  ["--web.enable-lifecycle=true", "unexpected true"],
  ["--web.enable-lifecycle true", "unexpected true"],
  ["--no-web.enable-lifecycle=x", "unexpected x"],
  ["serve", "unexpected serve"],
  ["-- serve", "unexpected serve"],
  ["--query.timeout=", "empty value"],
  ["--query.timeout=5x", 'unknown unit "x" in duration "5x"'],
  ["--query.max-samples=many", '"many" is not a number'],
  ["--storage.tsdb.retention.size=10", '"10" is not a size'],
  ["--log.level=loud", 'must be one of debug, info, warn, error, got "loud"'],
  ["--storage.tsdb.wal-compression-type=lz4", "must be one of snappy, zstd"],
  ["--web.remote-write-receiver.accepted-protobuf-messages=x", "must be one of prometheus.WriteRequest"],
  ["--storage.agent.path=x", "--storage.agent.path: can only be used in agent mode"],
  ["--agent --query.timeout=1m", "--query.timeout: cannot be used in agent mode"],
  ["--agent", "not supported yet: agent mode"],
  ["--scrape.timestamp-tolerance=5", '"5" is not a duration'],
  ["--auto-gomemlimit.ratio=2", "must be greater than 0 and at most 1"],
  ["--web.search.max-limit=-1", "must not be negative"],
  ["--enable-feature=otlp-deltatocumulative,otlp-native-delta-ingestion", "excludes"],
  ["-x", "unknown short flag '-x'"],
  [
    "-storage.local.path=/data",
    "-storage.local.path is a flag of Prometheus 1.x; instead there is --storage.tsdb.path",
  ],
  ["-storage.local.target-heap-size 1", "it has no successor: the new storage needs no heap size"],
  ["--storage.local.path=/data", "this flag is gone; instead there is --storage.tsdb.path"],
  ["--storage.tsdb.retention=1d", "instead there is --storage.tsdb.retention.time"],
  ["--query.timeout=x", "command line: --query.timeout: not a valid duration"],
  ["--storage.tsdb.wal-segment-size=9MB", "must be 256MB at most, and at least 10MB"],
  ["--storage.tsdb.wal-segment-size=257MB", "must be 256MB at most, and at least 10MB"],
  ["--storage.tsdb.max-block-chunk-segment-size=1KB", "must be at least 1MB"],
  ["--storage.tsdb.samples-per-chunk=3", "must be 4 to 32767"],
  ["--storage.tsdb.samples-per-chunk=32768", "must be 4 to 32767"],
  ["--storage.tsdb.min-block-duration=50d", "must be 2ms to 49d"],
  ["-query.max-samples=1", "flags begin with two dashes: --query.max-samples"],
])("%s is refused", (line, message) => {
  expect(failure(...line.split(" "))).toContain(message);
});

test("every replacement of a 1.x flag that names a flag names one that exists", async () => {
  const { replacementOf1x } = await import("./legacy-flags.ts");
  const names = new Set(allFlags.map((flag) => `--${flag.name}`));
  for (const name of [
    "storage.local.retention",
    "storage.local.series-sync-strategy",
    "web.listen-address",
  ]) {
    expect(names).toContain(replacementOf1x(name));
  }
});

test("typed values", () => {
  const flags = parse(
    "--storage.tsdb.wal-segment-size=100MB",
    "--enable-feature=exemplar-storage,x",
    "--no-auto-gomaxprocs",
  );
  expect(flags.durationMs("query.lookback-delta")).toBe(300_000);
  expect(flags.durationMs("scrape.timestamp-tolerance")).toBe(2);
  expect(flags.durationMs("storage.tsdb.max-block-duration")).toBe(0);
  expect(flags.bytes("storage.tsdb.wal-segment-size")).toBe(100 * 2 ** 20);
  expect(flags.bytes("storage.tsdb.retention.size")).toBe(0);
  expect(flags.number("storage.remote.read-sample-limit")).toBe(5e7);
  expect(flags.bool("scrape.adjust-timestamps")).toBe(true);
  expect(flags.list("web.listen-address")).toEqual(["0.0.0.0:9090"]);
  expect(flags.withoutEffect()).toEqual(["auto-gomaxprocs"]);
  const features = flags.features();
  expect([features.has("exemplar-storage"), features.unknown()]).toEqual([true, ["x"]]);
  expect(parse("--enable-feature=st-synthesis,native-histograms").features().withoutEffect()).toEqual([
    "st-synthesis",
  ]);
  expect(() => flags.text("no.such")).toThrow(RangeError);
});

describe("what the start makes of flags", () => {
  const config = (yaml: string, flags: Flags) =>
    parseConfig({ getEnv: () => undefined }, yaml, "p.yml", {
      retention: flagRetention(flags),
      features: new Set(),
    });

  test.each([
    [[], "", "15d", "1d12h"],
    [["--storage.tsdb.retention.time=400d"], "", "400d", "31d"],
    [["--storage.tsdb.retention.time=400d"], "storage: {tsdb: {retention: {time: 10d}}}", "10d", "1d"],
    [["--storage.tsdb.max-block-duration=6h"], "", "15d", "6h"],
    [[], "storage: {tsdb: {retention: {}}}", "0s", "31d"],
  ])("%j with %j keeps %s in blocks of at most %s", (args, yaml, time, block) => {
    const flags = parse(...args);
    const shown = effectiveFlags(flags, config(yaml, flags));
    expect([shown["storage.tsdb.retention.time"], shown["storage.tsdb.max-block-duration"]]).toEqual([
      time,
      block,
    ]);
    expect(maxBlockDurationMs(flags, config(yaml, flags))).toBeGreaterThan(0);
  });

  test.each([
    [[], "/"],
    [["--web.route-prefix=/a/b/"], "/a/b"],
    [["--web.external-url=https://x/prom/"], "/prom"],
    [["--web.external-url=https://x/prom/", "--web.route-prefix=/"], "/"],
  ])("%j serves under %s", (args, prefix) => {
    expect(routePrefix(parse(...args))).toBe(prefix);
  });
});

test("the help names every flag that is not hidden, on lines of at most 100 columns", () => {
  const help = flagHelp();
  for (const { name, hidden } of allFlags) {
    expect(help.includes(`${name}`), name).toBe(hidden !== true || help.includes(`--${name}`));
    if (hidden !== true)
      expect(help).toMatch(new RegExp(`--(\\[no-\\])?${name.replaceAll(".", "\\.")}[= \n]`));
  }
  const long = help.split("\n").filter((line) => line.length > 100 && !/^ {6}--/.test(line));
  expect(long).toEqual([]);
});

test.each([
  [0, "0s"],
  [2, "2ms"],
  [1.5, "1.5ms"],
  [0.25, "250µs"],
  [0.0005, "500ns"],
  [1500, "1.5s"],
  [90_000, "1m30s"],
  [3_600_000, "1h0m0s"],
  [-2, "-2ms"],
])("%d ms in Go's words: %s", (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text);
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
});

// Our reading of configurations and flags beside that of a real Prometheus (3.5.3; what 3.14 does differently is said).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { silentLogger } from "../../src/base/env.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { effectiveFlags, flagRetention } from "../../src/cli/effective-flags.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import { printConfig } from "../../src/config/print.ts";
import { DiscoveryManager } from "../../src/discovery/manager.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { ScrapeManager } from "../../src/scrape/manager.ts";
import { havePeers, peer } from "../peers/find.ts";
import { size } from "../proof/size.ts";

const title = "configuration of a real Prometheus";
const haveTool = havePeers(title, "promtool");
const haveServer = havePeers(title, "prometheus");

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-compat-config-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const load = (file: string) => loadConfig({ fs: nodeFs, getEnv: (name) => process.env[name] }, file);

/** ok, refused, or "not yet": no verdict on the text itself. */
function verdict(file: string): "ok" | "refused" | "not yet" {
  try {
    load(file);
    return "ok";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.includes("not supported yet") ? "not yet" : "refused";
  }
}

/** What promtool says of each file. */
function promtool(files: readonly string[]): Map<string, "ok" | "refused"> {
  const run = spawnSync(peer("promtool"), ["check", "config", "--syntax-only", ...files], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const verdicts = new Map<string, "ok" | "refused">();
  let current = "";
  for (const line of `${run.stdout}\n${run.stderr}`.split("\n")) {
    const checking = /^Checking (\S+)/.exec(line);
    if (checking !== null) current = checking[1];
    else if (line.includes("SUCCESS:")) verdicts.set(current, "ok");
  }
  for (const file of files) if (!verdicts.has(file)) verdicts.set(file, "refused");
  return verdicts;
}

const values = [
  "",
  "5",
  "-1",
  "1.5",
  "yes",
  '"5"',
  '""',
  "[]",
  "[a]",
  "{}",
  "{a: b}",
  "10s",
  "1GB",
  "0x10",
  "1e3",
  "2020-01-01",
  "some text",
  "legacy",
  "PrometheusText0.0.4",
  "http://h:1/x",
];

const globalKeys = [
  "scrape_interval",
  "scrape_timeout",
  "evaluation_interval",
  "rule_query_offset",
  "external_labels",
  "body_size_limit",
  "sample_limit",
  "target_limit",
  "label_limit",
  "label_name_length_limit",
  "label_value_length_limit",
  "keep_dropped_targets",
  "metric_name_validation_scheme",
  "metric_name_escaping_scheme",
  "convert_classic_histograms_to_nhcb",
  "always_scrape_classic_histograms",
];

const jobKeys = [
  "job_name",
  "honor_labels",
  "honor_timestamps",
  "track_timestamps_staleness",
  "params",
  "scrape_interval",
  "scrape_timeout",
  "scrape_protocols",
  "fallback_scrape_protocol",
  "metrics_path",
  "scheme",
  "enable_compression",
  "body_size_limit",
  "sample_limit",
  "native_histogram_bucket_limit",
  "native_histogram_min_bucket_factor",
  "metric_name_validation_scheme",
  "metric_name_escaping_scheme",
  "basic_auth",
  "authorization",
  "bearer_token",
  "follow_redirects",
  "enable_http2",
  "proxy_url",
  "no_proxy",
  "proxy_from_environment",
  "proxy_connect_header",
  "http_headers",
  "relabel_configs",
  "metric_relabel_configs",
  "static_configs",
  "file_sd_configs",
  "unknown_key",
];

const ruleKeys = ["source_labels", "separator", "regex", "modulus", "target_label", "replacement"];
/** What each action needs besides the key under test. */
const ruleOthers: Readonly<Record<string, string>> = {
  replace: "",
  keep: "",
  hashmod: "modulus: 3, target_label: x",
  keepequal: "source_labels: [a], target_label: x",
  labelmap: "",
  labeldrop: "regex: a",
  lowercase: "target_label: x",
};
const nameValues = ['""', "$1", "'${1}_x'", "a.b", "'$1.x'", "_", "5", "'$'", "'${a'"];

function* candidates(): Iterable<[string, string]> {
  for (const value of values) {
    for (const key of globalKeys)
      yield [`global ${key} ${value}`, `global:\n  ${key}: ${value}\nscrape_configs: [{job_name: j}]\n`];
    for (const key of jobKeys) {
      const name = key === "job_name" ? "scheme: http" : "job_name: j";
      yield [`job ${key} ${value}`, `scrape_configs:\n- ${name}\n  ${key}: ${value}\n`];
    }
  }
  for (const [action, others] of Object.entries(ruleOthers)) {
    for (const key of ruleKeys.filter((name) => !others.includes(`${name}:`))) {
      const names = key === "target_label" || key === "replacement";
      for (const scheme of names ? ["utf8", "legacy"] : ["utf8"]) {
        for (const value of names ? nameValues : ["5", '""', "[]", "[a]", "a(", "[a.b, '']"]) {
          const rule = [`action: ${action}`, others, `${key}: ${value}`]
            .filter((part) => part !== "")
            .join(", ");
          yield [`${scheme} ${action} ${key} ${value}`, jobWithRule(scheme, rule)];
        }
      }
    }
  }
  for (const action of [...values, "replace", "Keep", "HASHMOD"]) {
    yield [`action ${action}`, jobWithRule("utf8", `target_label: x, action: ${action}`)];
  }
}

function jobWithRule(scheme: string, rule: string): string {
  return `scrape_configs:
- job_name: j
  metric_name_validation_scheme: ${scheme}
  metric_name_escaping_scheme: underscores
  relabel_configs:
  - {${rule}}
`;
}

/** Cases where we mean to differ, each with its reason. */
const allowed: readonly RegExp[] = [
  // 3.7: a job that sets only this gets the escaping that goes with it.
  /^job metric_name_validation_scheme legacy$/,
  // A proxy must be a URL; Prometheus takes any text, and its scrapes fail.
  /^job proxy_url (?!http|""$|$)/,
  // 3.7: the job's scheme decides which names are valid, no longer the process's.
  /^legacy (?:labelmap replacement|replace target_label) /,
];

describe.skipIf(!haveTool)("promtool check config", () => {
  test("accepts and refuses the same values for every key", () => {
    // promtool takes 8 ms for each file.
    const every = size(5, 1);
    const cases = [...candidates()].filter((_, i) => i % every === 0);
    const files = cases.map(([name, yaml], i) => {
      const file = join(dir, `${i}.yml`);
      writeFileSync(file, yaml);
      return { name, file };
    });
    const theirs = promtool(files.map(({ file }) => file));
    const counts = { ok: 0, refused: 0, "not yet": 0 };
    const differing: string[] = [];
    for (const { name, file } of files) {
      const ours = verdict(file);
      counts[ours]++;
      if (ours === "not yet" || ours === theirs.get(file)) continue;
      if (allowed.some((pattern) => pattern.test(name))) continue;
      differing.push(`${name}: ours ${ours}, theirs ${theirs.get(file)}`);
    }
    expect(differing).toEqual([]);
    expect(counts.ok).toBeGreaterThan(300 / every);
    expect(counts.refused).toBeGreaterThan(600 / every);
    expect(counts["not yet"]).toBeLessThan(30);
  }, 60_000);
});

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "config", name), "utf8");

/** Our text of status/config without what 3.14 prints and 3.5.3 does not. */
function as353(yaml: string): string {
  const added =
    /^ *(?:scrape_native_histograms|extra_scrape_metrics|label_name_underscore_sanitization|label_name_preserve_multiple_underscores): \w+\n/gm;
  return (
    yaml
      .replace(added, "")
      // 3.11: printed even where the file has no such block.
      .replace(/^ {2}tsdb:\n {4}outofordertimewindow: 0\n {4}retention:\n {6}time: 15d\n/m, "")
      .replace(/^storage:\n(?=\S)/m, "")
  );
}

/** The text of 3.5.3 without what 3.14 does not print, and with what it adds. */
function as314(yaml: string): string {
  return (
    yaml
      // 3.8: the global list is not filled in; 3.7: the scheme always is.
      .replace(/^(global:\n(?: {2}.*\n)*?) {2}scrape_protocols:\n(?: {2}- .*\n)*/m, "$1")
      .replace(/^(global:\n(?: {2,}.*\n)*?)(?=runtime)/m, (block) =>
        block.includes("metric_name_validation_scheme")
          ? block
          : `${block}  metric_name_validation_scheme: utf8\n`,
      )
  );
}

describe.skipIf(!haveServer)("a running Prometheus", () => {
  const ask = async (server: { url: string }, path: string) => {
    const response = await fetch(`${server.url}/api/v1/${path}`);
    return ((await response.json()) as { data: never }).data;
  };

  async function withServer<T>(
    name: string,
    config: string,
    use: (server: { url: string }) => Promise<T>,
  ): Promise<T> {
    const server = await startServer("prometheus", join(dir, name), { config, flags: ["--log.level=error"] });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  }

  test("shows the same status/config", async () => {
    mkdirSync(join(dir, "shown/jobs"), { recursive: true });
    const theirs: string = await withServer("shown", fixture("everything.yml"), async (server) => {
      return ((await ask(server, "status/config")) as { yaml: string }).yaml;
    });
    const ours = printConfig(load(join(dir, "shown/prometheus.yml")));
    expect(as353(ours)).toBe(as314(theirs));
  }, 30_000);

  interface ApiTarget {
    readonly scrapePool: string;
    readonly discoveredLabels: Record<string, string>;
    readonly labels?: Record<string, string>;
    readonly scrapeUrl?: string;
    readonly scrapeInterval?: string;
    readonly scrapeTimeout?: string;
  }

  interface ApiTargets {
    readonly activeTargets: ApiTarget[];
    readonly droppedTargets: ApiTarget[];
    readonly droppedTargetCounts: Record<string, number>;
  }

  /** Without what goes by chance or by version: 3.13 added three labels. */
  function comparable(target: ApiTarget): string {
    const { scrapePool, labels, scrapeUrl, scrapeInterval, scrapeTimeout } = target;
    const discoveredLabels = Object.entries(target.discoveredLabels)
      .filter(([name]) => !/^__(?:convert_classic|always_scrape_classic|scrape_native)_/.test(name))
      .sort();
    const sorted = labels && Object.entries(labels).sort();
    return JSON.stringify({
      scrapePool,
      discoveredLabels,
      labels: sorted,
      scrapeUrl,
      scrapeInterval,
      scrapeTimeout,
    });
  }

  test("has the same targets after the same relabelling", async () => {
    const name = "targets";
    mkdirSync(join(dir, name), { recursive: true });
    writeFileSync(join(dir, name, "targets.yml"), fixture("targets.yml"));
    const relabelling = fixture("relabelling.yml");
    const ours = targetsOf(join(dir, name), relabelling);
    const theirs = await withServer(name, relabelling, async (server) => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const answer: ApiTargets = await ask(server, "targets");
        if (answer.activeTargets.length >= ours.activeTargets.length || Date.now() > deadline) return answer;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    });
    expect(ours.activeTargets.map(comparable).sort()).toEqual(theirs.activeTargets.map(comparable).sort());
    expect(ours.activeTargets.length).toBeGreaterThan(6);
    expect(ours.droppedTargets.map(comparable).sort()).toEqual(theirs.droppedTargets.map(comparable).sort());
    expect(ours.droppedTargetCounts).toEqual(theirs.droppedTargetCounts);
  }, 60_000);

  /** What our manager makes of a configuration, without scraping anything. */
  function targetsOf(where: string, config: string): ApiTargets {
    const file = join(where, "prometheus.yml");
    writeFileSync(file, config);
    const sink = {
      open() {},
      deliver: () => new Promise<never>(() => {}),
      close: async () => {},
      metadata: async () => [],
    };
    const clients = { open: () => ({ get: () => new Promise<never>(() => {}), close() {} }) };
    const env = { clock: nodeClock, logger: silentLogger, fs: nodeFs };
    const scrape = new ScrapeManager({ ...env, sink, clients });
    const discovery = new DiscoveryManager(env, (sets) => scrape.update(sets));
    const loaded = load(file);
    void scrape.applyConfig(loaded);
    discovery.apply(loaded.allScrapeConfigs);
    const named = (pairs: readonly string[]) =>
      Object.fromEntries(pairs.flatMap((value, i) => (i % 2 === 0 ? [[value, pairs[i + 1]]] : [])));
    const answer = {
      activeTargets: scrape.activeTargets().map((target) => ({
        ...target,
        labels: named(target.labels),
        discoveredLabels: named(target.discoveredLabels),
      })),
      droppedTargets: scrape
        .droppedTargets()
        .map((target) => ({ ...target, discoveredLabels: named(target.discoveredLabels) })),
      droppedTargetCounts: Object.fromEntries(scrape.droppedCounts()),
    };
    discovery.stop();
    void scrape.stop();
    return answer;
  }

  test("shows the same status/flags", async () => {
    const given = ["--web.page-title=T", "--query.timeout=90s", "--enable-feature=a,b", "--enable-feature=c"];
    const theirs = await withServer("flags", "", async (server) => {
      return (await ask(server, "status/flags")) as Record<string, string>;
    });
    const { flags } = parseFlags(
      [
        `--config.file=${theirs["config.file"]}`,
        `--storage.tsdb.path=${theirs["storage.tsdb.path"]}`,
        `--web.listen-address=${theirs["web.listen-address"]}`,
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--web.enable-lifecycle",
        "--storage.tsdb.retention.time=10y",
        "--log.level=error",
      ],
      () => "",
    );
    expect(parseFlags(given, () => "").flags.all()).toMatchObject({
      "query.timeout": "1m30s",
      "enable-feature": "a,b,c",
    });
    const config = loadConfig({ fs: nodeFs, getEnv: () => undefined }, theirs["config.file"], {
      retention: flagRetention(flags),
      features: new Set(),
    });
    const ours = effectiveFlags(flags, config);
    // Debian's package has other paths, no OTLP, and one flag of its own; 3.14 has more flags, and so have we.
    const debian = /^(?:storage\.agent\.path|web\.console\..*|web\.local-assets)$/;
    const newer = /^storage\.agent\.retention\./;
    for (const [name, value] of Object.entries(theirs)) {
      if (!debian.test(name) && !newer.test(name)) expect([name, ours[name]]).toEqual([name, value]);
    }
    const added = Object.keys(ours).filter((name) => !(name in theirs));
    expect(added).toEqual([
      "auto-gomemlimit.refresh-interval",
      "config.auto-reload",
      "narthex.config.file",
      "storage.agent.checkpoint-batch-size",
      "storage.agent.checkpoint-from-in-memory-series",
      "storage.tsdb.block-reload-interval",
      "storage.tsdb.compaction-parallelism",
      "storage.tsdb.delay-compact-file.path",
      "storage.tsdb.head-snapshot-interval",
      "storage.tsdb.head-snapshot-max-size",
      "storage.tsdb.memory-limit",
      "storage.tsdb.reserve-size",
      "storage.tsdb.verify-on-start",
      "storage.tsdb.wal-sync",
      "web.enable-otlp-receiver",
      "web.search.max-limit",
      "write-documentation",
    ]);
  }, 30_000);
});

/** The configuration, target files, and the command line. */
import { decodeUtf8 } from "../../../src/base/bytes.ts";
import { parseFlags } from "../../../src/cli/flags.ts";
import { serverOptions } from "../../../src/cli/server-options.ts";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { printConfig } from "../../../src/config/print.ts";
import { readTargetFile } from "../../../src/discovery/target-file.ts";
import { Labels } from "../../../src/model/labels.ts";
import { relabel } from "../../../src/model/relabel.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { check, type FuzzTarget, texts } from "../target.ts";

const configs = [
  "global: {}\n",
  `global:
  scrape_interval: 15s
  scrape_timeout: 10s500ms
  evaluation_interval: 30s
  external_labels: {zone: "a\${HOME}b", "quoted name": 'x'}
  body_size_limit: 10MB
  sample_limit: 1000
scrape_configs:
  - job_name: "a"
    honor_labels: true
    metrics_path: /m
    scheme: https
    params: {module: [a, b]}
    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, PrometheusText0.0.4]
    fallback_scrape_protocol: PrometheusText0.0.4
    basic_auth: {username: u, password: p}
    http_headers: {X-A: {values: [b], secrets: [c]}}
    proxy_url: http://proxy:3128
    static_configs:
      - targets: ["localhost:9090", host:80]
        labels: {env: prod}
    file_sd_configs:
      - files: ["targets/*.yml", "x/[a-c]?.json"]
        refresh_interval: 5m
    relabel_configs:
      - {source_labels: [__address__, job], separator: ":", regex: "(.*):(\\\\d+)", target_label: port, replacement: "$2"}
      - {action: hashmod, source_labels: [__address__], modulus: 8, target_label: shard}
      - {action: labelmap, regex: "__meta_(.+)"}
    metric_relabel_configs:
      - action: drop
        source_labels: [__name__]
        regex: "go_.*|process_.*"
`,
  `# Anchors and merges
.x: &base
  scrape_interval: 10s
scrape_config_files: ["jobs/*.yml"]
runtime: {gogc: 50}
scrape_configs:
  - &job {job_name: one, static_configs: [{targets: ['a:1']}]}
  - <<: *job
    job_name: !!str 2
storage:
  tsdb: {retention: {time: 15d}}
alerting:
  alertmanagers: []
`.replace(/^\.x.*\n.*\n/m, ""),
];

const words = [
  "&a ",
  "*a",
  "<<: *a\n",
  "- ",
  ": ",
  "\n  ",
  "{",
  "}",
  "[",
  "]",
  "|\n",
  ">-\n",
  "!!int ",
  "!!binary ",
  "---\n",
  "~",
  "null",
  "? ",
  "%YAML 1.2\n",
  "\t",
  "0x1F",
  "1y2w3d",
  "regex: ",
  "action: lowercase",
  "scrape_configs:\n",
];

const fs = new MemFs();
fs.makeDir("jobs");
const env = { fs, getEnv: (name: string) => (name === "HOME" ? "/home" : undefined) };
const labels = Labels.of({ __address__: "host:80", __meta_a: "b", job: "a", __name__: "go_x" });

/** What is accepted can be shown, and its rules can be applied. */
function readConfig(bytes: Uint8Array): boolean {
  const config = parseConfig(env, bytes, "prometheus.yml");
  check(printConfig(config) !== "", "an empty configuration is shown");
  for (const { relabelConfigs, metricRelabelConfigs } of config.scrapeConfigs) {
    relabel(labels, relabelConfigs);
    relabel(labels, metricRelabelConfigs);
  }
  return true;
}

/** The same bytes as a file that the main one names. */
function readJobFile(bytes: Uint8Array): boolean {
  fs.open("jobs/a.yml", "replace").writeAt(bytes, 0);
  loadConfig(
    { ...env, fs: { ...bind(fs), readFile: (path) => (path === main ? mainFile : fs.readFile(path)) } },
    main,
  );
  return true;
}

const main = "prometheus.yml";
const mainFile = texts("scrape_config_files: ['jobs/*.yml']\n")[0];

const bind = (of: MemFs) => ({ stat: of.stat.bind(of), list: of.list.bind(of) });

/** One argument per line. */
function readFlags(bytes: Uint8Array): boolean {
  const { wish, flags } = parseFlags(decodeUtf8(bytes).split("\n"), () => "--web.enable-lifecycle\n");
  if (wish !== "serve") return true;
  const shown = flags.all();
  check(
    Object.values(shown).every((value) => typeof value === "string"),
    "a flag without a value",
  );
  serverOptions(flags);
  return true;
}

export const configTargets: readonly FuzzTarget[] = [
  { name: "config", share: 1, seeds: () => texts(...configs), dictionary: words, run: readConfig },
  {
    name: "config-job-file",
    share: 0.1,
    seeds: () => texts("scrape_configs:\n  - job_name: b\n    static_configs: [{targets: ['a:1', 'b:2']}]\n"),
    dictionary: words,
    run: readJobFile,
  },
  {
    name: "targets-yaml",
    share: 1,
    seeds: () => texts("- targets: ['a:1', \"b:2\"]\n  labels: {x: y, z: 1}\n- targets: [c]\n"),
    dictionary: words,
    run: (bytes) => readTargetFile(bytes, "targets.yml").length >= 0,
  },
  {
    name: "targets-json",
    share: 1,
    seeds: () =>
      texts('[{"targets": ["a:1", "b:2"], "labels": {"x": "y", "é": ""}}, {"targets": null}]', "null"),
    dictionary: ['"__proto__":', '{"targets":', "null", "[]", "1e999", '"\\ud800"', '"constructor"'],
    run: (bytes) => readTargetFile(bytes, "targets.json").length >= 0,
  },
  {
    name: "flags",
    share: 1,
    seeds: () =>
      texts(
        "--config.file=prometheus.yml\n--storage.tsdb.path\ndata/\n--web.enable-lifecycle\n--no-web.enable-admin-api",
        "--storage.tsdb.retention.time=15d\n--storage.tsdb.retention.size=10GB\n--query.timeout=2m\n--query.max-samples=100",
        "--enable-feature=exemplar-storage,memory-snapshot-on-shutdown\n--scrape.timestamp-tolerance=2ms\n--web.read-timeout=5m\n@file",
        "--web.external-url=http://example.org/p\n--web.route-prefix=/p\n--log.level=debug\n--web.cors.origin=.*",
      ),
    dictionary: [
      "--",
      "--no-",
      "=",
      "\n",
      "--help",
      "--version",
      "-storage.local.path",
      "@x",
      "__proto__",
      "--query.",
      "1.5GiB",
      "-1s",
    ],
    run: readFlags,
  },
];

import { beforeEach, describe, expect, test } from "vitest";
import { encodeUtf8 } from "../base/bytes.ts";
import { ConfigError, ParseError } from "../base/errors.ts";
import type { Fs } from "../base/fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { RecordingLogger } from "../testkit/recording-logger.ts";
import type { Config, ScrapeConfig } from "./config.ts";
import { defaultConfigOptions, loadConfig, parseConfig } from "./load.ts";
import { loadNarthexConfig } from "./narthex-config.ts";

const env = { getEnv: () => undefined };
const parse = (yaml: string): Config => parseConfig(env, yaml, "/etc/p.yml");

/** The first job of a file with these lines in it. */
const job = (lines: string, before = ""): ScrapeConfig =>
  parse(`${before}scrape_configs:\n- job_name: j\n${lines.replaceAll(/^(?=.)/gm, "  ")}`).scrapeConfigs[0];

describe("defaults", () => {
  test.each([
    ["", ""],
    ["only a comment", "# nothing"],
    ["empty blocks", "global:\nruntime:\nscrape_configs:\nrule_files:\nstorage:\nalerting:\n"],
  ])("%s", (_, yaml) => {
    expect(parse(yaml)).toMatchObject({
      global: { scrapeIntervalMs: 60_000, scrapeTimeoutMs: 10_000, metricNameEscapingScheme: "allow-utf-8" },
      runtime: { gogc: 75 },
      scrapeConfigs: [],
      storage: { tsdb: { retention: { timeMs: 15 * 86_400_000, sizeBytes: 0, percentage: 0 } } },
    });
  });

  test("a job takes from the global block what it leaves open", () => {
    const global =
      "global: {scrape_interval: 5s, sample_limit: 7, body_size_limit: 1MB, extra_scrape_metrics: true, keep_dropped_targets: 3}\n";
    expect(job("", global)).toMatchObject({
      scrapeIntervalMs: 5000,
      scrapeTimeoutMs: 5000,
      sampleLimit: 7,
      bodySizeLimitBytes: 2 ** 20,
      extraScrapeMetrics: true,
      keepDroppedTargets: 3,
      honorTimestamps: true,
      metricsPath: "/metrics",
      scheme: "http",
      enableCompression: true,
      scrapeProtocols: [
        "OpenMetricsText1.0.0",
        "OpenMetricsText0.0.1",
        "PrometheusText1.0.0",
        "PrometheusText0.0.4",
      ],
      http: { followRedirects: true },
      enableHttp2: true,
    });
    expect(job("sample_limit: 1\nextra_scrape_metrics: false\nscrape_interval: 20s", global)).toMatchObject({
      sampleLimit: 1,
      extraScrapeMetrics: false,
      scrapeTimeoutMs: 5000,
    });
    expect(job("scrape_interval: 2s").scrapeTimeoutMs).toBe(2000);
  });

  test.each([
    ["", "", "utf8", "allow-utf-8"],
    ["global: {metric_name_validation_scheme: legacy}\n", "", "legacy", "underscores"],
    [
      "global: {metric_name_validation_scheme: legacy}\n",
      "metric_name_validation_scheme: utf8",
      "utf8",
      "allow-utf-8",
    ],
    ["", "metric_name_validation_scheme: legacy", "legacy", "underscores"],
    ["global: {metric_name_escaping_scheme: dots}\n", "", "utf8", "dots"],
    [
      "global: {metric_name_escaping_scheme: dots}\n",
      "metric_name_validation_scheme: legacy",
      "legacy",
      "underscores",
    ],
    ["", "metric_name_escaping_scheme: values", "utf8", "values"],
  ])("names: %j with %j are %s, %s", (global, lines, validation, escaping) => {
    const { metricNameValidationScheme, metricNameEscapingScheme } = job(lines, global);
    expect([metricNameValidationScheme, metricNameEscapingScheme]).toEqual([validation, escaping]);
  });

  test("feature flags change some", () => {
    const withFeatures = (...names: string[]) =>
      parseConfig(env, "scrape_configs: [{job_name: j}]", "p.yml", {
        ...defaultConfigOptions,
        features: new Set(names),
      });
    expect(withFeatures("extra-scrape-metrics").scrapeConfigs[0].extraScrapeMetrics).toBe(true);
    const starts = withFeatures("st-storage", "xor2-encoding");
    expect(starts.scrapeConfigs[0].scrapeProtocols[0]).toBe("PrometheusProto");
    expect(starts.global.scrapeProtocols?.length).toBe(5);
  });

  test("start times need XOR2 chunks", () => {
    const load = (text: string, ...names: string[]) =>
      parseConfig(env, text, "p.yml", { ...defaultConfigOptions, features: new Set(names) });
    const floats = (encoding: string) => `storage:\n  tsdb: {chunk_encoding: {floats: ${encoding}}}`;
    const problem = /chunk_encoding.floats: XOR chunks have no place for the start times .* xor2 expected/;
    expect(() => load("", "st-storage")).toThrow(problem);
    expect(() => load(floats("xor"), "st-storage")).toThrow(problem);
    expect(() => load(floats("xor"), "st-storage", "xor2-encoding")).toThrow(problem);
    expect(load(floats("xor2"), "st-storage").storage.tsdb.floatChunkEncoding).toBe("xor2");
    expect(load("", "xor2-encoding").storage.tsdb.floatChunkEncoding).toBe("");
    expect(load(floats("xor"), "xor2-encoding").storage.tsdb.floatChunkEncoding).toBe("xor");
  });

  test("GOGC of the environment", () => {
    const gogc = (value: string) => parseConfig({ getEnv: () => value }, "", "p.yml").runtime.gogc;
    expect([gogc("off"), gogc("50"), gogc("x")]).toEqual([-1, 50, 75]);
    expect(parse("runtime: {gogc: 42}").runtime.gogc).toBe(42);
  });
});

describe("values", () => {
  test("the ways to authenticate; paths start at the file's directory", () => {
    expect(job("basic_auth: {username: u, password_file: pw}").http.basicAuth).toEqual({
      username: "u",
      usernameFile: "",
      password: "",
      passwordFile: "/etc/pw",
    });
    expect(job("authorization: {credentials: c}").http.authorization).toEqual({
      type: "Bearer",
      credentials: "c",
      credentialsFile: "",
    });
    expect(job("bearer_token_file: ../t").http.authorization).toEqual({
      type: "Bearer",
      credentials: "",
      credentialsFile: "/t",
    });
    expect(job("http_headers: {X-A: {values: [1, b], secrets: [s], files: [f, /g]}}").http.headers).toEqual({
      "X-A": { values: ["1", "b"], secrets: ["s"], files: ["/etc/f", "/g"] },
    });
  });

  test("text may be written without quotes, whatever it looks like", () => {
    const { staticConfigs, params } = job(
      "static_configs: [{targets: [1:2], labels: {a: 012, b: yes, c: 1.50, d: ~, e: 2020-01-01}}]\nparams: {x: [true, 0x1F]}",
    );
    expect(staticConfigs[0]).toEqual({
      targets: ["1:2"],
      labels: { a: "012", b: "yes", c: "1.50", d: "", e: "2020-01-01" },
    });
    expect(params).toEqual({ x: ["true", "0x1F"] });
  });

  test("YAML 1.1's booleans and numbers", () => {
    expect(
      job(
        "honor_labels: yes\nhonor_timestamps: Off\nsample_limit: 0x10\ntarget_limit: 1_000\nlabel_limit: 1e2\nlabel_name_length_limit: 010",
      ),
    ).toMatchObject({
      honorLabels: true,
      honorTimestamps: false,
      sampleLimit: 16,
      targetLimit: 1000,
      labelLimit: 100,
      labelNameLengthLimit: 8,
    });
  });

  test("an empty value is the zero of its type, as in Prometheus", () => {
    expect(
      job(
        "honor_timestamps:\nscheme:\nscrape_interval:\nbasic_auth:\nrelabel_configs:\n- {target_label: x, regex: }",
      ),
    ).toMatchObject({
      honorTimestamps: false,
      scheme: "",
      scrapeIntervalMs: 60_000,
      http: { basicAuth: undefined },
      relabelConfigs: [{ regex: "" }],
    });
  });

  test("anchors, aliases and merges", () => {
    const config = parse(`
scrape_configs:
- &base
  job_name: a
  scrape_interval: 5s
  static_configs: &targets [{targets: [x]}]
- <<: *base
  job_name: b
- job_name: c
  static_configs: *targets
`);
    expect(
      config.scrapeConfigs.map(({ jobName, scrapeIntervalMs, staticConfigs }) => [
        jobName,
        scrapeIntervalMs,
        staticConfigs.length,
      ]),
    ).toEqual([
      ["a", 5000, 1],
      ["b", 5000, 1],
      ["c", 60_000, 1],
    ]);
  });

  test("a label called __proto__ is only a label", () => {
    const { staticConfigs } = job("static_configs: [{targets: [x], labels: {__proto__: p}}]");
    expect(Object.entries(staticConfigs[0].labels)).toEqual([["__proto__", "p"]]);
  });

  test("external labels with environment variables", () => {
    const logger = new RecordingLogger();
    const variables: Record<string, string> = { HOST: "h", A1: "one" };
    const yaml =
      "global: {external_labels: {a: '$HOST', b: 'x${A1}y', c: '$$HOST', d: '${NONE}', e: '100%$', f: '${', g: '$5.00'}}";
    const config = parseConfig({ logger, getEnv: (name) => variables[name] }, yaml, "p.yml");
    expect(config.global.externalLabels).toEqual({
      a: "h",
      b: "xoney",
      c: "$HOST",
      d: "",
      e: "100%$",
      f: "",
      g: ".00",
    });
    expect(logger.lines.map((line) => line.fields.name)).toEqual(["NONE", "5"]);
  });

  test("the usual example file of Prometheus loads: an Alertmanager without targets asks for nothing", () => {
    const config = parse(`
alerting:
  alertmanagers:
    - static_configs:
        - targets:
          # - alertmanager:9093
rule_files:
  # - "first_rules.yml"
scrape_configs:
  - job_name: "prometheus"
    static_configs:
      - targets: ["localhost:9090"]
        labels:
          app: "prometheus"
`);
    expect(config.alerting.alertmanagers).toMatchObject([
      { scheme: "http", timeoutMs: 10_000, staticConfigs: [{ targets: [] }] },
    ]);
  });
});

/** Each row: a file, the line of the error, and what the message must contain. */
const refused: [string, number, string][] = [
  ["a: [", 1, "this is not YAML"],
  ["- a", 1, "a mapping expected, found a list"],
  ["globl: {}", 1, 'globl: unknown key; did you mean "global"?'],
  [
    "global:\n  scrape_intervall: 1s",
    2,
    'global.scrape_intervall: unknown key; did you mean "scrape_interval"?',
  ],
  ["global:\n  scrape_interval: soon", 2, 'global.scrape_interval: not a valid duration string: "soon"'],
  ["global:\n  scrape_interval: 5s\n  scrape_timeout: 6s", 3, "greater than the scrape interval"],
  ["global: {}\nglobal: {}", 2, "global: the key is set twice"],
  ["global:\n  external_labels:\n    '': x", 3, "not a valid label name"],
  [
    "global:\n  metric_name_validation_scheme: legacy\n  external_labels: {a.b: x}",
    3,
    '"a.b" is not a valid label name',
  ],
  ["global:\n  metric_name_validation_scheme: utf9", 2, 'one of "utf8", "legacy" expected'],
  ["global:\n  scrape_protocols: []", 2, "at least one scrape protocol"],
  ["global:\n  sample_limit: -1", 2, "a number >= 0 expected"],
  ["global:\n  sample_limit: 'x'", 2, "a number expected"],
  ["global:\n  sample_limit: '5'", 2, "a number expected"],
  ["global:\n  body_size_limit: 10", 2, "is not a size"],
  ["global: [a]", 1, "global: a mapping expected, found a list"],
  ["scrape_configs:\n- job_name: a\n-", 3, "scrape_configs[1]: the scrape job is empty"],
  ["scrape_configs:\n- scheme: http", 2, "job_name is empty"],
  ["scrape_configs:\n- job_name: a\n- job_name: a", 3, 'the job name "a" is taken'],
  ["scrape_configs: {job_name: a}", 1, "scrape_configs: a list expected, found a mapping"],
];

const refusedJobs: [string, number, string][] = [
  ["honor_labels: maybe", 3, "honor_labels: true or false expected"],
  ['honor_labels: "true"', 3, "true or false expected"],
  ["scrape_timeout: 2m", 3, "greater than the scrape interval"],
  ["fallback_scrape_protocol: text", 3, "one of"],
  [
    "scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]",
    3,
    "scrape_protocols[1]: the protocol PrometheusText0.0.4 is listed twice",
  ],
  [
    "metric_name_validation_scheme: legacy\nmetric_name_escaping_scheme: allow-utf-8",
    4,
    "validation scheme is not utf8",
  ],
  ["metric_name_escaping_scheme: x", 3, "one of"],
  ["static_configs:\n- targets: [a]\n- targets: [http://b]", 3, '"http://b" is not a valid hostname'],
  ["static_configs:\n- target: [a]", 4, "static_configs[0].target: unknown key"],
  ["static_configs:\n-", 4, "static configuration is empty"],
  ["static_configs: [{targets: a}]", 3, "a list expected"],
  ["static_configs: [{targets: [a], labels: {'': b}}]", 3, "not a valid label name"],
  ["static_configs: [{targets: [!!binary aGk=]}]", 3, "binary"],
  ["file_sd_configs: [{}]", 3, "at least one path"],
  ["file_sd_configs: [{files: [a.txt]}]", 3, "file_sd_configs[0].files[0]"],
  ["file_sd_configs: [{files: ['*/a.yml']}]", 3, "* only in the last segment"],
  ["basic_auth: {username: a, username_file: b}", 3, "at most one of username and username_file"],
  ["basic_auth: {}\nauthorization: {}", 2, "at most one of basic_auth, oauth2 and authorization"],
  ["authorization: {type: Basic}", 3, "authorization.type: "],
  ["authorization: {credentials: a, credentials_file: b}", 3, "at most one of credentials"],
  ["bearer_token: a\nbearer_token_file: b", 2, "at most one of bearer_token"],
  ["bearer_token: a\nbasic_auth: {}", 2, "exclude"],
  ["http_headers: {Host: {values: [a]}}", 3, "this header cannot be set"],
  ["proxy_connect_header: {a: [b]}", 2, "needs proxy_url"],
  ["proxy_from_environment: true\nproxy_url: http://x", 2, "excludes"],
  ["no_proxy: x", 2, "needs proxy_url"],
  ["proxy_url: 'x y'", 3, "is not a URL"],
  ["relabel_configs:\n-", 4, "the relabelling rule is empty"],
  ["relabel_configs: [{action: jump}]", 3, 'unknown relabel action "jump"'],
  ["relabel_configs: [{action: }]", 3, "the relabel action cannot be empty"],
  ["relabel_configs: [{}]", 3, "replace needs a target_label"],
  ["relabel_configs: [{regex: 'a(', target_label: x}]", 3, "error parsing regexp"],
  ["relabel_configs: [{action: hashmod, target_label: x}]", 3, "modulus"],
  ["relabel_configs: [{action: hashmod, target_label: x, modulus: -1}]", 3, ">= 0"],
  ["relabel_configs: [{action: lowercase, target_label: x, replacement: y}]", 3, "replacement cannot be set"],
  ["relabel_configs: [{action: keepequal, target_label: x, regex: (.*)}]", 3, "takes only source_labels"],
  ["relabel_configs: [{action: labeldrop, regex: x, source_labels: [a]}]", 3, "takes only regex"],
  ["relabel_configs: [{action: labelmap, replacement: ''}]", 3, "not a valid replacement"],
  ["relabel_configs: [{source_labels: [''], target_label: x}]", 3, "not a valid label name"],
  [
    "metric_name_validation_scheme: legacy\nrelabel_configs: [{target_label: a.b}]",
    4,
    '"a.b" is not a valid target_label',
  ],
  [
    "metric_name_validation_scheme: legacy\nrelabel_configs: [{target_label: '${1}-x'}]",
    4,
    "not a valid target_label",
  ],
  ["metric_relabel_configs: [{action: jump}]", 3, "metric_relabel_configs[0].action"],
];

/** Known to Prometheus, not done yet. */
const notYet: [string, number, string][] = [
  ["rule_files: [a.yml]", 1, "rule_files: not supported yet"],
  ["remote_write:\n- url: http://x", 1, "remote_write: not supported yet"],
  ["remote_read:\n- url: http://x", 1, "remote_read: not supported yet"],
  ["tracing: {endpoint: x}", 1, "tracing: not supported yet"],
  ["otlp: {promote_scope_metadata: true}", 1, "otlp: not supported yet"],
  [
    "alerting:\n  alertmanagers:\n  - static_configs: [{targets: [a:1]}]",
    3,
    "alertmanagers[0].static_configs: not supported yet",
  ],
  ["alerting: {alert_relabel_configs: [{target_label: a}]}", 1, "not supported yet"],
  ["alerting: {alertmanagers: [{file_sd_configs: [{files: [a.yml]}]}]}", 1, "not supported yet"],
  ["global:\n  query_log_file: q.log", 2, "global.query_log_file: not supported yet"],
  [
    "scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: [{role: pod}]",
    3,
    "kubernetes_sd_configs: not supported yet",
  ],
  [
    "scrape_configs:\n- job_name: a\n  tls_config: {insecure_skip_verify: true}",
    3,
    "tls_config: not supported yet",
  ],
  ["scrape_configs:\n- job_name: a\n  oauth2: {client_id: x}", 3, "oauth2: not supported yet"],
  ["scrape_configs:\n- job_name: a\n  basic_auth: {password_ref: x}", 3, "password_ref: not supported yet"],
  ["scrape_configs:\n- job_name: a\n  proxy_url: socks5://x", 3, "not supported yet"],
];

describe("refused, with file, line and key", () => {
  const jobs = refusedJobs.map(([lines, line, message]): [string, number, string] => [
    `scrape_configs:\n- job_name: j\n${lines.replaceAll(/^(?=.)/gm, "  ")}`,
    line,
    message,
  ]);
  test.each([...refused, ...jobs, ...notYet])("%j at line %d: %s", (yaml, line, message) => {
    let error: unknown;
    try {
      parse(yaml);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain(message);
    expect([(error as ConfigError).file, (error as ConfigError).line]).toEqual(["/etc/p.yml", line]);
    expect((error as ConfigError).message.startsWith(`/etc/p.yml:${line}: `)).toBe(true);
  });

  test("what would be refused is accepted where it asks for nothing", () => {
    parse(
      "rule_files: []\nremote_write:\nremote_read: []\ntracing:\notlp: {}\nstorage: {tsdb: {out_of_order_time_window: 30m, chunk_encoding: {floats: xor}}}",
    );
    job("tls_config: {}\nkubernetes_sd_configs: []\noauth2:\nscrape_native_histograms: false");
  });

  test("a file that is not UTF-8", () => {
    expect(() => parseConfig(env, new Uint8Array([0x61, 0xff]), "p.yml")).toThrow(
      "p.yml:1: this is not valid UTF-8",
    );
  });

  test.each(["[", "- ", "? ", "a:\n "])("thousands of %j within each other are refused", (part) => {
    expect(() => parse(`global: ${part.repeat(20_000)}`)).toThrow(ConfigError);
  });

  test("aliases of aliases of aliases end before memory does", () => {
    let bomb = "&x0 {a: b}";
    for (let i = 1; i < 30; i++) bomb = `&x${i} {<<: [${bomb}, *x${i - 1}]}`;
    expect(() => parse(`global: {external_labels: {<<: ${bomb}}}`)).toThrow(
      "more than 10000 uses of aliases",
    );
    expect(() => parse("global: &g {<<: *g}")).toThrow("the mapping contains itself");
    expect(() => parse("global: *g")).toThrow(ConfigError);
  });
});

describe("job files", () => {
  let fs: Fs;
  beforeEach(() => {
    fs = new MemFs();
    fs.makeDir("/etc/jobs");
  });
  const write = (path: string, text: string) => {
    const file = fs.open(path, "replace");
    file.writeAt(encodeUtf8(text), 0);
    file.close();
  };
  const load = () => loadConfig({ fs, getEnv: () => undefined }, "/etc/p.yml");

  test("are found by pattern, relative to the main file, and their own paths are relative to them", () => {
    write(
      "/etc/p.yml",
      "global: {scrape_interval: 7s}\nscrape_config_files: [jobs/*.yml, more.yml]\nscrape_configs: [{job_name: main}]",
    );
    write("/etc/jobs/a.yml", "scrape_configs: [{job_name: a, bearer_token_file: t}, {job_name: b}]");
    write("/etc/jobs/c.yml", "");
    const config = load();
    expect(config.scrapeConfigFiles).toEqual(["/etc/jobs/*.yml", "/etc/more.yml"]);
    expect(config.scrapeConfigs.map(({ jobName }) => jobName)).toEqual(["main"]);
    expect(
      config.allScrapeConfigs.map(({ jobName, scrapeIntervalMs }) => [jobName, scrapeIntervalMs]),
    ).toEqual([
      ["main", 7000],
      ["a", 7000],
      ["b", 7000],
    ]);
    expect(config.allScrapeConfigs[1].http.authorization?.credentialsFile).toBe("/etc/jobs/t");
  });

  test.each([
    [
      "scrape_configs: [{job_name: main}]",
      '/etc/jobs/a.yml:1: scrape_configs[0]: the job name "main" is taken; it stands in /etc/p.yml',
    ],
    ["scrape_configs:\n- job_name: x\n  scheme: [a]", "/etc/jobs/a.yml:3: scrape_configs[0].scheme"],
    ["global: {}", "/etc/jobs/a.yml:1: global: unknown key"],
  ])("%j is refused", (text, message) => {
    write("/etc/p.yml", "scrape_config_files: [jobs/*.yml]\nscrape_configs: [{job_name: main}]");
    write("/etc/jobs/a.yml", text);
    expect(load).toThrow(message);
  });

  test.each([["jobs/*/a.yml"], ["jobs/[a.yml"]])("the pattern %s is refused", (pattern) => {
    write("/etc/p.yml", `scrape_config_files: ['${pattern}']`);
    expect(load).toThrow("/etc/p.yml:1: scrape_config_files[0]");
  });
});

test("Narthex's own file: may be missing beside the main one, and refuses what it does not know", () => {
  const nothing = { tsdb: { limits: { maxSeries: 0, maxSeriesPerJob: {} }, retentionRules: [] } };
  const checkSelector = (text: string) => {
    if (!text.startsWith("{")) throw new ParseError("no selector", 0);
  };
  const fs = new MemFs();
  fs.makeDir("/etc");
  expect(loadNarthexConfig(fs, "", "/etc/p.yml", checkSelector)).toEqual(nothing);
  expect(() => loadNarthexConfig(fs, "/etc/n.yml", "/etc/p.yml", checkSelector)).toThrow(
    /^\/etc\/n\.yml: cannot be read: ENOENT.*--narthex\.config\.file/,
  );
  const write = (text: string) => {
    fs.removeFile("/etc/narthex.yml");
    fs.open("/etc/narthex.yml", "create").writeAt(encodeUtf8(text), 0);
  };
  fs.open("/etc/narthex.yml", "create").writeAt(encodeUtf8("# nothing\n"), 0);
  const load = () => loadNarthexConfig(fs, "", "/etc/p.yml", checkSelector);
  expect(load()).toEqual(nothing);
  write("tsdb: {limits: {max_series: 2000000, max_series_per_job: {node: 5000, 'a b': 0}}}");
  expect(load().tsdb.limits).toEqual({ maxSeries: 2_000_000, maxSeriesPerJob: { node: 5000, "a b": 0 } });
  write("tsdb:\n  limits:\n    max_series: -1");
  expect(load).toThrow("/etc/narthex.yml:3: tsdb.limits.max_series");
  write("tsdb: {retention_rules: [{match: '{a=\"b\"}', time: 30d}, {match: '{}', time: 1h}]}");
  expect(load().tsdb.retentionRules).toEqual([
    { match: '{a="b"}', timeMs: 30 * 86_400_000 },
    { match: "{}", timeMs: 3_600_000 },
  ]);
  for (const [rule, problem] of [
    ["{match: a, time: 1d}", "retention_rules[0].match: no selector"],
    ["{match: '{}', time: 0s}", "retention_rules[0].time: how long"],
    ["{match: '{}'}", 'retention_rules[0]: a "time" is missing'],
    ["{time: 1d}", 'retention_rules[0]: a "match" is missing'],
  ]) {
    write(`tsdb: {retention_rules: [${rule}]}`);
    expect(load).toThrow(`tsdb.${problem}`);
  }
  write("tsdb: {limit: {}}");
  expect(load).toThrow("/etc/narthex.yml:1: tsdb.limit: unknown key");
});

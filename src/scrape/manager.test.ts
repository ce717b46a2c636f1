// The manager with its pools and loops, against a clock that stands still, a fake network and a fake writer.
import { beforeEach, describe, expect, test } from "vitest";
import {
  BodySizeError,
  type HttpClient,
  type HttpClientSettings,
  type HttpClients,
  type HttpRequest,
  type HttpResponse,
} from "../base/http-client.ts";
import { parseConfig } from "../config/load.ts";
import { DiscoveryManager } from "../discovery/manager.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { RecordingLogger } from "../testkit/recording-logger.ts";
import { defaultScrapeOptions, ScrapeManager } from "./manager.ts";
import { silentScrapeObserver } from "./observer.ts";
import type { ScrapedPage, ScrapeReport, ScrapeSink, TargetSettings } from "./sink.ts";

type Answer = (request: HttpRequest) => Promise<HttpResponse>;

const page = (body: string, status = 200): HttpResponse => ({
  status,
  statusLine: status === 200 ? "200 OK" : `${status} Broken`,
  contentType: "text/plain",
  body: new TextEncoder().encode(status === 200 ? body : ""),
});

/** Answers by path; whatever is not listed is up. */
class FakeNetwork implements HttpClients {
  readonly answers = new Map<string, Answer>();
  readonly requests: HttpRequest[] = [];
  readonly settings: HttpClientSettings[] = [];
  closed = 0;

  open(settings: HttpClientSettings): HttpClient {
    this.settings.push(settings);
    return {
      get: (request) => {
        this.requests.push(request);
        return (this.answers.get(new URL(request.url).host) ?? (async () => page("up 1\n")))(request);
      },
      close: () => {
        this.closed++;
      },
    };
  }
}

class FakeSink implements ScrapeSink {
  readonly opened: TargetSettings[] = [];
  readonly pages: { readonly id: number; readonly page: ScrapedPage }[] = [];
  readonly closed: { readonly id: number; readonly staleAt: number | undefined }[] = [];
  report: (page: ScrapedPage) => Partial<ScrapeReport> = () => ({});

  open(settings: TargetSettings): void {
    this.opened.push(settings);
  }

  async deliver(id: number, page: ScrapedPage): Promise<ScrapeReport> {
    expect(this.opened.some((settings) => settings.id === id)).toBe(true);
    this.pages.push({ id, page });
    return { scraped: 1, postRelabel: 1, added: 0, error: page.error, ...this.report(page) };
  }

  async close(id: number, staleAt: number | undefined): Promise<void> {
    expect(this.closed.some((closed) => closed.id === id)).toBe(false);
    this.closed.push({ id, staleAt });
  }

  async metadata() {
    return [];
  }
}

let clock: ManualClock;
let network: FakeNetwork;
let sink: FakeSink;
let logger: RecordingLogger;
let bodySizeExceeded: number;
let scrape: ScrapeManager;
let discovery: DiscoveryManager;

beforeEach(() => {
  clock = new ManualClock();
  network = new FakeNetwork();
  sink = new FakeSink();
  logger = new RecordingLogger();
  bodySizeExceeded = 0;
  const observer = { ...silentScrapeObserver, bodySizeExceeded: () => void bodySizeExceeded++ };
  const env = { clock, logger, sink, clients: network, observer };
  scrape = new ScrapeManager(env, { ...defaultScrapeOptions, userAgent: "test" });
  discovery = new DiscoveryManager({ clock, logger, fs: new MemFs() }, (sets) => scrape.update(sets));
});

/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Moves time in small steps, so that answers come between ticks. */
async function pass(ms: number, stepMs = 100): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(stepMs, left));
    await settle();
  }
}

async function apply(yaml: string): Promise<void> {
  const config = parseConfig({ getEnv: () => undefined }, yaml, "p.yml");
  const applied = scrape.applyConfig(config);
  await settle();
  discovery.apply(config.allScrapeConfigs);
  await settle();
  await applied;
}

const config = (job: string, targets = "[a, b]") => `
global: {scrape_interval: 10s, scrape_timeout: 5s}
scrape_configs:
- job_name: j
  ${job}
  static_configs: [{targets: ${targets}}]
`;

const hosts = () => network.requests.map((request) => new URL(request.url).host).sort();
const health = () =>
  Object.fromEntries(scrape.activeTargets().map((target) => [target.scrapeUrl, target.health]));

test("every target is scraped once an interval, at its own phase, with Prometheus's headers", async () => {
  await apply(config("params: {x: [y]}", "[a, b, c]"));
  await pass(10_000);
  expect(hosts()).toEqual(["a", "b", "c"]);
  expect(new Set(sink.pages.map(({ page }) => page.t % 10_000)).size).toBe(3);
  expect(network.requests[0].headers).toEqual({
    Accept: expect.stringMatching(
      /^application\/openmetrics-text;version=1\.0\.0;escaping=allow-utf-8;q=0\.6,/,
    ),
    "Accept-Encoding": "gzip",
    "User-Agent": "test",
    "X-Prometheus-Scrape-Timeout-Seconds": "5",
  });
  await pass(20_000);
  expect(hosts()).toEqual(["a", "a", "a", "b", "b", "b", "c", "c", "c"]);
  for (const { id } of sink.opened) {
    const times = sink.pages.filter((delivered) => delivered.id === id).map(({ page }) => page.t);
    expect([times[1] - times[0], times[2] - times[1]]).toEqual([10_000, 10_000]);
  }
  expect(health()).toEqual({
    "http://a/metrics?x=y": "up",
    "http://b/metrics?x=y": "up",
    "http://c/metrics?x=y": "up",
  });
});

test("the writer learns all that it must know of a target", async () => {
  await apply(
    config(
      "honor_labels: true\n  sample_limit: 7\n  fallback_scrape_protocol: PrometheusText0.0.4\n  extra_scrape_metrics: true\n  metric_relabel_configs: [{action: labeldrop, regex: x}]",
      "[a]",
    ),
  );
  expect(sink.opened).toMatchObject([
    {
      id: 1,
      labels: ["instance", "a", "job", "j"],
      honorLabels: true,
      honorTimestamps: true,
      trackTimestampsStaleness: false,
      validationScheme: "utf8",
      fallbackProtocol: "PrometheusText0.0.4",
      sampleLimit: 7,
      bodySizeLimitBytes: 0,
      extraMetrics: true,
      intervalMs: 10_000,
      timeoutMs: 5000,
    },
  ]);
  expect(structuredClone(sink.opened[0])).toEqual(sink.opened[0]);
});

describe("a broken target costs only its own health", () => {
  const never: Answer = (request) =>
    new Promise((_, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason), { once: true });
    });

  test.each<[string, Answer, string]>([
    ["slow", never, "context deadline exceeded"],
    ["refusing", async () => Promise.reject(new Error("dial tcp: refused")), "dial tcp: refused"],
    ["failing", async () => page("", 500), "server returned HTTP status 500 Broken"],
    [
      "huge",
      async () => Promise.reject(new BodySizeError("body size limit exceeded")),
      "body size limit exceeded",
    ],
  ])("%s", async (_, answer, error) => {
    network.answers.set("a", answer);
    await apply(config("honor_labels: false"));
    await pass(30_000);
    const [a, b] = scrape.activeTargets();
    expect([a.health, a.lastError]).toEqual(["down", error]);
    expect([b.health, b.lastError]).toEqual(["up", ""]);
    const ofA = sink.pages.filter(({ id }) => id === a.id);
    // Slow ones are still under way when the time is up.
    expect(ofA.length).toBeGreaterThanOrEqual(2);
    for (const { page } of ofA) expect(page).toMatchObject({ body: undefined, contentType: "", error });
    expect(sink.pages.filter(({ id }) => id === b.id).length).toBe(3);
    expect(bodySizeExceeded > 0).toBe(error === "body size limit exceeded");
  });

  test("garbage: the writer's verdict counts", async () => {
    sink.report = () => ({ error: "expected a name" });
    await apply(config("", "[a]"));
    await pass(10_000);
    expect(scrape.activeTargets()[0]).toMatchObject({ health: "down", lastError: "expected a name" });
  });

  test("a writer that is replaced: the scrape fails, the next one works", async () => {
    sink.report = () => {
      throw new Error("the writer was replaced");
    };
    await apply(config("", "[a]"));
    await pass(10_000);
    expect(scrape.activeTargets()[0]).toMatchObject({ health: "down", lastError: "the writer was replaced" });
    sink.report = () => ({});
    await pass(10_000);
    expect(scrape.activeTargets()[0].health).toBe("up");
  });
});

test("a scrape that outlasts its interval delays the next one, and the schedule stays", async () => {
  await apply(config("scrape_timeout: 10s", "[a]"));
  let finish: (() => void) | undefined;
  network.answers.set("a", () => new Promise((resolve) => (finish = () => resolve(page("up 1\n")))));
  await pass(10_000);
  expect(network.requests.length).toBe(1);
  // Two ticks pass while it runs; one scrape follows at once.
  clock.advance(5000);
  network.answers.delete("a");
  sink.report = () => {
    clock.advance(12_000);
    sink.report = () => ({});
    return {};
  };
  finish?.();
  await settle();
  expect(network.requests.length).toBe(2);
  await pass(10_000);
  const times = sink.pages.map(({ page }) => page.t);
  expect((times[2] - times[0]) % 10_000).toBe(0);
});

test("over target_limit nothing is scraped, and every target says why", async () => {
  await apply(config("target_limit: 1"));
  await pass(10_000);
  expect(network.requests).toEqual([]);
  const error = "target_limit exceeded (number of targets: 2, limit: 1)";
  expect(scrape.activeTargets().map((target) => target.lastError)).toEqual([error, error]);
  await apply(config("target_limit: 2"));
  await pass(20_000);
  expect(new Set(hosts())).toEqual(new Set(["a", "b"]));
});

describe("targets that go away", () => {
  test("are marked stale when they would have been scraped twice more, at the time of the first", async () => {
    await apply(config(""));
    await pass(10_000);
    const [a] = scrape.activeTargets();
    const last = sink.pages.find(({ id }) => id === a.id)?.page.t as number;
    await apply(config("", "[b]"));
    await pass(5000);
    expect(scrape.activeTargets().map((target) => target.scrapeUrl)).toEqual(["http://b/metrics"]);
    await pass(25_000);
    expect(sink.closed).toEqual([{ id: a.id, staleAt: last + 10_000 }]);
    expect(network.requests.filter((request) => request.url.includes("//a/")).length).toBe(1);
  });

  test("before their first scrape leave nothing to mark", async () => {
    await apply(config(""));
    await apply(config("", "[]"));
    await pass(5000);
    expect(scrape.activeTargets()).toEqual([]);
    expect(sink.closed.every(({ staleAt }) => staleAt === undefined)).toBe(true);
  });

  test("with their whole job: likewise", async () => {
    await apply(config(""));
    await pass(10_000);
    await apply("scrape_configs: []");
    expect(scrape.pools()).toEqual([]);
    expect(network.closed).toBe(1);
    await pass(25_000);
    expect(sink.closed.length).toBe(2);
    expect(sink.closed.every(({ staleAt }) => staleAt !== undefined)).toBe(true);
  });

  test("with their job, just before the server ends, are not marked", async () => {
    await apply(config("", "[a]"));
    await pass(10_000);
    await apply("scrape_configs: []");
    await scrape.stop();
    await pass(60_000);
    expect([sink.closed, clock.pending]).toEqual([[{ id: 1, staleAt: undefined }], 0]);
  });

  test("because the server ends are not marked; running scrapes end", async () => {
    network.answers.set(
      "a",
      (request) =>
        new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => reject(request.signal.reason));
        }),
    );
    await apply(config(""));
    await pass(10_000);
    await apply(config("", "[a]"));
    await pass(6000);
    const stopping = scrape.stop();
    await settle();
    await stopping;
    expect(sink.closed.map(({ staleAt }) => staleAt)).toEqual([undefined, undefined]);
    const requests = network.requests.length;
    await pass(60_000);
    expect([network.requests.length, clock.pending]).toEqual([requests, 0]);
  });
});

describe("a changed configuration", () => {
  test("leaves loops alone whose target and settings stay", async () => {
    await apply(config(""));
    await pass(10_000);
    const ids = scrape.activeTargets().map((target) => target.id);
    // Another list, other rules with the same result, another job beside it.
    const more = `${config(
      "relabel_configs: [{source_labels: [__address__], regex: z, action: drop}]",
      "[a, b, c]",
    )}- job_name: k\n`;
    await apply(more);
    await pass(5000);
    expect(
      scrape
        .activeTargets()
        .slice(0, 2)
        .map((target) => target.id),
    ).toEqual(ids);
    expect(scrape.activeTargets().map((target) => target.scrapeUrl)).toEqual([
      "http://a/metrics",
      "http://b/metrics",
      "http://c/metrics",
    ]);
    expect([...scrape.pools()].sort()).toEqual(["j", "k"]);
    expect(sink.closed).toEqual([]);
  });

  test("restarts the others with new ids, keeping their state; the old ids are closed in time", async () => {
    await apply(config(""));
    await pass(10_000);
    const before = scrape.activeTargets();
    await apply(config("sample_limit: 5"));
    const after = scrape.activeTargets();
    expect(after.map((target) => target.id)).not.toEqual(before.map((target) => target.id));
    expect(after.map((target) => target.health)).toEqual(["up", "up"]);
    await pass(40_000);
    expect(sink.closed.map(({ id }) => id).sort()).toEqual(before.map((target) => target.id).sort());
    const times = sink.pages
      .filter(({ id }) => id === before[0].id || id === after[0].id)
      .map(({ page }) => page.t);
    const phases = new Set(times.map((t) => t % 10_000));
    expect(phases.size).toBe(1);
    expect(new Set(times).size).toBe(times.length);
  });

  test("uses a new client where the way to the target changed", async () => {
    await apply(config(""));
    await apply(config("basic_auth: {username: me, password: p}"));
    expect(network.settings.map(({ basicAuth }) => basicAuth?.username)).toEqual([undefined, "me"]);
    expect(network.closed).toBe(1);
  });

  test("twice while a scrape runs: loops that never began leave nothing behind", async () => {
    let finish: (() => void) | undefined;
    network.answers.set("a", () => new Promise((resolve) => (finish = () => resolve(page("up 1\n")))));
    await apply(config("scrape_timeout: 10s", "[a]"));
    while (finish === undefined) await pass(100);
    const applied = [1, 2, 3].map((limit) =>
      apply(config(`scrape_timeout: 10s\n  sample_limit: ${limit}`, "[a]")),
    );
    await settle();
    network.answers.delete("a");
    finish();
    await Promise.all(applied);
    await pass(60_000);
    expect(sink.opened.map(({ sampleLimit }) => sampleLimit)).toEqual([0, 3]);
    expect(sink.closed.map(({ id }) => id)).toEqual([sink.opened[0].id]);
    expect(scrape.activeTargets().map((target) => target.id)).toEqual([sink.opened[1].id]);
  });

  test("while a scrape runs, and then the end of the server: nothing starts any more", async () => {
    let finish: (() => void) | undefined;
    network.answers.set("a", () => new Promise((resolve) => (finish = () => resolve(page("up 1\n")))));
    await apply(config("scrape_timeout: 10s", "[a]"));
    while (finish === undefined) await pass(100);
    const applied = apply(config("scrape_timeout: 10s\n  sample_limit: 1", "[a]"));
    await settle();
    const stopped = scrape.stop();
    finish();
    await Promise.all([applied, stopped]);
    await pass(60_000);
    expect([sink.opened.length, sink.closed, clock.pending]).toEqual([1, [{ id: 1, staleAt: undefined }], 0]);
  });
});

test("dropped targets are counted, and kept up to the limit", async () => {
  const rules = "relabel_configs: [{source_labels: [__address__], regex: 'd.*', action: drop}]";
  await apply(config(`${rules}\n  keep_dropped_targets: 2`, "[a, d1, d2, d3]"));
  expect(scrape.droppedCounts()).toEqual(new Map([["j", 3]]));
  const dropped = scrape.droppedTargets();
  expect(dropped.map(({ scrapePool }) => scrapePool)).toEqual(["j", "j"]);
  expect(dropped[0].discoveredLabels.slice(0, 2)).toEqual(["__address__", "d1"]);
});

test("what makes no target is logged and left out; equal targets are one", async () => {
  const rules =
    "relabel_configs: [{source_labels: [__address__], regex: 'http://(.*)', target_label: __address__}]";
  await apply(config(rules, '[a, a, "http://x", "http://y/z"]'));
  expect(scrape.activeTargets().map((target) => target.scrapeUrl)).toEqual([
    "http://a/metrics",
    "http://x/metrics",
  ]);
  expect(logger.lines.filter((line) => line.level === "error")).toMatchObject([
    { message: "Creating target failed", fields: { scrape_pool: "j", err: expect.stringContaining("y/z") } },
  ]);
});

test("of equal targets the first one found is shown", async () => {
  await apply(config("", "[]"));
  await pass(5000);
  const target = { __address__: "a" };
  const group = (source: string) => ({ source, targets: [target], labels: { __meta_source: source } });
  scrape.update(new Map([["j", [group("one"), group("two")]]]));
  expect(scrape.activeTargets().map((found) => found.discoveredLabels.slice(0, 4))).toEqual([
    ["__address__", "a", "__always_scrape_classic_histograms__", "false"],
  ]);
  expect(scrape.activeTargets()[0].discoveredLabels).toContain("one");
});

test("changes of targets take effect at once, then at most every five seconds", async () => {
  await apply(config("", "[a]"));
  const update = (address: string) =>
    scrape.update(new Map([["j", [{ source: "0", targets: [{ __address__: address }], labels: {} }]]]));
  const urls = () => scrape.activeTargets().map((target) => target.scrapeUrl);
  update("b");
  update("c");
  expect(urls()).toEqual(["http://a/metrics"]);
  await pass(4900);
  expect(urls()).toEqual(["http://a/metrics"]);
  await pass(100);
  expect(urls()).toEqual(["http://c/metrics"]);
  await pass(6000);
  update("d");
  expect(urls()).toEqual(["http://d/metrics"]);
});

/** Our /metrics beside a real Prometheus's: the same names, types and labels for everything that exists here. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort, startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { absentMetrics } from "./absent-metrics.ts";

const peers = havePeers("/metrics against Prometheus", "prometheus");

interface Page {
  readonly contentType: string | null;
  readonly types: ReadonlyMap<string, string>;
  /** Label names of each family; of "le" and "quantile" each value. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

async function pageOf(url: string): Promise<Page> {
  const answer = await fetch(`${url}/metrics`);
  const types = new Map<string, string>();
  const labels = new Map<string, Set<string>>();
  for (const line of (await answer.text()).split("\n")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1], type[2]);
    const sample = /^([a-z_0-9]+)(?:\{(.*)\})? \S+$/.exec(line);
    if (sample === null) continue;
    const base = sample[1].replace(/_(sum|count|bucket)$/, "");
    const family = types.has(sample[1]) ? sample[1] : base;
    const names = labels.get(family) ?? new Set<string>();
    labels.set(family, names);
    for (const [, name, value] of (sample[2] ?? "").matchAll(/([a-z_]+)="([^"]*)"/g)) {
      names.add(name === "le" || name === "quantile" ? `${name} ${Number(value)}` : name);
    }
  }
  return { contentType: answer.headers.get("content-type"), types, labels };
}

/** How often a server has scraped itself in the last minute. */
async function scrapesOf(url: string): Promise<number> {
  const answer = await queryInstant(url, "count_over_time(up[1m])", Date.now() / 1000);
  return Number(resultOf(answer)[0]?.value?.[1] ?? 0);
}

/** Labels that differ on purpose. */
const otherLabels: Readonly<Record<string, string>> = {
  prometheus_build_info: "says also which Narthex and Node it is",
};

/** What Prometheus 3.5 does not have. */
const ourHandlers: ReadonlySet<string> = new Set([
  "/api/v1/status/memory",
  "/api/v1/status/tsdb/blocks",
  "/api/v1/admin/tsdb/retention_dry_run",
]);

describe.skipIf(!peers)("the page of a server that scrapes itself and was queried", () => {
  let dir: string;
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];
  let theirs: Page;
  let ours: Page;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-metrics-"));
    for (const kind of ["prometheus", "narthex"]) {
      const port = await freePort();
      const config = `storage: {tsdb: {out_of_order_time_window: 30m}}\nglobal: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: self\n    static_configs: [{targets: ["127.0.0.1:${port}"]}]\n`;
      const flags = ["--enable-feature=exemplar-storage"];
      servers.push(await startServer(kind, join(dir, kind), { config, flags, port }));
    }
    for (const { url } of servers) {
      // Prometheus begins to scrape some seconds after its start, and then has more to show.
      await vi.waitUntil(async () => (await scrapesOf(url)) > 2, { timeout: 30_000, interval: 200 });
      for (const path of ["query?query=up", "query_range?query=up&start=0&end=1&step=1", "nowhere"]) {
        await fetch(`${url}/api/v1/${path}`);
      }
    }
    [theirs, ours] = await Promise.all(servers.map(({ url }) => pageOf(url)));
  });
  afterAll(async () => {
    for (const server of servers) await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  const reasonFor = (name: string) => absentMetrics.find(({ names }) => names.test(name))?.reason;

  test("has every family of Prometheus's, or a reason why not", () => {
    const missing = [...theirs.types.keys()].filter((name) => !ours.types.has(name));
    expect(missing.filter((name) => reasonFor(name) === undefined)).toEqual([]);
  });

  test("has no reason for what is there", () => {
    const idle = absentMetrics.filter(({ names }) => [...ours.types.keys()].some((name) => names.test(name)));
    expect(idle).toEqual([]);
    const unknown = absentMetrics.filter(
      ({ names }) => ![...theirs.types.keys()].some((name) => names.test(name)),
    );
    expect(unknown).toEqual([]);
  });

  test("has the same types", () => {
    const shared = [...theirs.types].filter(([name]) => ours.types.has(name));
    expect(shared.length).toBeGreaterThan(80);
    expect(shared.map(([name]) => [name, ours.types.get(name)])).toEqual(shared);
  });

  test("has the same labels", () => {
    const differing = [...theirs.labels]
      .filter(([name]) => ours.labels.has(name) && otherLabels[name] === undefined)
      .map(([name, labels]) => [name, [...labels].sort(), [...(ours.labels.get(name) ?? [])].sort()])
      .filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b));
    expect(differing).toEqual([]);
  });

  test("comes in the same format", () => {
    expect(ours.contentType).toBe(theirs.contentType);
  });

  test("counts requests by the same handlers, as far as they exist", async () => {
    const handlersOf = async (url: string) => {
      const page = await (await fetch(`${url}/metrics`)).text();
      return new Set(
        [...page.matchAll(/^prometheus_http_requests_total\{.*handler="([^"]+)"/gm)].map((match) => match[1]),
      );
    };
    const [their, our] = await Promise.all(servers.map(({ url }) => handlersOf(url)));
    expect([...our].filter((handler) => !their.has(handler) && !ourHandlers.has(handler))).toEqual([]);
    expect(our.size).toBeGreaterThan(25);
  });
});

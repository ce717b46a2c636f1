// Targets that misbehave on a real network, beside one that does not: each costs only its own health.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { silentLogger } from "../../src/base/env.ts";
import { parseConfig } from "../../src/config/load.ts";
import { DiscoveryManager } from "../../src/discovery/manager.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { NodeHttpClients } from "../../src/node/http-client.ts";
import { defaultScrapeOptions, ScrapeManager } from "../../src/scrape/manager.ts";
import type { ScrapedPage, ScrapeSink } from "../../src/scrape/sink.ts";

/** The servers' addresses by name, and how to end them. */
async function startServers(): Promise<{ addresses: Record<string, string>; end: () => void }> {
  const script = join(import.meta.dirname, "broken-servers.mjs");
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) {
    return { addresses: JSON.parse(line), end: () => child.stdin.end() };
  }
  throw new Error("the servers did not start");
}

class PageSink implements ScrapeSink {
  readonly pages = new Map<number, ScrapedPage[]>();

  open({ id }: { readonly id: number }): void {
    this.pages.set(id, []);
  }

  async deliver(id: number, page: ScrapedPage) {
    this.pages.get(id)?.push(page);
    return { scraped: 0, postRelabel: 0, added: 0, error: page.error };
  }

  async close(): Promise<void> {}

  async metadata() {
    return [];
  }
}

/** Scrapes these addresses every 400 ms for two and a half seconds; the pages by name. */
async function scrapeAll(addresses: Record<string, string>): Promise<Map<string, readonly ScrapedPage[]>> {
  const groups = Object.entries(addresses).map(
    ([name, address]) => `{targets: ["${address}"], labels: {name: ${name}}}`,
  );
  const config = parseConfig(
    { getEnv: () => undefined },
    `scrape_configs: [{job_name: j, scrape_interval: 400ms, scrape_timeout: 350ms, body_size_limit: 4MB, static_configs: [${groups}]}]`,
    "p.yml",
  );
  const sink = new PageSink();
  const env = { clock: nodeClock, logger: silentLogger, fs: nodeFs };
  const clients = new NodeHttpClients({});
  const scrape = new ScrapeManager({ ...env, sink, clients }, defaultScrapeOptions);
  const discovery = new DiscoveryManager(env, (sets) => scrape.update(sets));
  await scrape.applyConfig(config);
  discovery.apply(config.allScrapeConfigs);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  discovery.stop();
  const targets = scrape.activeTargets();
  await scrape.stop();
  return new Map(
    Object.keys(addresses).map((name) => {
      const target = targets.find(({ labels }) => labels.includes(name)) ?? expect.fail(name);
      const pages = sink.pages.get(target.id) ?? [];
      return [name, pages.filter((page) => !page.error.includes("the server is shutting down"))];
    }),
  );
}

test("slow, silent, endless, packed endless, failing, breaking off, not HTTP, gone: the good one is scraped all the same", async () => {
  const { addresses, end } = await startServers();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const pages = await scrapeAll(addresses).finally(end);
  delay.disable();
  const errors: Record<string, string> = {
    good: "",
    slow: "context deadline exceeded",
    silent: `Get "http://${addresses.silent}/metrics": context deadline exceeded`,
    endless: "body size limit exceeded",
    packed: "body size limit exceeded",
    failing: "server returned HTTP status 500 Internal Server Error",
    breaking: "unexpected EOF",
    noHttp: `Get "http://${addresses.noHttp}/metrics": Response does not match the HTTP/1.1 protocol`,
    gone: `Get "http://${addresses.gone}/metrics": dial tcp ${addresses.gone}: connect: connection refused`,
  };
  const busy = `event loop delay up to ${Math.round(delay.max / 1e6)} ms`;
  for (const [name, error] of Object.entries(errors)) {
    const found = (pages.get(name) ?? []).map((page) => page.error);
    expect(found.length, name).toBeGreaterThanOrEqual(4);
    expect(
      found.filter((text) => text.startsWith(error)).length,
      `${name}, ${busy}: ${found}`,
    ).toBeGreaterThan(0);
    if (error !== "") expect(found, name).not.toContain("");
  }
  // On a busy machine a scrape may be late for any reason; the others are no reason.
  const good = pages.get("good") ?? [];
  const succeeded = good.filter((page) => page.error === "");
  expect(succeeded.length, busy).toBeGreaterThanOrEqual(good.length / 2);
  expect(succeeded.map((page) => new TextDecoder().decode(page.body))).toContain("up 1\n");
});

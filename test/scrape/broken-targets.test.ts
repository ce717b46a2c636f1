// Targets that misbehave on a real network, beside one that does not: each costs only its own health.
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "../../src/base/env.ts";
import { parseConfig } from "../../src/config/load.ts";
import { DiscoveryManager } from "../../src/discovery/manager.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { NodeHttpClients } from "../../src/node/http-client.ts";
import { defaultScrapeOptions, ScrapeManager } from "../../src/scrape/manager.ts";
import type { ScrapedPage, ScrapeSink } from "../../src/scrape/sink.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    if ("closeAllConnections" in server) (server as { closeAllConnections(): void }).closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const web = (answer: (response: ServerResponse) => void) =>
  listen(createServer((_, response) => answer(response)));

/** Writes for ever. */
function pour(response: ServerResponse, chunk: Uint8Array): void {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

test("slow, silent, endless, packed endless, failing, breaking off, not HTTP, gone: the good one never misses a scrape", async () => {
  const addresses: Record<string, string> = {
    good: await web((response) => response.end("up 1\n")),
    slow: await web((response) => {
      const timer = setInterval(() => response.write("up 1\n"), 20);
      response.on("close", () => clearInterval(timer));
    }),
    silent: await web(() => {}),
    endless: await web((response) => pour(response, Buffer.alloc(1 << 16, "x 1\n"))),
    packed: await web((response) => {
      response.setHeader("content-encoding", "gzip");
      pour(response, gzipSync(Buffer.alloc(1 << 20)));
    }),
    failing: await web((response) => response.writeHead(500).end("no")),
    breaking: await web((response) => {
      response.setHeader("content-length", "1000");
      response.write("up 1\n", () => response.destroy());
    }),
    noHttp: await listen(
      createTcpServer((socket) => void socket.on("error", () => {}).end("220 mail ready\r\n")),
    ),
  };
  const gone = createTcpServer();
  addresses.gone = await listen(gone);
  await new Promise((resolve) => gone.close(resolve));

  const groups = Object.entries(addresses).map(
    ([name, address]) => `{targets: ["${address}"], labels: {name: ${name}}}`,
  );
  const config = parseConfig(
    { getEnv: () => undefined },
    `scrape_configs: [{job_name: j, scrape_interval: 300ms, scrape_timeout: 200ms, body_size_limit: 4MB, static_configs: [${groups}]}]`,
    "p.yml",
  );
  const pages = new Map<number, ScrapedPage[]>();
  const sink: ScrapeSink = {
    open: ({ id }) => void pages.set(id, []),
    deliver: async (id, page) => {
      pages.get(id)?.push(page);
      return { scraped: 0, postRelabel: 0, added: 0, error: page.error };
    },
    close: async () => {},
    metadata: async () => [],
  };
  const env = { clock: nodeClock, logger: silentLogger, fs: nodeFs };
  const scrape = new ScrapeManager({ ...env, sink, clients: new NodeHttpClients({}) }, defaultScrapeOptions);
  const discovery = new DiscoveryManager(env, (sets) => scrape.update(sets));
  await scrape.applyConfig(config);
  discovery.apply(config.allScrapeConfigs);
  await new Promise((resolve) => setTimeout(resolve, 1800));
  discovery.stop();
  const targets = scrape.activeTargets();
  await scrape.stop();

  const of = (name: string) => targets.find((target) => target.labels.includes(name)) ?? expect.fail(name);
  const errors = Object.fromEntries(Object.keys(addresses).map((name) => [name, of(name).lastError]));
  expect(errors).toEqual({
    good: "",
    slow: "context deadline exceeded",
    silent: `Get "http://${addresses.silent}/metrics": context deadline exceeded`,
    endless: "body size limit exceeded",
    packed: "body size limit exceeded",
    failing: "server returned HTTP status 500 Internal Server Error",
    breaking: "unexpected EOF",
    noHttp: expect.stringContaining(`Get "http://${addresses.noHttp}/metrics": `),
    gone: `Get "http://${addresses.gone}/metrics": dial tcp ${addresses.gone}: connect: connection refused`,
  });
  for (const name of Object.keys(addresses)) {
    const times = (pages.get(of(name).id) ?? []).map((page) => page.t);
    expect(times.length, name).toBeGreaterThanOrEqual(5);
    const gaps = times.slice(1).map((t, i) => t - times[i]);
    // A busy machine may be late once; a scrape that waits for another target would be late by whole intervals.
    expect(gaps.filter((gap) => gap > 450).length, `${name}: ${gaps}`).toBeLessThanOrEqual(1);
  }
  const good = pages.get(of("good").id) ?? [];
  expect(good.every((page) => page.error === "" && new TextDecoder().decode(page.body) === "up 1\n")).toBe(
    true,
  );
});

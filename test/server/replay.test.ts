/**
 * While the built server replays its WAL: blocks are served, queries that need the head answer 503, what is to be stored
 * waits.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

const minute = 60_000;
const now = Date.now();
const blockAge = 100 * minute;
const slow = {
  wait: false,
  env: { NODE_OPTIONS: `--import=${join(import.meta.dirname, "slow-replay.mjs")}` },
};

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;

const flags = ["--storage.tsdb.min-block-duration=10m"];
const write = (t: number) =>
  remoteWrite(server.url, [{ labels: { __name__: "m" }, samples: [{ t, bits: bitsOf(5) }] }]);
const answer = async (path: string, init?: RequestInit): Promise<[number, string]> => {
  const response = await fetch(server.url + path, init);
  return [response.status, await response.text()];
};
const status = (path: string) =>
  fetch(server.url + path).then(
    ({ status }) => status,
    () => 0,
  );

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-replay-"));
  server = await startServer("narthex", dir, { flags });
  for (const age of [blockAge, 80 * minute, 40 * minute, 0])
    expect((await write(now - age)).status).toBe(204);
});
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

test("what the blocks hold is answered, what may be in the head is not", async () => {
  const blocks = () => readdirSync(join(dir, "data")).filter((name) => /^[0-9A-Z]{26}$/.test(name)).length;
  await expect.poll(blocks, { timeout: 20_000 }).toBeGreaterThan(0);
  await server.kill();
  server = await startServer("narthex", dir, { flags, ...slow });
  await expect.poll(() => status("/-/healthy"), { timeout: 20_000 }).toBe(200);
  const old = (now - blockAge + 1000) / 1000;
  const unavailable = [503, "Service Unavailable"];
  // Before the writer has looked at the blocks, everything may be in the head.
  const inBlock = () => answer(`/api/v1/query?query=m&time=${old}`);
  await expect.poll(inBlock, { timeout: 20_000 }).toEqual([200, expect.stringContaining('"value":[')]);
  expect(await answer(`/api/v1/series?match[]=m&start=0&end=${old}`)).toEqual([
    200,
    '{"status":"success","data":[{"__name__":"m"}]}',
  ]);
  expect(await answer("/api/v1/query?query=m")).toEqual(unavailable);
  expect(await answer(`/api/v1/query_range?query=m&start=${old}&end=${now / 1000}&step=60`)).toEqual(
    unavailable,
  );
  expect(await answer("/api/v1/labels")).toEqual(unavailable);
  expect(await answer("/-/ready")).toEqual(unavailable);
  expect(await answer("/api/v1/status/walreplay")).toEqual([
    200,
    expect.stringMatching(/^{"status":"success","data":{"min":0,"max":\d,"current":\d}}$/),
  ]);
  expect(await answer("/api/v1/targets")).toEqual(unavailable);
  const written = write(now + 1);
  expect(await answer("/")).toEqual([200, expect.stringContaining("being replayed")]);
  expect(await answer("/metrics")).toEqual([200, expect.stringContaining("prometheus_ready 0")]);

  await expect.poll(() => status("/-/ready"), { timeout: 20_000 }).toBe(200);
  expect(await answer("/api/v1/query?query=m")).toEqual([200, expect.stringContaining('"5"')]);
  expect((await written).status).toBe(204);
});

test("what is scraped and written during the replay is stored, at its time", async () => {
  await server.kill();
  const page = createServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end("scraped 1\n");
  });
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  try {
    const target = `127.0.0.1:${(page.address() as AddressInfo).port}`;
    const config = `scrape_configs: [{job_name: a, scrape_interval: 1s, static_configs: [{targets: ["${target}"]}]}]\n`;
    server = await startServer("narthex", dir, { flags, config, ...slow });
    await expect.poll(() => status("/-/healthy"), { timeout: 20_000 }).toBe(200);
    const written = write(now + 2);
    expect(await status("/-/ready")).toBe(503);
    // The replay rests for four seconds.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const duringReplay = Date.now() / 1000;
    expect(await status("/-/ready")).toBe(503);
    expect((await written).status).toBe(204);
    await expect.poll(() => status("/-/ready"), { timeout: 20_000 }).toBe(200);
    const scraped = () => answer(`/api/v1/query?query=scraped&time=${duringReplay}`);
    await expect.poll(scraped, { timeout: 5000 }).toEqual([200, expect.stringContaining('"value":[')]);
    expect(await answer(`/api/v1/query?query=timestamp(m)&time=${now / 1000 + 60}`)).toEqual([
      200,
      expect.stringContaining(`"${(now + 2) / 1000}"`),
    ]);
  } finally {
    page.close();
  }
});

test("what waits is bounded", async () => {
  await server.kill();
  server = await startServer("narthex", dir, {
    flags: [...flags, "--storage.tsdb.memory-limit=192MB"],
    ...slow,
  });
  await expect.poll(() => status("/-/healthy"), { timeout: 20_000 }).toBe(200);
  // A 32nd of the limit may wait: the first of these bodies, not the second.
  const body = new Uint8Array(4 * 2 ** 20);
  const post = () => fetch(`${server.url}/api/v1/write`, { method: "POST", body }).then((r) => r.status);
  const answers = await Promise.all([post(), post()]);
  // None of them is a message.
  expect(answers.sort()).toEqual([400, 503]);
});

test("SIGTERM ends a replay in order", async () => {
  await server.kill();
  server = await startServer("narthex", dir, { flags, ...slow });
  await expect.poll(() => status("/-/healthy"), { timeout: 20_000 }).toBe(200);
  const written = write(now + 3).catch(() => undefined);
  const begun = performance.now();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - begun).toBeLessThan(3000);
  // It waited, and was not stored.
  expect((await written)?.status ?? 503).toBe(503);
  expect(readdirSync(join(dir, "data"))).not.toContain("lock");
});

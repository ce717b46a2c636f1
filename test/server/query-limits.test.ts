/** What keeps one query from taking the built server down: samples, time, clients that leave, turns. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { queryInstant, queryRange, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

const seriesCount = 300;
const samplesEach = 200;
const endMs = Math.floor(Date.now() / 1000) * 1000;
const end = endMs / 1000;
/** Takes seconds, and little memory: one series after the other, thousands of values in each window. */
const slow = Array.from(
  { length: 100 },
  (_, i) => `quantile_over_time(0.9, sum_over_time(m{i="${i}"}[50m])[50m:1s])`,
).join(" + on() ");

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-limits-"));
  const flags = ["--query.max-samples=50000", "--query.max-concurrency=1", "--query.timeout=1s"];
  server = await startServer("narthex", dir, { flags });
  const series = Array.from({ length: seriesCount }, (_, i) => ({
    labels: { __name__: "m", i: String(i) },
    samples: Array.from({ length: samplesEach }, (_, k) => ({
      t: endMs - (samplesEach - k) * 15_000,
      bits: bitsOf(k),
    })),
  }));
  expect(await remoteWrite(server.url, series)).toEqual({ status: 204, text: "" });
});
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

const count = async () => resultOf(await queryInstant(server.url, "count(m)", end))[0].value?.[1];
const metric = async (name: string) => {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return page
    .split("\n")
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
};

test("everything at once ends with Prometheus's error, not with the process", async () => {
  const { status, body } = await queryInstant(server.url, '{__name__=~".+"}[30d]', end);
  expect([status, body]).toEqual([
    422,
    {
      status: "error",
      errorType: "execution",
      error: "query processing would load too many samples into memory in query execution",
    },
  ]);
  expect(await count()).toBe(String(seriesCount));
});

test("a query that takes longer than --query.timeout ends", async () => {
  const begun = performance.now();
  const { status, body } = await queryRange(server.url, slow, end - 10_000, end, 1);
  expect([status, body.errorType, body.error]).toEqual([
    503,
    "timeout",
    "query timed out in expression evaluation",
  ]);
  expect(performance.now() - begun).toBeLessThan(3000);
});

test("a query ends when its client goes away; who waited for its turn is answered", async () => {
  const leaving = new AbortController();
  const url = `${server.url}/api/v1/query_range?query=${encodeURIComponent(slow)}&start=${end - 10_000}&end=${end}&step=1`;
  const left = fetch(url, { signal: leaving.signal });
  await expect.poll(() => metric("prometheus_engine_queries")).toBe("1");
  const waiting = count();
  await expect.poll(() => metric("prometheus_engine_queries")).toBe("2");
  leaving.abort();
  const begun = performance.now();
  await expect(left).rejects.toThrow("aborted");
  expect(await waiting).toBe(String(seriesCount));
  expect(performance.now() - begun).toBeLessThan(900);
  await expect
    .poll(() => metric('prometheus_http_requests_total{handler="/api/v1/query_range",code="499"}'))
    .toBe("1");
});

/** What the built server tells of a page that it scrapes, and what a reload changes in that. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";

const page = `# HELP jobs_seconds Time of "jobs".
# TYPE jobs_seconds counter
# UNIT jobs_seconds seconds
jobs_seconds_total{queue="a"} 7 # {trace_id="t1"} 0.5 1600000000.123
jobs_seconds_total{queue="b"} 8 # {trace_id="t2"} 0.25
# EOF
`;

let dir: string;
let exporter: Server;
let server: Awaited<ReturnType<typeof startServer>>;

const config = (rest: string, evaluation = "1m") => `
global: {scrape_interval: 1s, evaluation_interval: ${evaluation}, external_labels: {site: x}}
scrape_configs:
  - job_name: jobs
    static_configs: [{targets: ["127.0.0.1:${(exporter.address() as AddressInfo).port}"]}]
${rest}`;

const get = async (path: string) =>
  ((await (await fetch(`${server.url}/api/v1/${path}`)).json()) as { data: unknown }).data;
const exemplars = () => get("query_exemplars?query=rate(jobs_seconds_total[5m])&start=1500000000&end=1e10");

async function reload(text: string): Promise<void> {
  writeFileSync(join(dir, "prometheus.yml"), text);
  expect((await fetch(`${server.url}/-/reload`, { method: "POST" })).status).toBe(200);
}

beforeAll(async () => {
  exporter = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/openmetrics-text; version=1.0.0" }).end(page),
  );
  await new Promise<void>((listening) => exporter.listen(0, "127.0.0.1", listening));
  dir = mkdtempSync(join(tmpdir(), "narthex-scraped-"));
  server = await startServer("narthex", dir, {
    config: config(""),
    flags: ["--enable-feature=exemplar-storage"],
  });
});
afterAll(async () => {
  await server?.kill();
  exporter?.close();
  rmSync(dir, { recursive: true, force: true });
});

test("exemplars", async () => {
  await expect.poll(exemplars, { timeout: 10_000 }).toHaveLength(2);
  const instance = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
  const seriesOf = (queue: string) => ({ __name__: "jobs_seconds_total", instance, job: "jobs", queue });
  const [a, b] = (await exemplars()) as { seriesLabels: unknown; exemplars: unknown[] }[];
  expect(a).toEqual({
    seriesLabels: seriesOf("a"),
    exemplars: [{ labels: { trace_id: "t1" }, value: "0.5", timestamp: 1600000000.123 }],
  });
  expect(b.seriesLabels).toEqual(seriesOf("b"));
});

test("metadata", async () => {
  const family = { type: "counter", help: 'Time of "jobs".', unit: "seconds" };
  expect(await get("metadata?metric=jobs_seconds")).toEqual({ jobs_seconds: [family] });
  expect(await get("targets/metadata?metric=jobs_seconds")).toMatchObject([
    { target: { job: "jobs" }, ...family },
  ]);
});

test("a reload changes how many exemplars are kept", async () => {
  await reload(config("storage: {exemplars: {max_exemplars: 1}}"));
  expect(await exemplars()).toHaveLength(1);
  await reload(config("storage: {exemplars: {max_exemplars: -1}}"));
  expect(await exemplars()).toEqual([]);
  await reload(config(""));
  await expect.poll(exemplars, { timeout: 5000 }).toHaveLength(2);
});

test("a reload changes the step of subqueries that name none", async () => {
  const points = async () => {
    const data = (await get("query?query=count_over_time(vector(1)[1m:])&time=1600000020")) as {
      result: { value: [number, string] }[];
    };
    return data.result[0].value[1];
  };
  expect(await points()).toBe("1");
  await reload(config("", "10s"));
  expect(await points()).toBe("6");
});

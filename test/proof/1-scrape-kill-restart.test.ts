/**
 * Proof 1: Narthex scrapes a real node_exporter and itself every second; `kill -9`; restart. Every sample that a query
 * had returned before is there, and the gap is only the downtime.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, startServer } from "../../bench/servers.mjs";
import { havePeers, peer } from "../peers/find.ts";
import { type ApiSeries, keyOf, queryInstant, resultOf } from "../peers/query-api.ts";
import { size } from "./size.ts";

const scrapeSeconds = size(8, 60);
const downSeconds = size(2, 10);
const intervalMs = 1000;
/** A scrape may be late on a busy machine; more than this is a hole. */
const slowMs = 4 * intervalMs;
const peers = havePeers("proof 1 (scrape, kill, restart)", "prometheus-node-exporter");

/** Everything of the last ten minutes. */
async function allSamples(url: string): Promise<readonly ApiSeries[]> {
  return resultOf(await queryInstant(url, '{__name__=~".+"}[10m]', Date.now() / 1000));
}

describe.skipIf(!peers)("a scraping server is killed and started again", () => {
  let dir: string;
  let exporter: ChildProcess;
  let narthex: Awaited<ReturnType<typeof startServer>>;
  let options: Parameters<typeof startServer>[2];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-1-"));
    const [exporterPort, port] = [await freePort(), await freePort()];
    exporter = spawn(peer("prometheus-node-exporter"), [`--web.listen-address=127.0.0.1:${exporterPort}`], {
      stdio: "ignore",
    });
    const job = (name: string, target: number) =>
      `  - job_name: ${name}\n    static_configs: [{targets: ["127.0.0.1:${target}"]}]\n`;
    const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n${job("node", exporterPort)}${job("self", port)}`;
    options = { config, port };
    narthex = await startServer("narthex", dir, options);
  });
  afterAll(async () => {
    exporter?.kill("SIGKILL");
    await narthex?.kill();
    if (exporter?.exitCode === null && exporter.signalCode === null) await once(exporter, "exit");
    rmSync(dir, { recursive: true, force: true });
  });

  test(`${scrapeSeconds} s of scrapes survive kill -9`, async () => {
    await sleep(scrapeSeconds * 1000);
    const before = await allSamples(narthex.url);
    const killedAtMs = Date.now();
    await narthex.kill();
    await sleep(downSeconds * 1000);
    narthex = await startServer("narthex", dir, options);
    const readyAtMs = Date.now();
    await sleep(slowMs);

    const after = new Map(
      (await allSamples(narthex.url)).map((series) => [keyOf(series.metric), series.values ?? []]),
    );
    let count = 0;
    for (const { metric, values = [] } of before) {
      const now = new Map(after.get(keyOf(metric)));
      for (const [t, v] of values) {
        count++;
        expect(now.get(t), `${JSON.stringify(metric)} at ${t}`).toBe(v);
      }
    }
    expect(before.length).toBeGreaterThan(300);
    expect(count).toBeGreaterThan(300 * (scrapeSeconds - 4));

    for (const job of ["node", "self"]) {
      const [, up] =
        [...after].find(([key]) => key.includes('["__name__","up"]') && key.includes(`["job","${job}"]`)) ??
        [];
      const times = (up ?? []).map(([t]) => t * 1000);
      const gaps = times.slice(1).map((t, i) => ({ from: times[i], to: t, ms: t - times[i] }));
      const widest = gaps.reduce((a, b) => (a.ms > b.ms ? a : b));
      expect(widest.from).toBeGreaterThan(killedAtMs - slowMs);
      expect(widest.to).toBeLessThan(readyAtMs + slowMs);
      expect(gaps.filter((gap) => gap !== widest && gap.ms > slowMs)).toEqual([]);
    }
    const downMs = readyAtMs - killedAtMs;
    console.log(`proof 1: ${before.length} series, ${count} samples kept; down for ${downMs} ms`);
  });
});

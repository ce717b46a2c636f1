/**
 * Proof 6 of the storage: a storm of new series against a memory limit. As many as fit are admitted, the process stays
 * under the limit, a scrape goes on each second without a gap, whose series were refused is named; and without a limit
 * all of them are taken.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryMiB } from "../../bench/process-stats.mjs";
import { replay, replayDefaults } from "../../bench/replay.mjs";
import { startServer } from "../../bench/servers.mjs";
import { workloadDefaults, writeWorkload } from "../../bench/workload.mjs";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { proofSeed, size } from "./size.ts";

const stormSeries = size(250_000, 3_000_000);
const limitMiB = size(256, 512);
const admittedMin = size(40_000, 400_000);
const knownSeries = 1000;
/** What VictoriaMetrics took for the same three million series. */
const peakWithoutLimitMiB = size(400, 1280);
const cpuSecondsPerMillionMax = 0.4 * 17.6;

interface MemoryStatusData {
  readonly newSeriesRefused: number;
  readonly urgencyScore: number;
  readonly culprits: readonly { readonly job: string; readonly metric: string; readonly count: number }[];
}

type Narthex = Awaited<ReturnType<typeof startServer>>;

/** A page of a thousand series, and from a certain moment on new ones besides. */
class Exporter {
  readonly #server: Server;
  moreSeries = 0;

  constructor() {
    let scrapes = 0;
    this.#server = createServer((_, response) => {
      scrapes++;
      const lines = Array.from({ length: knownSeries }, (_unused, i) => `known{i="${i}"} ${scrapes + i}`);
      for (let i = 0; i < this.moreSeries; i++) lines.push(`late{i="${i}"} ${scrapes}`);
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(`${lines.join("\n")}\n`);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let dir: string;
let storm: ReturnType<typeof writeWorkload>;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-storm-"));
  const settings = { series: stormSeries, minutes: 0.5, seed: proofSeed("proof 6 of the storage") };
  storm = writeWorkload(join(dir, "workload"), { ...workloadDefaults, ...settings });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function blow(server: Narthex) {
  const options = { ...replayDefaults, pid: server.pid, retries: 0 };
  return replay(join(dir, "workload"), `${server.url}/api/v1/write`, options);
}

async function metricsOf(server: Narthex): Promise<Map<string, number>> {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return new Map([...page.matchAll(/^([a-z]\S*) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}

/** The values of each series, by its label "i". */
async function valuesOf(server: Narthex, selector: string, atMs: number): Promise<Map<string, number[]>> {
  const answer = resultOf(await queryInstant(server.url, selector, atMs / 1000));
  return new Map(
    answer.map(({ metric, values }) => [metric.i as string, (values ?? []).map(([, v]) => Number(v))]),
  );
}

/** Samples of the storm that are there. */
async function storedSamples(server: Narthex): Promise<number> {
  const answer = await fetch(`${server.url}/api/v1/label/__name__/values?match[]={job=~"svc-.*"}`);
  const { data: names } = (await answer.json()) as { data: readonly string[] };
  let sum = 0;
  for (const name of names) {
    const query = `sum(count_over_time(${name}{job=~"svc-.*"}[20m]))`;
    sum += Number(resultOf(await queryInstant(server.url, query, storm.end / 1000 + 60))[0]?.value?.[1]);
  }
  return sum;
}

test(`${stormSeries} new series against a limit of ${limitMiB} MiB`, async () => {
  const exporter = new Exporter();
  const port = await exporter.listen();
  const config = `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: steady
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`;
  const own = join(dir, "limited");
  const limit = `--storage.tsdb.memory-limit=${limitMiB}MiB`;
  let server = await startServer("narthex", own, { config, flags: [limit] });
  try {
    await expect
      .poll(async () => (await metricsOf(server)).get("prometheus_tsdb_head_series") ?? 0)
      .toBeGreaterThan(knownSeries);
    const blown = await blow(server);
    exporter.moreSeries = 100;
    await sleep(3000);

    const metrics = await metricsOf(server);
    const created = metrics.get("prometheus_tsdb_head_series_created_total") ?? 0;
    const { VmHWM } = memoryMiB(server.pid);
    const answer = await fetch(`${server.url}/api/v1/status/memory?limit=3`);
    const { data: status } = (await answer.json()) as { data: MemoryStatusData };
    console.log(
      `proof 6: ${created} series of ${stormSeries} admitted under ${limitMiB} MiB, peak ${VmHWM.toFixed(0)} MiB, ` +
        `${blown.cpuSecondsPerMillion.toFixed(2)} CPU s per million stored; ${JSON.stringify(status)}`,
    );
    expect(created).toBeGreaterThan(admittedMin);
    expect(created).toBeLessThan(stormSeries);
    expect(VmHWM).toBeLessThan(limitMiB);
    expect(blown.firstError).toMatch(
      /^400 \d+ new series were refused: the head holds \d+ series in \d+ MiB/,
    );
    expect(blown.firstError).toContain(limit);

    // Who it was.
    expect(status.newSeriesRefused).toBeGreaterThan(0);
    expect(status.urgencyScore).toBeGreaterThan(0.99);
    expect(status.culprits[0].job).toMatch(/^svc-\d+$/);
    expect(status.culprits[0].metric).not.toBe("");
    expect(server.log()).toMatch(/New series are refused, known ones are stored.*svc-\d+/);
    expect(metrics.get("narthex_scrape_series_refused_total")).toBeGreaterThan(0);
    expect(server.log().match(/New series of this target are refused/g)).toHaveLength(1);
    expect(metrics.get("prometheus_target_skipped_scrapes_total")).toBe(0);

    // Queries are refused before series are.
    const refused = await fetch(`${server.url}/api/v1/query?query=up`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ status: "error", errorType: "unavailable" });
    const endMs = Date.now();
    await server.stop();

    // It starts again under the same limit, and goes on.
    server = await startServer("narthex", own, { config, flags: [limit] });
    const before = (await metricsOf(server)).get("prometheus_tsdb_head_max_time") ?? 0;
    await expect
      .poll(async () => (await metricsOf(server)).get("prometheus_tsdb_head_max_time") ?? 0, {
        timeout: 20_000,
      })
      .toBeGreaterThan(before);
    await server.stop();

    // Nothing acknowledged is lost, and the known series have no gap.
    server = await startServer("narthex", own, {
      config: "global: {}\n",
      flags: ["--storage.tsdb.memory-limit=4GiB"],
    });
    const known = await valuesOf(server, "known[10m]", endMs);
    expect(known.size).toBe(knownSeries);
    const scrapes = known.get("0") as number[];
    expect(scrapes.length).toBeGreaterThan(5);
    // Each page that was served counts one more than the one before.
    expect(scrapes).toEqual(scrapes.map((_, i) => scrapes[0] + i));
    for (const [i, values] of known) expect(values).toEqual(scrapes.map((value) => value + Number(i)));
    expect(await storedSamples(server)).toBeGreaterThanOrEqual(blown.samples);
  } finally {
    exporter.close();
    await server.kill();
  }
});

test("without a limit all are taken", async () => {
  const server = await startServer("narthex", join(dir, "free"), {
    flags: ["--storage.tsdb.memory-limit=8GiB"],
  });
  try {
    const { samples, failed, cpuSecondsPerMillion } = await blow(server);
    const { VmHWM } = memoryMiB(server.pid);
    const held = (await metricsOf(server)).get("narthex_memory_head_held_bytes") ?? 0;
    console.log(
      `proof 6 without a limit: peak ${VmHWM.toFixed(0)} MiB, ${(held / stormSeries).toFixed(0)} bytes of head a series, ` +
        `${cpuSecondsPerMillion.toFixed(2)} CPU s per million samples`,
    );
    expect(failed).toBe(0);
    expect(samples).toBe(storm.samples);
    expect(VmHWM).toBeLessThan(peakWithoutLimitMiB);
    expect(held / stormSeries).toBeLessThan(400);
    // What a start costs weighs too much at the small size.
    expect(cpuSecondsPerMillion).toBeLessThan(size(4, 1) * cpuSecondsPerMillionMax);
  } finally {
    await server.kill();
  }
});

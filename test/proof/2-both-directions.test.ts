/**
 * Proof 2: a data directory goes back and forth between Narthex and a real Prometheus, and nothing changes.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { havePeers, peer, sharedData } from "../peers/find.ts";
import { keyOf, queryInstant, resultOf } from "../peers/query-api.ts";
import { type AllSamples, compareSamples, remoteRead } from "../peers/remote-read.ts";
import { bitsOf, remoteWrite, staleBits, type WrittenSeries } from "../peers/remote-write.ts";
import { proofSeed, size } from "./size.ts";

const peers = havePeers("proof 2 (Prometheus opens our directory and we its)", "prometheus", "promtool");
const crashed = sharedData("proof 2 (a directory that Prometheus wrote)", "data/prometheus-3.5.3-crashed");
const seriesCount = size(50, 500);
const hours = 9;
const stepMs = size(60_000, 15_000);

/** Lines of a Prometheus log that are warnings or errors, but for the one about the earlier lock file. */
function complaints(log: string): string[] {
  return log
    .split("\n")
    .filter(
      (line) => /level=(WARN|ERROR)/i.test(line) && !line.includes("lockfile from a previous execution"),
    );
}

const key = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort()
    .join(",");

describe.skipIf(!peers)("Narthex → Prometheus", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-2-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("a killed Narthex's blocks, WAL and live head read the same in Prometheus", async () => {
    const random = seededRandom(proofSeed("proof 2"));
    const endMs = Math.floor(Date.now() / 1000) * 1000;
    const startMs = endMs - hours * 3600_000;
    const want: AllSamples = new Map();
    const narthex = await startServer("narthex", dir);
    const values = Array.from({ length: seriesCount }, () => random.uniform() * 1000);
    for (let t = startMs; t < endMs; t += stepMs) {
      const request: WrittenSeries[] = values.map((value, i) => {
        values[i] = value + Math.floor(10 * random.uniform()) + (i % 2) * random.uniform();
        const labels = { __name__: `proof_total`, i: String(i), path: `/é/${i % 5}` };
        // No -0: Prometheus's remote read leaves it out of its protobuf, like 0.
        const kind = random.uniform();
        const bits = kind < 0.01 ? staleBits : kind < 0.02 ? bitsOf(Number.NaN) : bitsOf(values[i]);
        return { labels, samples: [{ t: t + (i % 1000), bits }] };
      });
      const answer = await remoteWrite(narthex.url, request);
      expect(answer).toEqual({ status: 204, text: "" });
      for (const { labels, samples } of request) {
        const points = want.get(key(labels)) ?? [];
        points.push([samples[0].t, samples[0].bits.toString(16).padStart(16, "0")]);
        want.set(key(labels), points);
      }
    }
    const blocks = () => readdirSync(join(dir, "data")).filter((name) => /^[0-9A-Z]{26}$/.test(name));
    await expect.poll(() => blocks().length, { timeout: 90_000, interval: 500 }).toBeGreaterThanOrEqual(3);
    await narthex.kill();

    const copy = `${dir}-copy`;
    cpSync(dir, copy, { recursive: true });
    rmSync(join(copy, "log"));
    const promtool = (...args: string[]) => {
      const run = spawnSync(peer("promtool"), ["tsdb", ...args], { encoding: "utf8", maxBuffer: 2 ** 30 });
      expect(run.stderr, `promtool tsdb ${args[0]}`).toBe("");
      expect(run.status).toBe(0);
      return run.stdout;
    };
    const data = join(copy, "data");
    expect(promtool("list", data).trim().split("\n").length).toBe(blocks().length + 1);
    for (const block of blocks()) expect(promtool("analyze", data, block)).toContain("Total Series");
    expect(promtool("dump", data).trim().split("\n").length).toBe([...want.values()].flat().length);

    const prometheus = await startServer("prometheus", copy);
    try {
      const got = await remoteRead(prometheus.url, startMs - 1000, endMs + 10_000);
      expect(compareSamples(want, got.samples)).toEqual([]);
      expect(complaints(prometheus.log())).toEqual([]);
      console.log(
        `proof 2: ${got.samples.size} series, ${[...want.values()].flat().length} samples, ${blocks().length} blocks`,
      );
    } finally {
      await prometheus.kill();
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!peers || crashed === undefined)("Prometheus → Narthex → Prometheus", () => {
  const everything = '{__name__=~".+"}';
  const from = crashed as string;
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-2-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function copyOfOriginal(name: string): Promise<string> {
    const copy = join(dir, name);
    mkdirSync(copy);
    cpSync(from, join(copy, "data"), { recursive: true });
    return copy;
  }

  test("a crashed Prometheus's directory answers the same, goes on, and loses nothing", async () => {
    const original = await startServer("prometheus", await copyOfOriginal("original"));
    const times = await timeRange(original.url);
    const want = await remoteRead(original.url, times.minMs, times.maxMs);
    expect(want.histograms).toBeGreaterThan(0);
    const floats = await floatNames(original.url, times.maxMs);

    const ours = await copyOfOriginal("ours");
    mkdirSync(join(ours, "data", "chunk_snapshot.000099.0000000001"));
    writeFileSync(join(ours, "data", "chunk_snapshot.000099.0000000001", "00000000"), "");
    writeFileSync(join(ours, "data", "wal", "series_state.json"), "{}");
    const narthex = await startServer("narthex", ours);
    expect(existsSync(join(ours, "data", "chunk_snapshot.000099.0000000001"))).toBe(false);
    expect(existsSync(join(ours, "data", "wal", "series_state.json"))).toBe(false);
    let compared = 0;
    for (const name of floats) {
      const rangeSeconds = Math.ceil((times.maxMs - times.minMs) / 1000) + 1;
      const query = `{__name__=${JSON.stringify(name)}}[${rangeSeconds}s]`;
      const [a, b] = await Promise.all(
        [original, narthex].map(async (server) =>
          resultOf(await queryInstant(server.url, query, times.maxMs / 1000)),
        ),
      );
      const got = new Map(b.map((series) => [keyOf(series.metric), series.values]));
      for (const series of a)
        expect(got.get(keyOf(series.metric)), `${name} ${keyOf(series.metric)}`).toEqual(series.values);
      expect(got.size).toBe(a.length);
      compared += a.length;
    }
    expect(compared).toBeGreaterThan(1000);
    const added = {
      labels: { __name__: "added_by_narthex" },
      samples: [{ t: Date.now(), bits: bitsOf(42) }],
    };
    expect((await remoteWrite(narthex.url, [added])).status).toBe(204);
    await narthex.stop();

    rmSync(join(ours, "log"));
    const again = await startServer("prometheus", ours);
    try {
      const got = await remoteRead(again.url, times.minMs, times.maxMs);
      expect(compareSamples(want.samples, got.samples)).toEqual([]);
      expect(got.histograms).toBe(want.histograms);
      expect(resultOf(await queryInstant(again.url, "added_by_narthex", Date.now() / 1000)).length).toBe(1);
      expect(complaints(again.log())).toEqual([]);
      console.log(
        `proof 2: ${compared} float series equal, ${want.histograms} histogram samples kept (${everything})`,
      );
    } finally {
      await again.kill();
      await original.kill();
    }
  });
});

/** The oldest and newest sample of a server that scrapes nothing. */
async function timeRange(url: string): Promise<{ minMs: number; maxMs: number }> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page)?.[1]);
  return { minMs: read("prometheus_tsdb_lowest_timestamp"), maxMs: read("prometheus_tsdb_head_max_time") };
}

/** The names of all metrics that hold no native histogram anywhere. */
async function floatNames(url: string, endMs: number): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/label/__name__/values`);
  const { data: names } = (await answer.json()) as { data: string[] };
  const kept: string[] = [];
  for (const name of names) {
    const query = `histogram_count(last_over_time({__name__=${JSON.stringify(name)}}[10y]))`;
    if (resultOf(await queryInstant(url, query, endMs / 1000)).length === 0) kept.push(name);
  }
  return kept;
}

// A disk that is really full: the built server on a small tmpfs, under remote write and scrapes. It refuses instead of
// storing by half, answers queries all the while, goes on by itself when there is room, and what it acknowledged is
// there, for us and for a Prometheus.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compressSync } from "snappy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { freePort, startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, encodeWriteRequest } from "../peers/remote-write.ts";

const mib = 1024 * 1024;
const sizeMiB = 48;
const seriesCount = 2000;
const stepMs = 1000;

let home: string;
let data: string;
let mounted = false;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "narthex-full-"));
  data = join(home, "data");
  mkdirSync(data);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "narthex-test", data]);
  mounted = mount.status === 0;
});
afterAll(() => {
  if (mounted) spawnSync("umount", ["--lazy", data]);
  rmSync(home, { recursive: true, force: true });
});

async function metrics(url: string): Promise<Map<string, number>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return new Map([...page.matchAll(/^([^#\s]+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}

async function json<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

const notes = async (url: string) =>
  (await json<{ data: { text: string }[] }>(`${url}/api/v1/notifications`)).data.map(({ text }) => text);

/** Sends step after step; remembers which were acknowledged. */
class Sender {
  readonly startMs: number;
  readonly acknowledged: number[] = [];
  readonly refused: number[] = [];
  retryAfter = "";
  text = "";
  #step = 0;
  readonly #random = seededRandom(7);

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  async send(url: string): Promise<number> {
    const step = this.#step++;
    const t = this.startMs + step * stepMs;
    const series = Array.from({ length: seriesCount }, (_, i) => ({
      labels: { __name__: "m", i: String(i) },
      samples: [{ t, bits: bitsOf(this.#random.uniform()) }],
    }));
    const answer = await fetch(`${url}/api/v1/write`, {
      method: "POST",
      headers: { "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy" },
      body: new Uint8Array(compressSync(encodeWriteRequest(series)) as Buffer),
    });
    const text = await answer.text();
    if (answer.status === 204) this.acknowledged.push(step);
    else {
      expect(answer.status, text).toBe(503);
      this.refused.push(step);
      this.retryAfter = answer.headers.get("retry-after") ?? "";
      this.text = text;
    }
    return answer.status;
  }

  /** Every acknowledged sample is there, and nothing of what was refused. */
  async check(url: string): Promise<void> {
    const end = (this.startMs + this.#step * stepMs) / 1000;
    const rangeSeconds = Math.ceil((this.#step * stepMs) / 1000) + 1;
    const ask = async (query: string) => Number(resultOf(await queryInstant(url, query, end))[0]?.value?.[1]);
    const counts = `count_over_time(m[${rangeSeconds}s])`;
    expect(await ask(`min(${counts})`)).toBe(this.acknowledged.length);
    expect(await ask(`max(${counts})`)).toBe(this.acknowledged.length);
    expect(await ask(`count(${counts})`)).toBe(seriesCount);
    const first = resultOf(await queryInstant(url, `m{i="0"}[${rangeSeconds}s]`, end))[0].values ?? [];
    const steps = first.map(([t]) => Math.round((t * 1000 - this.startMs) / stepMs));
    expect(steps).toEqual(this.acknowledged);
  }
}

/** Every scrape in the storage has as many samples as it says. */
async function checkScrapes(url: string): Promise<number> {
  const series = resultOf(await queryInstant(url, '{job="self"}[10m]', Date.now() / 1000));
  const said = series.find(({ metric }) => metric.__name__ === "scrape_samples_post_metric_relabeling");
  const found = new Map<number, number>();
  for (const { metric, values } of series) {
    if (metric.__name__ === "up" || /^scrape_/.test(metric.__name__)) continue;
    for (const [t] of values ?? []) found.set(t, (found.get(t) ?? 0) + 1);
  }
  const scrapes = said?.values ?? [];
  for (const [t, count] of scrapes) expect(found.get(t), `scrape at ${t}`).toBe(Number(count));
  expect(found.size).toBe(scrapes.length);
  return scrapes.length;
}

test("filled, queried, freed, and on it goes", async ({ skip }) => {
  if (!mounted) {
    console.warn("SKIPPED: a full disk: this user may not mount a tmpfs.");
    skip();
  }
  const port = await freePort();
  const config =
    "scrape_configs: [{job_name: self, scrape_interval: 1s, scrape_timeout: 1s, " +
    `static_configs: [{targets: ["127.0.0.1:${port}"]}]}]\n`;
  const flags = ["--storage.tsdb.wal-segment-size=10MB", "--no-storage.tsdb.wal-compression"];
  const server = await startServer("narthex", home, { config, flags, port });
  const { url } = server;
  const sender = new Sender(Date.now() - 50 * 60_000);
  try {
    await sender.send(url);
    await expect
      .poll(async () => (await metrics(url)).get("narthex_storage_reserve_bytes"), { timeout: 60_000 })
      .toBe(Math.floor(sizeMiB * mib * 0.05));
    // Somebody else takes most of the disk; the write-ahead log takes the rest.
    writeFileSync(join(data, "somebody-else"), new Uint8Array(36 * mib));
    for (let k = 0; k < 2000 && sender.refused.length === 0; k++) await sender.send(url);
    expect(sender.refused.length).toBe(1);
    expect(sender.retryAfter).toBe("5");
    expect(readdirSync(data)).not.toContain("narthex-reserve");

    // While it is full: no sample gets in, every question is answered, everybody can see why.
    for (let k = 0; k < 5; k++) expect(await sender.send(url)).toBe(503);
    expect(sender.text).toMatch(/^The disk that holds .* is full: free at least \d+ MiB/);
    await sender.check(url);
    await expect
      .poll(async () => (await metrics(url)).get("prometheus_target_skipped_scrapes_total"), {
        timeout: 20_000,
      })
      .toBeGreaterThan(2);
    const now = await metrics(url);
    expect(now.get("narthex_storage_writable")).toBe(0);
    expect(now.get('narthex_storage_write_failures_total{type="full"}')).toBe(1);
    expect(now.get("narthex_remote_write_refused_total")).toBe(5);
    expect(await notes(url)).toEqual([expect.stringMatching(/is full/)]);
    expect(await (await fetch(url)).text()).toContain("is full: free at least");
    const targets = await json<{ data: { activeTargets: { lastError: string }[] } }>(`${url}/api/v1/targets`);
    expect(targets.data.activeTargets[0].lastError).toMatch(/^the scrape was skipped\. The disk/);
    await sleep(6000);
    expect(await sender.send(url), "the reserve's room is no room").toBe(503);

    rmSync(join(data, "somebody-else"));
    await expect.poll(async () => sender.send(url), { timeout: 60_000, interval: 500 }).toBe(204);
    for (let k = 0; k < 5; k++) expect(await sender.send(url)).toBe(204);
    expect((await metrics(url)).get("narthex_storage_writable")).toBe(1);
    expect(statSync(join(data, "narthex-reserve")).size).toBe(Math.floor(sizeMiB * mib * 0.05));
    await sender.check(url);
    await sleep(2500);
    expect(await checkScrapes(url)).toBeGreaterThan(5);
    expect(await notes(url)).toEqual([]);
    expect(await server.stop()).toMatchObject({ code: 0 });

    const again = await startServer("narthex", home, { flags });
    await sender.check(again.url);
    await checkScrapes(again.url);
    expect(again.log().split("Starting").at(-1)).not.toMatch(/quarantine|damaged/);
    expect(await again.stop()).toMatchObject({ code: 0 });
    if (!havePeers("a full disk, then Prometheus", "prometheus")) return;
    const prometheus = await startServer("prometheus", home, { flags });
    try {
      await sender.check(prometheus.url);
      await checkScrapes(prometheus.url);
      expect(prometheus.log()).not.toMatch(/corrupt/i);
    } finally {
      await prometheus.kill();
    }
  } finally {
    await server.kill();
  }
});

test("a server that is stopped and started on a full disk", async ({ skip }) => {
  if (!mounted) skip();
  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
  const flags = ["--storage.tsdb.wal-segment-size=10MB", "--no-storage.tsdb.wal-compression"];
  const server = await startServer("narthex", home, { flags });
  const sender = new Sender(Date.now() - 50 * 60_000);
  await sender.send(server.url);
  await expect.poll(() => readdirSync(data), { timeout: 60_000 }).toContain("narthex-reserve");
  try {
    writeFileSync(join(data, "somebody-else"), new Uint8Array(100 * mib));
  } catch {
    // It takes all there is.
  }
  for (let k = 0; k < 1000 && sender.refused.length === 0; k++) await sender.send(server.url);
  // Whatever the reserve gave away is taken as well.
  try {
    writeFileSync(join(data, "more"), new Uint8Array(100 * mib));
  } catch {}
  expect(await server.stop()).toMatchObject({ code: 0 });
  expect(readdirSync(data)).not.toContain("lock");
  const again = await startServer("narthex", home, { flags });
  try {
    await sender.check(again.url);
    expect(await sender.send(again.url)).toBe(503);
    rmSync(join(data, "somebody-else"));
    rmSync(join(data, "more"), { force: true });
    await expect.poll(async () => sender.send(again.url), { timeout: 60_000, interval: 500 }).toBe(204);
    await sender.check(again.url);
  } finally {
    await again.kill();
  }
});

/** What happens in the built server's data directory: snapshots, blocks that somebody puts there, retention. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { havePeers, sharedData } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

const hourMs = 3_600_000;
const now = Date.now();
const sampleCount = 100;
const crashed = sharedData("a head with native histograms", "data/prometheus-3.5.3-crashed");
const peers = havePeers("a snapshot opens in Prometheus", "prometheus");

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;
let snapshot: string;

const values = async (url: string, query: string, timeMs: number) =>
  resultOf(await queryInstant(url, query, timeMs / 1000)).map((series) => series.value?.[1] ?? series.values);
const write = (url: string, name: string, newestMs: number) =>
  remoteWrite(url, [
    {
      labels: { __name__: name, path: "/é" },
      samples: Array.from({ length: sampleCount }, (_, i) => ({
        t: newestMs - (sampleCount - i) * 1000,
        bits: bitsOf(i / 3),
      })),
    },
  ]);
const blocksIn = (path: string) => readdirSync(path).filter((name) => /^[0-9A-Z]{26}$/.test(name));

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-directory-"));
  server = await startServer("narthex", join(dir, "ours"), {
    flags: ["--storage.tsdb.block-reload-interval=1s"],
  });
});
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

test("a snapshot is a data directory of its own", async () => {
  expect(await write(server.url, "m", now)).toEqual({ status: 204, text: "" });
  const snap = async (parameters: string) => {
    const answer = await fetch(`${server.url}/api/v1/admin/tsdb/snapshot${parameters}`, { method: "POST" });
    const { data } = (await answer.json()) as { data: { name: string } };
    return join(dir, "ours/data/snapshots", data.name);
  };
  snapshot = await snap("");
  expect(blocksIn(snapshot)).toHaveLength(1);
  expect(blocksIn(await snap("?skip_head=true"))).toEqual([]);
});

test.skipIf(!peers)("which Prometheus opens without complaint", async () => {
  mkdirSync(join(dir, "theirs"));
  cpSync(snapshot, join(dir, "theirs/data"), { recursive: true });
  const theirs = await startServer("prometheus", join(dir, "theirs"));
  try {
    const all = await values(server.url, "m[5m]", now);
    expect(all[0]).toHaveLength(sampleCount);
    expect(await values(theirs.url, "m[5m]", now)).toEqual(all);
    expect(theirs.log()).not.toMatch(/level=(WARN|ERROR)/);
  } finally {
    await theirs.kill();
  }
});

test("a block that is copied into the directory appears, also where copying takes its time", async () => {
  const other = await startServer("narthex", join(dir, "other"), {
    flags: ["--storage.tsdb.block-reload-interval=1s"],
  });
  try {
    const [name] = blocksIn(snapshot);
    const from = join(snapshot, name);
    const to = join(dir, "other/data", name);
    mkdirSync(to);
    cpSync(join(from, "chunks"), join(to, "chunks"), { recursive: true });
    await expect.poll(() => other.log(), { timeout: 20_000 }).toContain(`block=${name}`);
    expect(await values(other.url, "m", now)).toEqual([]);
    cpSync(from, to, { recursive: true });
    await expect.poll(() => values(other.url, "m", now), { timeout: 20_000 }).toEqual(["33"]);
  } finally {
    await other.kill();
  }
});

test("a retention that a reload shortens deletes blocks, and shows", async () => {
  const home = join(dir, "retention");
  const data = join(home, "data");
  const config = (time: string) => `storage: {tsdb: {retention: {time: ${time}}}}\n`;
  const flags = ["--storage.tsdb.block-reload-interval=1s", "--storage.tsdb.min-block-duration=1h"];
  const retention = await startServer("narthex", home, { flags, config: config("10d") });
  try {
    for (let ageMs = 48 * hourMs; ageMs >= 44 * hourMs; ageMs -= hourMs) {
      expect((await write(retention.url, "old", now - ageMs)).status).toBe(204);
    }
    const [name] = blocksIn(snapshot);
    cpSync(join(snapshot, name), join(data, name), { recursive: true });
    await expect.poll(() => blocksIn(data).length, { timeout: 20_000 }).toBeGreaterThan(1);
    await expect.poll(() => values(retention.url, "m", now), { timeout: 20_000 }).toEqual(["33"]);
    writeFileSync(join(home, "prometheus.yml"), config("1d"));
    expect((await fetch(`${retention.url}/-/reload`, { method: "POST" })).status).toBe(200);
    await expect.poll(() => blocksIn(data), { timeout: 20_000 }).toEqual([name]);
    const info = await fetch(`${retention.url}/api/v1/status/runtimeinfo`);
    expect(await info.text()).toContain('"storageRetention":"1d"');
  } finally {
    await retention.kill();
  }
});

test.skipIf(crashed === undefined)(
  "a head with native histograms is cut into blocks and snapshots",
  async () => {
    const home = join(dir, "histograms");
    mkdirSync(home);
    cpSync(crashed as string, join(home, "data"), { recursive: true });
    const before = blocksIn(join(home, "data"));
    const flags = ["--storage.tsdb.min-block-duration=1m", "--storage.tsdb.block-reload-interval=1s"];
    const server = await startServer("narthex", home, { flags });
    const histograms = async () => {
      const answer = await queryInstant(server.url, '{__name__=~"prometheus_.*"}[10m]', 1795275790);
      return resultOf(answer).filter((series) => series.histograms !== undefined);
    };
    try {
      const all = await histograms();
      expect(all.flatMap((series) => series.histograms ?? []).length).toBeGreaterThan(500);
      const answer = await fetch(`${server.url}/api/v1/admin/tsdb/snapshot`, { method: "POST" });
      expect(answer.status).toBe(200);
      await expect.poll(() => blocksIn(join(home, "data")), { timeout: 20_000 }).not.toEqual(before);
      expect(await histograms()).toEqual(all);
    } finally {
      await server.kill();
    }
  },
);

/**
 * Blocks over their whole life in the built server: cut from the head, compacted level by level, samples deleted and
 * their room freed, retention by size; the answers stay the same, also after `kill -9`, and for a real Prometheus.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findPeer, startServer } from "../../bench/servers.mjs";
import { bytesBelow } from "../../bench/storage/sizes.mjs";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

const minuteMs = 60_000;
/** Blocks of ten minutes grow to thirty and ninety. */
const flags = [
  "--storage.tsdb.min-block-duration=10m",
  "--storage.tsdb.max-block-duration=90m",
  "--storage.tsdb.block-reload-interval=1s",
];
const endMs = Math.floor(Date.now() / (90 * minuteMs)) * 90 * minuteMs;
const minutes = 200;
const stepMs = 15_000;
const hosts = ["a", "b", "c", "d", "e"];
const timeLimit = { timeout: 30_000, interval: 200 };
const peers = havePeers("compacted blocks open in Prometheus", "prometheus", "promtool");

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;

interface Meta {
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: { readonly numTombstones?: number };
  readonly compaction: { readonly level: number };
}

const data = () => join(dir, "ours/data");
const blocks = () => readdirSync(data()).filter((name) => /^[0-9A-Z]{26}$/.test(name));
const metas = () =>
  blocks()
    .map((name): Meta => JSON.parse(readFileSync(join(data(), name, "meta.json"), "utf8")))
    .sort((a, b) => a.minTime - b.minTime);
const start = (config?: string) => startServer("narthex", join(dir, "ours"), { flags, config });

async function all(url: string): Promise<Record<string, readonly (readonly [number, string])[]>> {
  const answer = resultOf(await queryInstant(url, `{__name__=~"m|n"}[${minutes + 60}m]`, endMs / 1000 + 60));
  return Object.fromEntries(
    answer.map(({ metric, values }) => [`${metric["__name__"]} ${metric["host"]}`, values ?? []]),
  );
}

async function admin(path: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/admin/tsdb/${path}`, { method: "POST" });
  expect([answer.status, await answer.text()]).toEqual([204, ""]);
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-compaction-"));
  server = await start();
  for (let t = endMs - minutes * minuteMs; t < endMs; t += 5 * minuteMs) {
    const samples = Array.from({ length: (5 * minuteMs) / stepMs }, (_, i) => ({
      t: t + i * stepMs,
      bits: bitsOf((t / 1000 + i) / 7),
    }));
    const series = ["m", "n"].flatMap((name) =>
      hosts.map((host) => ({ labels: { __name__: name, host }, samples })),
    );
    expect(await remoteWrite(server.url, series)).toEqual({ status: 204, text: "" });
  }
}, 60_000);
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

test("blocks grow level by level, and no answer changes", async () => {
  await expect.poll(() => Math.max(...metas().map(({ compaction }) => compaction.level)), timeLimit).toBe(3);
  await expect.poll(() => metas().length, timeLimit).toBeLessThan(9);
  // Parents are there beside their child until they are deleted.
  const overlaps = () => metas().filter((meta, i, all) => i > 0 && meta.minTime < all[i - 1].maxTime);
  await expect.poll(overlaps, timeLimit).toEqual([]);
  const found = metas();
  expect(found.filter(({ maxTime, minTime }) => maxTime - minTime > 80 * minuteMs).length).toBeGreaterThan(0);
  const answers = await all(server.url);
  expect(Object.keys(answers)).toHaveLength(2 * hosts.length);
  for (const values of Object.values(answers)) expect(values).toHaveLength((minutes * minuteMs) / stepMs);
  const page = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
  expect(Number(/^prometheus_tsdb_compactions_total (\d+)$/m.exec(page)?.[1])).toBeGreaterThan(15);
  expect(page).toMatch(/^prometheus_tsdb_compactions_failed_total 0$/m);
});

test("status/tsdb/blocks lists the blocks as their meta.json does", async () => {
  const answer = await fetch(`${server.url}/api/v1/status/tsdb/blocks`);
  expect(await answer.json()).toEqual({ status: "success", data: { blocks: metas() } });
});

test("status/tsdb of a block", async () => {
  const ask = (name: string) => fetch(`${server.url}/api/v1/status/tsdb?block=${name}`);
  const answer = await ask(blocks()[0]);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    data: {
      headStats: { numSeries: 10, numLabelPairs: 7 },
      seriesCountByMetricName: [{ value: 5 }, { value: 5 }],
    },
  });
  const missing = await ask("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining("there is no block")]);
});

test("deleted samples are gone from blocks and head, at once and after kill -9; the others stay", async () => {
  const before = await all(server.url);
  await admin(`delete_series?match[]=${encodeURIComponent('m{host=~"a|b"}')}&match[]=n{host="c"}`);
  const from = endMs - 100 * minuteMs;
  await admin(`delete_series?match[]=n{host="d"}&start=${from / 1000}`);
  const want = Object.fromEntries(
    Object.entries(before)
      .filter(([key]) => !["m a", "m b", "n c"].includes(key))
      .map(([key, values]) => [key, key === "n d" ? values.filter(([t]) => t * 1000 < from) : values]),
  );
  expect(await all(server.url)).toEqual(want);
  await server.kill();
  server = await start();
  expect(await all(server.url)).toEqual(want);
});

test("clean_tombstones frees their room and changes no answer", async () => {
  const before = await all(server.url);
  const size = blocks().reduce((sum, name) => sum + bytesBelow(join(data(), name)), 0);
  await admin("clean_tombstones");
  expect(metas().every(({ stats }) => (stats.numTombstones ?? 0) === 0)).toBe(true);
  expect(blocks().reduce((sum, name) => sum + bytesBelow(join(data(), name)), 0)).toBeLessThan(0.8 * size);
  expect(await all(server.url)).toEqual(before);
});

test("a retention rule frees what the dry run said, and takes nothing else", async () => {
  const dryRun = async (parameters = "") => {
    const answer = await fetch(`${server.url}/api/v1/admin/tsdb/retention_dry_run${parameters}`);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { data: { freedBytes: number; blocks: readonly object[] } };
    return body.data;
  };
  const freed = async () => {
    const page = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
    return Number(/^narthex_retention_rules_freed_bytes_total (\d+)$/m.exec(page)?.[1]);
  };
  const sizeOfBlocks = () => blocks().reduce((sum, name) => sum + bytesBelow(join(data(), name)), 0);
  const reload = () => fetch(`${server.url}/-/reload`, { method: "POST" });
  const rules = join(dir, "ours/narthex.yml");
  const before = await all(server.url);
  const sizeBefore = sizeOfBlocks();
  expect(await dryRun()).toEqual({ freedBytes: 0, blocks: [] });
  const said = await dryRun(`?match[]=${encodeURIComponent('m{host="e"}')}&time=1m`);
  expect(said.blocks.length).toBeGreaterThan(1);
  expect(await freed()).toBe(0);

  writeFileSync(rules, `tsdb: {retention_rules: [{match: 'm{host="e"', time: 1m}]}\n`);
  expect((await reload()).status).toBe(500);
  writeFileSync(rules, `tsdb: {retention_rules: [{match: 'm{host="e"}', time: 1m}]}\n`);
  expect((await reload()).status).toBe(200);
  await expect.poll(freed, timeLimit).toBe(said.freedBytes);
  await expect.poll(sizeOfBlocks, timeLimit).toBe(sizeBefore - said.freedBytes);
  expect(await dryRun()).toEqual({ freedBytes: 0, blocks: [] });
  const { "m e": old, ...others } = before;
  const { "m e": left, ...untouched } = await all(server.url);
  expect(untouched).toEqual(others);
  expect(left.length).toBeLessThan(old.length);
  expect(left).toEqual(old.slice(-left.length));
  rmSync(rules);
  expect((await reload()).status).toBe(200);
});

test("a server started on a snapshot has everything that was stored", async () => {
  const before = await all(server.url);
  const answer = await fetch(`${server.url}/api/v1/admin/tsdb/snapshot`, { method: "POST" });
  const { data: snapshot } = (await answer.json()) as { data: { name: string } };
  cpSync(join(data(), "snapshots", snapshot.name), join(dir, "backup/data"), { recursive: true });
  const kinds = peers ? (["narthex", "prometheus"] as const) : (["narthex"] as const);
  for (const kind of kinds) {
    cpSync(join(dir, "backup"), join(dir, `backup-${kind}`), { recursive: true });
    const restored = await startServer(kind, join(dir, `backup-${kind}`));
    try {
      expect(await all(restored.url), kind).toEqual(before);
      // It goes on storing where the backup ends.
      const sample = { t: Date.now(), bits: bitsOf(42) };
      const series = [{ labels: { __name__: "new" }, samples: [sample] }];
      expect((await remoteWrite(restored.url, series)).status).toBe(204);
    } finally {
      await restored.kill();
    }
  }
});

test.skipIf(!peers)("Prometheus opens the directory and answers the same", async () => {
  const before = await all(server.url);
  await server.kill();
  mkdirSync(join(dir, "theirs"));
  cpSync(data(), join(dir, "theirs/data"), { recursive: true });
  const listed = spawnSync(findPeer("promtool") as string, ["tsdb", "list", join(dir, "theirs/data")], {
    encoding: "utf8",
  });
  expect([listed.status, listed.stderr]).toEqual([0, ""]);
  const theirs = await startServer("prometheus", join(dir, "theirs"));
  try {
    expect(await all(theirs.url)).toEqual(before);
    expect(
      theirs
        .log()
        .split("\n")
        .filter((line) => /level=(WARN|ERROR)/.test(line) && !/lockfile/.test(line)),
    ).toEqual([]);
  } finally {
    await theirs.kill();
  }
  server = await start();
  expect(await all(server.url)).toEqual(before);
});

test("a retention by size that a reload brings deletes the oldest blocks", async () => {
  // After the last start a checkpoint may still be on its way, which makes the head smaller.
  await sleep(3000);
  const before = blocks().length;
  const sizes = blocks().reduce((sum, name) => sum + bytesBelow(join(data(), name)), 0);
  const head = bytesBelow(join(data(), "wal")) + bytesBelow(join(data(), "chunks_head"));
  const newest = metas().at(-1);
  const limit = Math.ceil((head + sizes / 2) / 1024);
  writeFileSync(join(dir, "ours/prometheus.yml"), `storage: {tsdb: {retention: {size: ${limit}KB}}}\n`);
  expect((await fetch(`${server.url}/-/reload`, { method: "POST" })).status).toBe(200);
  await expect.poll(() => blocks().length, timeLimit).toBeLessThan(before);
  expect(metas().at(-1)).toEqual(newest);
  const page = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
  expect(page).toMatch(/^prometheus_tsdb_size_retentions_total 1$/m);
  expect(page).toContain(`prometheus_tsdb_retention_limit_bytes ${limit * 1024}\n`);
});

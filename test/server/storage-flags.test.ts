// The flags that say how the storage's files are written, honoured by the built server.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "narthex-flags-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const now = Date.now();
const segments = (dir: string) =>
  readdirSync(join(dir, "data", "wal"))
    .filter((name) => /^\d{8}$/.test(name))
    .map((name) => join(dir, "data", "wal", name));

/** `n` requests of 1000 samples each, `stepMs` apart, the last one at `end`. */
async function load(url: string, n: number, stepMs: number, first = 0, end = now): Promise<void> {
  const random = seededRandom(1);
  for (let k = 0; k < n; k++) {
    const t = end - (n - 1 - k) * stepMs;
    const series = Array.from({ length: 1000 }, (_, i) => ({
      labels: { __name__: "m", i: String(first + i), filler: "x".repeat(50) },
      samples: [{ t, bits: bitsOf(random.uniform()) }],
    }));
    const answer = await remoteWrite(url, series);
    if (answer.status !== 204) throw new Error(`${answer.status}: ${answer.text}`);
  }
}

async function metric(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(page)?.[1]);
}

const fsyncs = (url: string) => metric(url, "prometheus_tsdb_wal_fsync_duration_seconds_count");

describe("--storage.tsdb.wal-sync", () => {
  test.each([
    ["segment", 0, 0],
    ["interval", 0, 1],
    ["adaptive", 0, 1],
    ["always", 3, 3],
  ])("%s: %i syncs at once, %i after a second", async (sync, atOnce, later) => {
    const dir = join(root, sync);
    const server = await startServer("narthex", dir, { flags: [`--storage.tsdb.wal-sync=${sync}`] });
    try {
      const before = await fsyncs(server.url);
      await load(server.url, 3, 1000);
      if (sync === "always") expect((await fsyncs(server.url)) - before).toBe(atOnce);
      if (later > 0) {
        await expect.poll(async () => (await fsyncs(server.url)) - before, { timeout: 20_000 }).toBe(later);
      } else {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect((await fsyncs(server.url)) - before).toBe(0);
      }
    } finally {
      await server.kill();
    }
  });

  test("a word that is none is refused, with those that are", async () => {
    const server = await startServer("narthex", join(root, "wrong"), {
      flags: ["--storage.tsdb.wal-sync=sometimes"],
      wait: false,
    });
    expect(await server.exited).toMatchObject({ code: 2 });
    expect(server.log()).toMatch(/segment.*interval.*always.*adaptive/);
  });
});

test("--storage.tsdb.wal-segment-size", async () => {
  const dir = join(root, "segments");
  const server = await startServer("narthex", dir, {
    flags: ["--storage.tsdb.wal-segment-size=10MB", "--no-storage.tsdb.wal-compression"],
  });
  try {
    for (let k = 0; k < 110; k++) await load(server.url, 1, 0, k * 1000);
    const sizes = segments(dir).map((path) => statSync(path).size);
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(10 * 1024 * 1024);
    expect(sizes[0]).toBeGreaterThan(9 * 1024 * 1024);
  } finally {
    await server.kill();
  }
});

test.each([
  ["by default", [], "snappy"],
  ["zstd", ["--storage.tsdb.wal-compression-type=zstd"], "zstd"],
  ["snappy", ["--storage.tsdb.wal-compression-type=snappy"], "snappy"],
  ["none", ["--no-storage.tsdb.wal-compression"], "none"],
])("WAL compression: %s", async (name, flags, want) => {
  const dir = join(root, `compression-${name}`);
  const server = await startServer("narthex", dir, { flags });
  try {
    await load(server.url, 1, 0);
    // Bits 3 and 4 of a fragment's first byte: snappy, zstd.
    const type = readFileSync(segments(dir)[0])[0];
    expect((type & 8) !== 0 ? "snappy" : (type & 16) !== 0 ? "zstd" : "none").toBe(want);
    const page = await (await fetch(`${server.url}/metrics`)).text();
    const saved = [
      ...page.matchAll(/^prometheus_tsdb_wal_record_bytes_saved_total\{compression="(\w+)"\} (.*)$/gm),
    ];
    expect(saved.map((match) => match[1])).toEqual([want]);
    expect(Number(saved[0][2]) > 0).toBe(want !== "none");
  } finally {
    await server.kill();
  }
});

test("--storage.tsdb.max-block-chunk-segment-size", async () => {
  const dir = join(root, "chunks");
  const limit = 1024 * 1024;
  const server = await startServer("narthex", dir, {
    flags: ["--storage.tsdb.max-block-chunk-segment-size=1MB", "--storage.tsdb.min-block-duration=1h"],
  });
  try {
    // From two hours before a full hour on: the first of them becomes a block of 240,000 samples that do not compress.
    const hour = now - (now % 3_600_000);
    await load(server.url, 401, 15_000, 0, hour - 20 * 60_000);
    const blocks = () => readdirSync(join(dir, "data")).filter((name) => /^[0-9A-Z]{26}$/.test(name));
    await expect.poll(() => blocks().length, { timeout: 60_000 }).toBeGreaterThan(0);
    const chunks = join(dir, "data", blocks()[0], "chunks");
    const sizes = readdirSync(chunks).map((name) => statSync(join(chunks, name)).size);
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(limit);
  } finally {
    await server.kill();
  }
});

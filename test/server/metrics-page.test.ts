/** That /metrics has all its families, and that chunks which leave the head are counted as a real Prometheus counts them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { storageFamilies } from "../../src/server/metrics/storage-families.ts";
import { havePeers } from "../peers/find.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

type Server = Awaited<ReturnType<typeof startServer>>;

const peers = havePeers("chunks in /metrics", "prometheus");
const config = "storage: {tsdb: {out_of_order_time_window: 1h}}\n";
const t0 = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 7_200_000;
const stepMs = 15_000;
let dir: string;
let ours: Server;
let theirs: Server | undefined;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-metrics-page-"));
  ours = await startServer("narthex", join(dir, "narthex"), { config });
  if (peers) theirs = await startServer("prometheus", join(dir, "prometheus"), { config });
});
afterAll(async () => {
  await ours.kill();
  await theirs?.kill();
  rmSync(dir, { recursive: true, force: true });
});

const pageOf = async ({ url }: Server) => (await fetch(`${url}/metrics`)).text();

test("every family of the storage is there", async () => {
  const page = await pageOf(ours);
  const missing = storageFamilies("snappy").filter(
    ({ name, type }) => !page.includes(`# TYPE ${name} ${type}\n`),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

/** 30 series of several kinds, 400 samples each; then all of the head as a block. */
async function writeAndSnapshot({ url }: Server): Promise<void> {
  for (let step = 0; step < 400; step += 40) {
    const series = Array.from({ length: 30 }, (_, i) => ({
      labels: { __name__: "observed", i: `${i}` },
      samples: Array.from({ length: 40 }, (_, k) => {
        const at = step + k;
        return {
          t: t0 + at * stepMs,
          bits: bitsOf(i % 3 === 0 ? 1 : i % 3 === 1 ? at * i : Math.sin(at * i)),
        };
      }),
    }));
    expect((await remoteWrite(url, series)).status).toBeLessThan(300);
  }
  const answer = await fetch(`${url}/api/v1/admin/tsdb/snapshot`, { method: "POST" });
  expect(answer.status).toBe(200);
}

/** Lines of a family's samples, with numbers as numbers. */
const linesOf = (page: string, family: string) =>
  page
    .split("\n")
    .filter((line) => line.startsWith(`${family}_`))
    .map((line) => line.replace(/(?<=[" ])[\d.e+]+(?="|$)/g, (text) => String(Number(text))));

const families = ["size_bytes", "samples", "range_seconds"].map(
  (name) => `prometheus_tsdb_compaction_chunk_${name}`,
);

test("chunks of a block that is cut from the head are counted", async () => {
  await writeAndSnapshot(ours);
  const page = await pageOf(ours);
  for (const family of families) {
    const count = Number(new RegExp(`^${family}_count (\\d+)$`, "m").exec(page)?.[1]);
    expect(count).toBeGreaterThanOrEqual(30 * 3);
  }
  expect(page).toMatch(/^prometheus_tsdb_compaction_chunk_samples_sum 12000$/m);
  expect(page).toMatch(/^prometheus_tsdb_isolation_high_watermark [1-9]/m);
});

test.skipIf(!peers)("as in Prometheus, bucket by bucket", async () => {
  await writeAndSnapshot(theirs as Server);
  const [our, their] = await Promise.all([pageOf(ours), pageOf(theirs as Server)]);
  for (const family of families) {
    expect(linesOf(their, family).length).toBeGreaterThan(10);
    expect(linesOf(our, family)).toEqual(linesOf(their, family));
  }
});

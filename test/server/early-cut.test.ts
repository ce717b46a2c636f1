/**
 * Stale series leave the head by a block that is cut early. A real Prometheus that is started on a copy right after that
 * has every sample: those of the block, and those of the WAL behind its end.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

const minute = 60_000;
const hour = 60 * minute;
/** The begin of a block range, so that the times of the blocks are known. */
const t0 = Math.floor(Date.now() / (2 * hour)) * 2 * hour - 4 * hour;
const minutes = 110;
const goneAfter = 30;
const staleBits = 0x7ff0000000000002n;
const peers = havePeers("early cuts open in Prometheus", "prometheus");
const config = "storage: {tsdb: {stale_series_compaction_threshold: 0.4}}\n";

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;

const blocksIn = (path: string) => readdirSync(path).filter((name) => /^[0-9A-Z]{26}$/.test(name));

/** All samples of all series: by labels, times and values as the API prints them. */
async function everything(url: string): Promise<Record<string, readonly unknown[]>> {
  const answer = await queryInstant(url, '{__name__=~"steady|gone"}[6h]', (t0 + 3 * hour) / 1000);
  return Object.fromEntries(
    resultOf(answer).map(({ metric, values }) => [JSON.stringify(metric), values ?? []]),
  );
}

async function headSeries(): Promise<number> {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^prometheus_tsdb_head_series (\S+)/m.exec(page)?.[1]);
}

function write(names: readonly string[], t: number, value: (i: number) => bigint) {
  const series = names.flatMap((name) =>
    Array.from({ length: 10 }, (_, i) => ({
      labels: { __name__: name, i: `${i}` },
      samples: [{ t, bits: value(i) }],
    })),
  );
  return remoteWrite(server.url, series);
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-early-cut-"));
  server = await startServer("narthex", join(dir, "ours"), { config });
  for (let m = 0; m < minutes; m++) {
    const names = m < goneAfter ? ["steady", "gone"] : ["steady"];
    expect((await write(names, t0 + m * minute, (i) => bitsOf(m + i / 10))).status).toBe(204);
    if (m === goneAfter) expect((await write(["gone"], t0 + m * minute, () => staleBits)).status).toBe(204);
  }
});
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

test("a block of all series is cut, aligned and not of the last half range, and the stale ones leave", async () => {
  await expect.poll(headSeries, { timeout: 20_000 }).toBe(10);
  const data = join(dir, "ours/data");
  const metas = blocksIn(data).map((name) => JSON.parse(readFileSync(join(data, name, "meta.json"), "utf8")));
  // One cut or two, depending on when it was looked.
  let end = 0;
  for (const { minTime, maxTime, stats, compaction } of metas) {
    expect((minTime - t0) / minute).toBe(end);
    end = (maxTime - t0) / minute;
    expect(end % 15).toBe(0);
    expect(stats.numSeries).toBe(20);
    expect(compaction.hints).toBeUndefined();
  }
  expect(end).toBe(45);
});

test.skipIf(!peers)("Prometheus, started on a copy right after, misses nothing", async () => {
  const all = await everything(server.url);
  expect(Object.keys(all)).toHaveLength(20);
  expect(Object.values(all).reduce((sum, values) => sum + values.length, 0)).toBe(10 * (minutes + goneAfter));
  mkdirSync(join(dir, "theirs"));
  cpSync(join(dir, "ours/data"), join(dir, "theirs/data"), { recursive: true });
  rmSync(join(dir, "theirs/data/lock"), { force: true });
  const theirs = await startServer("prometheus", join(dir, "theirs"));
  try {
    expect(await everything(theirs.url)).toEqual(all);
  } finally {
    await theirs.kill();
  }
});

test("a series that comes back, and a start after a kill, have everything too", async () => {
  const before = await everything(server.url);
  expect((await write(["gone"], t0 + minutes * minute, (i) => bitsOf(1000 + i))).status).toBe(204);
  await server.kill();
  server = await startServer("narthex", join(dir, "ours"), { config });
  const after = await everything(server.url);
  for (const [labels, values] of Object.entries(before)) {
    const isGone = labels.includes('"gone"');
    expect(after[labels]).toHaveLength(values.length + (isGone ? 1 : 0));
    expect(after[labels].slice(0, values.length)).toEqual(values);
  }
});

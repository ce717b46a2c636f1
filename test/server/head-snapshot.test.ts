/**
 * Starts from a head snapshot, with the real server and a real kill -9: floats and native histograms, more than once, and
 * with a real Prometheus on the same directory in between.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { Histogram } from "../../src/model/histogram.ts";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite, staleBits } from "../peers/remote-write.ts";

type Server = Awaited<ReturnType<typeof startServer>>;

const peers = havePeers("head snapshots and Prometheus", "prometheus");
const stepMs = 15_000;
const count = 20;
/** The next step that is written. */
let step = 0;
let t0: number;
let dir: string;
const flags = ["--storage.tsdb.head-snapshot-interval=1s"];
/** Steps after which every sample was acknowledged, as the API printed it. */
let before: Record<string, unknown[]> = {};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-head-snapshot-"));
  t0 = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function histogramAt(i: number, at: number): Histogram {
  const low = i + at;
  return new Histogram({
    isFloat: false,
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: at,
    count: at + low + 2 * low,
    sum: at * 1.5 + i,
    positiveSpans: [{ offset: at % 40 < 20 ? 0 : -1, length: 2 }],
    positiveBuckets: Float64Array.of(low, 2 * low),
  });
}

async function write(server: Server, steps: number) {
  for (const end = step + steps; step < end; step++) {
    const t = t0 + step * stepMs;
    const series = Array.from({ length: count }, (_, i) => [
      {
        labels: { __name__: "f", i: `${i}` },
        samples: [{ t, bits: step % 17 === i ? staleBits : bitsOf(step / (i + 1)) }],
      },
      {
        labels: { __name__: "h", i: `${i}` },
        samples: [],
        histograms: [{ t, histogram: histogramAt(i, step) }],
      },
    ]).flat();
    expect(await remoteWrite(server.url, series)).toEqual({ status: 204, text: "" });
  }
}

/** All samples, in the API's words, by labels. */
async function everything(server: Server): Promise<Record<string, unknown[]>> {
  const answer = await queryInstant(server.url, '{__name__=~"f|h"}[3h]', (t0 + 3_600_000) / 1000);
  const found: Record<string, unknown[]> = {};
  for (const { metric, values = [], histograms = [] } of resultOf(answer)) {
    found[`${metric.__name__}${metric.i}`] = [...values, ...histograms];
  }
  return found;
}

async function metric(server: Server, name: string): Promise<number> {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(page)?.[1]);
}

const snapshotSeries = (server: Server) => metric(server, "narthex_head_snapshot_loaded_series");

const snapshots = (server: Server) => metric(server, "narthex_head_snapshots_total");

/** Writes these steps and waits for a snapshot that was taken meanwhile or afterwards. */
async function writeUntilSnapshot(server: Server, steps: number) {
  const before = await snapshots(server);
  await write(server, steps);
  await expect.poll(() => snapshots(server), { timeout: 30_000, interval: 200 }).toBeGreaterThan(before);
}

test("a killed server starts from the snapshot and the end of the log, again and again", async () => {
  for (let round = 0; round < 3; round++) {
    const server = await startServer("narthex", dir, { flags });
    try {
      expect(await snapshotSeries(server)).toBe(round === 0 ? 0 : 2 * count);
      expect(await everything(server)).toEqual(before);
      // Chunks are full in between (120 samples), before the snapshot and after it.
      await writeUntilSnapshot(server, 35);
      await write(server, 25);
      before = await everything(server);
      expect(Object.keys(before)).toHaveLength(2 * count);
      for (const i of [0, count - 1]) expect(before[`h${i}`]).toHaveLength(step);
    } finally {
      await server.kill();
    }
  }
});

test.skipIf(!peers)(
  "where a Prometheus was there in between it is discarded, and nothing is missing",
  async () => {
    const theirs = await startServer("prometheus", dir, { flags: ["--enable-feature=native-histograms"] });
    try {
      const found = await everything(theirs);
      expect(Object.keys(found).sort()).toEqual(Object.keys(before).sort());
      for (const [name, samples] of Object.entries(before)) expect(found[name], name).toEqual(samples);
      await write(theirs, 10);
      before = await everything(theirs);
    } finally {
      await theirs.kill();
    }
    expect(existsSync(join(dir, "data/head_snapshot/head")), "Prometheus leaves the directory alone").toBe(
      true,
    );

    const ours = await startServer("narthex", dir, { flags });
    try {
      expect(await snapshotSeries(ours)).toBe(0);
      expect(ours.log()).toContain("The head snapshot is not used");
      expect(await everything(ours)).toEqual(before);
      await writeUntilSnapshot(ours, 5);
      before = await everything(ours);
    } finally {
      await ours.kill();
    }
    const again = await startServer("narthex", dir, { flags });
    try {
      expect(await snapshotSeries(again)).toBe(2 * count);
      expect(await everything(again)).toEqual(before);
    } finally {
      await again.stop();
    }
  },
);

/**
 * Proof 3: seeded random remote-write sequences sent to Narthex and to a real Prometheus end in the same status codes
 * and, bit for bit, in the same samples. Narthex's samples are read by starting Prometheus on its data directory.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { compareSamples, remoteRead } from "../peers/remote-read.ts";
import { bitsOf, remoteWrite, staleBits, type WrittenSeries } from "../peers/remote-write.ts";
import { proofSeed, size } from "./size.ts";

const sequences = size(3, 200);
const requestsPerSequence = 50;
const seriesPerSequence = 500;
const peers = havePeers("proof 3 (remote write against Prometheus)", "prometheus");

type Random = ReturnType<typeof seededRandom>;
type Server = Awaited<ReturnType<typeof startServer>>;

const specials = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Infinity,
  -Infinity,
  5e-324,
  Number.MAX_VALUE,
  2 ** 53 + 2,
  0.1,
].map(bitsOf);

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.uniform() * list.length)];
}

/** One sequence: requests over the same series, mostly in order, with everything that can go wrong now and then. */
function makeSequence(random: Random, sequence: number, nowMs: number): WrittenSeries[][] {
  const series = Array.from({ length: seriesPerSequence }, (_, i) => ({
    __name__: `proof_${sequence}_${i % 7}`,
    instance: `host-${i}`,
    ...(i % 3 === 0 ? { zone: "ä" } : {}),
  }));
  const last = new Map<number, { t: number; bits: bigint }>();
  let clock = nowMs - requestsPerSequence * 15_000;
  return Array.from({ length: requestsPerSequence }, () => {
    clock += 15_000;
    // Some requests are clean, some hold one bad sample: a bad one must roll back all of its request.
    const mishaps = random.uniform() < 0.25 ? 0.01 : 0;
    const request: WrittenSeries[] = [];
    for (const [i, labels] of series.entries()) {
      if (random.uniform() < 0.3) continue;
      const samples = [makeSample(random, clock + (i % 50), last.get(i), mishaps)];
      while (random.uniform() < 0.1)
        samples.push(makeSample(random, clock + (i % 50) + samples.length * 100, last.get(i), mishaps));
      if (random.uniform() < 0.02) samples.reverse();
      last.set(i, samples[samples.length - 1]);
      request.push({ labels, samples });
    }
    return request;
  });
}

function makeSample(
  random: Random,
  t: number,
  last: { t: number; bits: bigint } | undefined,
  mishaps: number,
) {
  const kind = random.uniform();
  if (last !== undefined && kind < mishaps) {
    const past = pick(random, [last.t - 1, last.t - 30_000, last.t - 2 * 3600_000, t + 3600_000, last.t]);
    return { t: past, bits: bitsOf(random.uniform()) };
  }
  if (last !== undefined && kind < 0.03) return last; // the very same again
  if (kind < 0.05) return { t, bits: staleBits };
  if (kind < 0.1) return { t, bits: pick(random, specials) };
  if (kind < 0.5) return { t, bits: bitsOf(Math.floor(random.uniform() * 1000)) };
  return { t, bits: bitsOf(random.gauss() * 1e6) };
}

describe.skipIf(!peers)("remote write, against a real Prometheus", () => {
  let dir: string;
  let narthex: Server;
  let prometheus: Server;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-3-"));
    narthex = await startServer("narthex", join(dir, "narthex"));
    prometheus = await startServer("prometheus", join(dir, "prometheus"));
  });
  afterAll(async () => {
    await Promise.all([narthex?.kill(), prometheus?.kill()]);
    rmSync(dir, { recursive: true, force: true });
  });

  test(`${sequences} sequences of ${requestsPerSequence} requests over ${seriesPerSequence} series`, async () => {
    const random = seededRandom(proofSeed("proof 3"));
    const nowMs = Date.now();
    const statuses = new Map<string, number>();
    for (let sequence = 0; sequence < sequences; sequence++) {
      const restartAt = Math.floor(random.uniform() * requestsPerSequence);
      for (const [i, request] of makeSequence(random, sequence, nowMs).entries()) {
        if (i === restartAt && sequence % 20 === 0)
          [narthex, prometheus] = await restartBoth(dir, narthex, prometheus);
        const [want, got] = await Promise.all([
          remoteWrite(prometheus.url, request),
          remoteWrite(narthex.url, request),
        ]);
        expect(
          got.status,
          `sequence ${sequence}, request ${i}: Prometheus said ${want.text}, Narthex ${got.text}`,
        ).toBe(want.status);
        statuses.set(`${got.status}`, (statuses.get(`${got.status}`) ?? 0) + 1);
      }
    }
    console.log(`proof 3: statuses ${JSON.stringify(Object.fromEntries(statuses))}`);
    expect(statuses.get("400") ?? 0).toBeGreaterThan(0);
    expect(statuses.get("204") ?? 0).toBeGreaterThan(statuses.get("400") ?? 0);

    const want = await remoteRead(prometheus.url, nowMs - 10 * 3600_000, nowMs + 10 * 3600_000);
    await narthex.stop();
    cpSync(join(dir, "narthex"), join(dir, "narthex-read"), { recursive: true });
    const reader = await startServer("prometheus", join(dir, "narthex-read"));
    try {
      const got = await remoteRead(reader.url, nowMs - 10 * 3600_000, nowMs + 10 * 3600_000);
      expect(compareSamples(want.samples, got.samples)).toEqual([]);
      const count = [...got.samples.values()].reduce((sum, points) => sum + points.length, 0);
      console.log(`proof 3: ${got.samples.size} series, ${count} samples equal bit for bit`);
      expect(count).toBeGreaterThan(sequences * 1000);
    } finally {
      await reader.kill();
    }
  });
});

/** Kills both and starts them again on their directories. */
async function restartBoth(dir: string, narthex: Server, prometheus: Server): Promise<[Server, Server]> {
  await Promise.all([narthex.kill(), prometheus.kill()]);
  return Promise.all([
    startServer("narthex", join(dir, "narthex")),
    startServer("prometheus", join(dir, "prometheus")),
  ]) as Promise<[Server, Server]>;
}

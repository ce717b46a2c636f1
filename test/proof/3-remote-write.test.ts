/**
 * Proof 3: seeded random remote-write sequences sent to Narthex and to a real Prometheus end in the same status codes
 * and, bit for bit, in the same samples; with and without a window for samples that come out of order. Narthex's samples
 * are read by starting Prometheus on its data directory, and Narthex reads Prometheus's.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { keyOf, queryInstant, resultOf } from "../peers/query-api.ts";
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
function makeSequence(random: Random, sequence: number, nowMs: number, isLate: boolean): WrittenSeries[][] {
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
    const mix = {
      isLate,
      mishaps: random.uniform() < 0.25 ? 0.01 : 0,
      late: isLate && random.uniform() < 0.7 ? 0.2 : 0,
    };
    const request: WrittenSeries[] = [];
    for (const [i, labels] of series.entries()) {
      if (random.uniform() < 0.3) continue;
      const samples = [makeSample(random, clock + (i % 50), last.get(i), mix)];
      while (random.uniform() < 0.1)
        samples.push(makeSample(random, clock + (i % 50) + samples.length * 100, last.get(i), mix));
      if (random.uniform() < 0.02) samples.reverse();
      last.set(i, samples[samples.length - 1]);
      request.push({ labels, samples });
    }
    return request;
  });
}

/** How much of what a request has. */
interface Mix {
  readonly isLate: boolean;
  readonly mishaps: number;
  readonly late: number;
}

function makeSample(
  random: Random,
  t: number,
  last: { t: number; bits: bigint } | undefined,
  { isLate, mishaps, late }: Mix,
) {
  if (last !== undefined && random.uniform() < late) return lateSample(random, t, last.t);
  const kind = random.uniform();
  if (last !== undefined && kind < mishaps) {
    // Where both are stored, which of two values at one time a query shows is left to chance.
    const within = isLate ? [] : [last.t - 1, last.t - 30_000, last.t];
    const past = pick(random, [...within, last.t - 2 * 3600_000, t + 3600_000]);
    return { t: past, bits: bitsOf(random.uniform()) };
  }
  if (last !== undefined && kind < 0.03) return last; // the very same again
  if (kind < 0.05) return { t, bits: staleBits };
  if (kind < 0.1) return { t, bits: pick(random, specials) };
  if (kind < 0.5) return { t, bits: bitsOf(Math.floor(random.uniform() * 1000)) };
  return { t, bits: bitsOf(random.gauss() * 1e6) };
}

/** Within 100 ms the others lie before the 50th: a late sample never meets one of them, or another value. */
function lateSample(random: Random, t: number, last: number) {
  const past = pick(random, [last - 100, last - 60_000 * random.uniform(), t - 17 * 60_000]);
  const slot = Math.floor(past / 100);
  return { t: slot * 100 + 60, bits: slot % 20 === 0 ? staleBits : bitsOf(slot % 9) };
}

const windows = [
  { name: "in order only", config: "" },
  { name: "with a window of 30 minutes", config: "storage: {tsdb: {out_of_order_time_window: 30m}}\n" },
];

describe.skipIf(!peers).each(windows)(
  "remote write, against a real Prometheus, $name",
  ({ name, config }) => {
    const isLate = config !== "";
    let dir: string;
    let narthex: Server;
    let prometheus: Server;

    const startBoth = async () => {
      [narthex, prometheus] = await Promise.all([
        startServer("narthex", join(dir, "narthex"), { config }),
        startServer("prometheus", join(dir, "prometheus"), { config }),
      ]);
    };
    const killBoth = () => Promise.all([narthex?.kill(), prometheus?.kill()]);

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "narthex-proof-3-"));
      await startBoth();
    });
    afterAll(async () => {
      await killBoth();
      rmSync(dir, { recursive: true, force: true });
    });

    test(`${sequences} sequences of ${requestsPerSequence} requests over ${seriesPerSequence} series`, async () => {
      const random = seededRandom(proofSeed(`proof 3, ${name}`));
      const nowMs = Math.floor(Date.now() / 100) * 100;
      const statuses = new Map<string, number>();
      for (let sequence = 0; sequence < sequences; sequence++) {
        const restartAt = Math.floor(random.uniform() * requestsPerSequence);
        for (const [i, request] of makeSequence(random, sequence, nowMs, isLate).entries()) {
          if (i === restartAt && sequence % 20 === 0) {
            await killBoth();
            await startBoth();
          }
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

      const [ours, theirs] = [await lateSamples(narthex.url), await lateSamples(prometheus.url)];
      console.log(`proof 3: ${ours} samples out of order since the restart, ${theirs} in Prometheus`);
      // Behind a newer sample in one request Prometheus also takes a copy of the newest sample that it had before.
      expect(ours).toBeLessThanOrEqual(theirs);
      expect(ours).toBeGreaterThanOrEqual(0.95 * theirs);
      expect(ours > 100).toBe(isLate);

      const want = await remoteRead(prometheus.url, nowMs - 10 * 3600_000, nowMs + 10 * 3600_000);
      const shown = await shownSamples(prometheus.url, nowMs);
      expect(await shownSamples(narthex.url, nowMs)).toEqual(shown);
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
      await prometheus.kill();
      cpSync(join(dir, "prometheus"), join(dir, "prometheus-read"), { recursive: true });
      const back = await startServer("narthex", join(dir, "prometheus-read"));
      try {
        expect(await shownSamples(back.url, nowMs)).toEqual(shown);
      } finally {
        await back.kill();
      }
    });
  },
);

async function lateSamples(url: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const line = /^prometheus_tsdb_head_out_of_order_samples_appended_total\{type="float"\} (\S+)/m;
  return Number(line.exec(page)?.[1]);
}

/** The samples of the first sequence that a query shows, by labels: all but stale markers. */
async function shownSamples(url: string, nowMs: number): Promise<Record<string, unknown>> {
  const answer = await queryInstant(url, '{__name__=~"proof_0_.*"}[10h]', (nowMs + 5 * 3600_000) / 1000);
  return Object.fromEntries(resultOf(answer).map(({ metric, values }) => [keyOf(metric), values]));
}

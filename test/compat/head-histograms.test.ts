/** Native histograms of the head, in both directions between Narthex and a real Prometheus. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { silentLogger } from "../../src/base/env.ts";
import { Labels } from "../../src/model/labels.ts";
import { setStale } from "../../src/model/value.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { loadCodecs } from "../../src/node/codecs.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { Outcome } from "../../src/storage/appender.ts";
import { Db } from "../../src/tsdb/db.ts";
import { histogram, type Shape } from "../head/histograms.ts";
import { havePeers, peer, sharedData } from "../peers/find.ts";
import { type ApiAnswer, keyOf, queryInstant, queryRange, resultOf } from "../peers/query-api.ts";

const peers = havePeers("native histograms both ways", "prometheus", "promtool");
const crashed = sharedData("native histograms of a real Prometheus", "data/prometheus-3.5.3-crashed");
const nativeHistograms = { flags: ["--enable-feature=native-histograms"] };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-histograms-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Series by labels, so that the order does not matter. */
function byLabels(answer: ApiAnswer): Record<string, unknown> {
  return Object.fromEntries(resultOf(answer).map((series) => [keyOf(series.metric), series]));
}

/** What can be asked of histograms. */
const queriesOf = (name: string): string[] => [
  name,
  `count_over_time(${name}[1m])`,
  `present_over_time(${name}[1m])`,
  `last_over_time(${name}[1m])`,
  `last_over_time(${name}[1m] offset 1m)`,
  `last_over_time(${name}[1m:10s])`,
  `changes(${name}[1m])`,
  `resets(${name}[5m])`,
  `timestamp(${name})`,
  `absent(${name})`,
  `absent_over_time(${name}[1m])`,
  `count(${name})`,
  `group by (job) (${name})`,
  `histogram_count(${name})`,
  `histogram_sum(${name}) / histogram_count(${name})`,
  `histogram_avg(${name})`,
  `label_replace(${name}, "x", "$1", "job", "(.*)")`,
  `label_join(${name}, "x", "-", "job", "instance")`,
  `${name} and on (instance) up`,
  `${name} or up`,
  `${name} unless up`,
  `${name} @ end()`,
  `topk(3, ${name})`,
  `sort(${name})`,
  `abs(${name})`,
  `max(${name})`,
  `max_over_time(${name}[1m])`,
  `scalar(${name})`,
];

async function expectSameAnswers(ours: string, theirs: string, ask: (url: string) => Promise<ApiAnswer>) {
  const [got, want] = await Promise.all([ask(ours), ask(theirs)]);
  const series = byLabels(want);
  expect(byLabels(got)).toEqual(series);
  return JSON.stringify(series).split('"count"').length - 1;
}

test.skipIf(!peers || crashed === undefined)(
  "a directory of a killed Prometheus answers like the original",
  async () => {
    for (const name of ["original", "ours"]) {
      mkdirSync(join(dir, name));
      cpSync(crashed as string, join(dir, name, "data"), { recursive: true });
    }
    const theirs = await startServer("prometheus", join(dir, "original"), nativeHistograms);
    const ours = await startServer("narthex", join(dir, "ours"));
    try {
      const page = await (await fetch(`${theirs.url}/metrics`)).text();
      const end = Number(/^prometheus_tsdb_head_max_time (\S+)$/m.exec(page)?.[1]) / 1000;
      let histograms = 0;
      for (let t = end; t > end - 900; t -= 60) {
        const everything = (url: string) => queryInstant(url, '{__name__=~".+"}[60s]', t);
        histograms += await expectSameAnswers(ours.url, theirs.url, everything);
      }
      expect(histograms).toBeGreaterThan(1000);
      const shown = resultOf(await queryInstant(theirs.url, '{__name__=~"prometheus_.*"}', end));
      const names = new Set(shown.filter((one) => "histogram" in one).map(({ metric }) => metric.__name__));
      expect(names.size).toBeGreaterThan(2);
      const different: string[] = [];
      for (const query of [...names].slice(0, 4).flatMap(queriesOf)) {
        const ask = (url: string) => queryRange(url, query, end - 300, end, 15);
        await expectSameAnswers(ours.url, theirs.url, ask).catch((error) => {
          different.push(`${query}: ${error.message.slice(0, 1000)}`);
        });
      }
      expect(different).toEqual([]);
      const { body } = await queryInstant(ours.url, `rate(${[...names][0]}[1m])`, end);
      expect(body.error).toMatch(/the function "rate" on native histograms is not supported yet/);
    } finally {
      await theirs.kill();
      await ours.kill();
    }
  },
  300_000,
);

/** Five hours of series of all kinds, and of series that change from one kind to another. */
async function writeHistograms(path: string, startMs: number, endMs: number): Promise<number> {
  const env = {
    fs: nodeFs,
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    codecs: await loadCodecs(),
  };
  const db = new Db(env, path, {
    blockRangeMs: 7_200_000,
    samplesPerChunk: 120,
    walSegmentBytes: 4 << 20,
    walCompression: "snappy",
    walSync: "segment",
    exemplarsMax: 0,
  });
  const kinds: Record<string, Shape> = {
    integer: {},
    float: { isFloat: true },
    gauge: { gauge: true },
    gauge_float: { isFloat: true, gauge: true },
    custom: { bounds: [0.005, 0.1, 1.5, 2, 10, 1e6, 1e7] },
    custom_float: { isFloat: true, bounds: [0.1, 0.25, 3, 4, 5, 6] },
    fine: { schema: 8 },
    coarse: { schema: -4 },
  };
  const { appender } = db;
  const counts: Record<string, Record<number, number>> = {};
  let written = 0;
  for (let t = startMs, step = 0; t <= endMs; t += 30_000, step++) {
    Object.entries(kinds).forEach(([kind, shape], k) => {
      for (const name of [`h_${kind}`, "h_mixed"]) {
        const ref = appender.series(Labels.of({ __name__: name, kind: name === "h_mixed" ? "" : kind }));
        const turn = Math.floor(step / 7) % Object.keys(kinds).length;
        if (name === "h_mixed" && turn !== k) continue;
        if (step % 97 === 50 || (name === "h_mixed" && step % 7 === 3)) {
          const values = new Float64Array(1);
          if (step % 97 === 50) setStale(values, 0);
          else values[0] = step / 3;
          const outcomes = new Uint8Array(1);
          appender.append(Uint32Array.of(ref), Float64Array.of(t), values, 1, outcomes);
          expect(outcomes[0]).toBe(Outcome.ok);
        } else {
          const buckets = step % 150 === 0 ? {} : (counts[name + kind] ?? {});
          counts[name + kind] = buckets;
          const indexMax = shape.bounds === undefined ? 6 + Math.floor(step / 40) : shape.bounds.length;
          const index = (step * 7 + k) % indexMax;
          buckets[index] = (buckets[index] ?? 0) + ((step * 31) % 17) * (shape.isFloat ? 0.5 : 1);
          if (shape.gauge && step % 5 === 0) delete buckets[(index + 1) % indexMax];
          expect(appender.appendHistogram(ref, t, histogram(buckets, shape))).toBe(Outcome.ok);
        }
        written++;
      }
    });
    appender.commit();
  }
  // Not closed: as after a kill, but for what the chunk files have not flushed.
  return written;
}

test.skipIf(!peers)(
  "what we append, cut into blocks and leave behind when killed reads the same in Prometheus",
  async () => {
    const endMs = Math.floor(Date.now() / 1000) * 1000;
    const startMs = endMs - 5 * 3_600_000;
    const home = join(dir, "written");
    const written = await writeHistograms(join(home, "data"), startMs, endMs);
    const everything = (url: string) => queryInstant(url, '{__name__=~"h_.*"}[6h]', endMs / 1000);
    const blocks = () => readdirSync(join(home, "data")).filter((name) => /^[0-9A-Z]{26}$/.test(name));

    // The WAL and chunks_head of before anything was cut, in the real one.
    const early = join(dir, "early");
    cpSync(home, early, { recursive: true });
    const fresh = await startServer("prometheus", early, nativeHistograms);
    const ours = await startServer("narthex", home, { flags: ["--storage.tsdb.block-reload-interval=1s"] });
    try {
      await expectSameAnswers(ours.url, fresh.url, everything);
      expect(fresh.log()).not.toMatch(/level=(WARN|ERROR)/i);
      await expect.poll(() => blocks().length, { timeout: 60_000 }).toBeGreaterThan(0);
      const histograms = await expectSameAnswers(ours.url, fresh.url, everything);
      expect(histograms).toBeGreaterThan(written / 2);
    } finally {
      await fresh.kill();
      await ours.kill();
    }

    for (const block of blocks()) {
      const run = spawnSync(peer("promtool"), ["tsdb", "analyze", join(home, "data"), block], {
        encoding: "utf8",
      });
      expect([run.status, run.stderr]).toEqual([0, ""]);
    }
    const copy = join(dir, "copy");
    cpSync(home, copy, { recursive: true });
    rmSync(join(copy, "log"));
    const theirs = await startServer("prometheus", copy, nativeHistograms);
    const again = await startServer("narthex", home);
    try {
      await expectSameAnswers(again.url, theirs.url, everything);
      const complaints = theirs
        .log()
        .split("\n")
        .filter((line) => /level=(WARN|ERROR)/i.test(line) && !line.includes("lockfile"));
      expect(complaints).toEqual([]);
      console.log(`histograms both ways: ${written} samples, ${blocks().length} blocks`);
    } finally {
      await theirs.kill();
      await again.kill();
    }
  },
  300_000,
);

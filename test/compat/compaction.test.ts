// Compaction beside a real Prometheus: both compact copies of one directory. Plan, meta.json and chunk files must be the
// same, these byte for byte; the index says the same (3.5 still writes sections of label indices, which nobody reads).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { silentLogger } from "../../src/base/env.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { compactBlocks } from "../../src/tsdb/compact/compact-blocks.ts";
import { deleteSamples } from "../../src/tsdb/compact/delete-samples.ts";
import { blockRanges, planCompactions } from "../../src/tsdb/compact/plan.ts";
import { deleteObsoleteBlocks } from "../../src/tsdb/compact/retention.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { havePeers, peer } from "../peers/find.ts";
import { chunkSource, type TestSeries } from "../tsdb/chunk-series.ts";

const peers = havePeers("compaction beside a real Prometheus", "prometheus", "promtool");
const hourMs = 3_600_000;
/** A multiple of 18 h, so that the ranges of 6 h and 18 h begin here. */
const beginMs = 18 * hourMs * 26_000;
/** Prometheus begins a minute after its start. */
const promptMs = 150_000;
const seed = 20261128;

const env = {
  fs: nodeFs,
  clock: nodeClock,
  random: nodeRandom,
  cache: new PageCache(4 << 20),
  logger: silentLogger,
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-compat-compaction-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Some of twelve series, each with its own gaps, over [from, to) hours. */
function write(data: string, random: SeededRandom, from: number, to: number, phaseMs = 0): void {
  const series: TestSeries[] = [];
  for (let i = 0; i < 12; i++) {
    if (random.u32() % 4 === 0) continue;
    const samples: [number, number][] = [];
    for (let t = from * hourMs + phaseMs; t < to * hourMs; t += 30_000) {
      if (random.u32() % 10 > 0) samples.push([beginMs + t, random.u32() % 1000]);
    }
    series.push({ labels: { __name__: `m${i % 3}`, i: String(i), ü: "ä" }, samples });
  }
  const range = { mint: beginMs + from * hourMs, maxt: beginMs + to * hourMs };
  if (writeBlock(env, data, chunkSource(series), range) === undefined) throw new Error("an empty block");
}

const names = (data: string) => readdirSync(data).filter((name) => /^[0-9A-Z]{26}$/.test(name));

/** What each block is, apart from the names of the compacted ones. */
function described(data: string): object[] {
  return names(data)
    .map((name) => {
      const hash = (file: string) =>
        createHash("sha256")
          .update(readFileSync(join(data, name, file)))
          .digest("hex");
      const { minTime, maxTime, stats, compaction } = JSON.parse(
        readFileSync(join(data, name, "meta.json"), "utf8"),
      );
      const segments = readdirSync(join(data, name, "chunks")).map((file) => hash(`chunks/${file}`));
      const { level, sources, hints } = compaction;
      // What kind the samples are of, 3.5 says only of blocks cut from the head.
      const { numSamples, numSeries, numChunks, numTombstones } = stats;
      const counts = { numSamples, numSeries, numChunks, numTombstones };
      return { minTime, maxTime, counts, level, sources, hints, segments };
    })
    .sort((a, b) => a.minTime - b.minTime);
}

/** As the server does it, until there is nothing more to do. Returns how many compactions that were. */
function compactHere(data: string): number {
  const ranges = blockRanges(2 * hourMs, 31 * 24 * hourMs);
  for (let count = 0; ; count++) {
    const set = BlockSet.open(env, data);
    const [group] = planCompactions(set.blocks, ranges);
    if (group === undefined) return count;
    compactBlocks(env, data, group, {});
    set.reload();
    deleteObsoleteBlocks(env, data, set, { timeMs: 0, sizeBytes: 0, headBytes: 0 }, join(data, "quarantine"));
    set.close();
  }
}

/** Has both compact, compares. */
async function compareCompaction(name: string, prepare: (data: string, random: SeededRandom) => void) {
  const theirs = join(dir, `${name}-theirs`);
  const ours = join(dir, `${name}-ours`);
  mkdirSync(join(theirs, "data/wal"), { recursive: true });
  prepare(join(theirs, "data"), new SeededRandom(seed));
  cpSync(theirs, ours, { recursive: true });
  const before = names(join(ours, "data"));
  expect(compactHere(join(ours, "data")), `seed ${seed}`).toBeGreaterThan(0);
  const want = described(join(ours, "data"));
  expect(names(join(ours, "data")).sort()).not.toEqual(before.sort());
  const server = await startServer("prometheus", theirs, {});
  try {
    await expect
      .poll(() => described(join(theirs, "data")), { timeout: promptMs, interval: 500 })
      .toEqual(want);
  } finally {
    await server.stop();
  }
  expect(promtool("dump", join(ours, "data")), `seed ${seed}`).toBe(promtool("dump", join(theirs, "data")));
  expect(analyzed(join(ours, "data"))).toEqual(analyzed(join(theirs, "data")));
}

/** What the indices say: series, labels and their cardinalities; in any order, as equal counts come in any. */
function analyzed(data: string): string[] {
  return names(data)
    .map((name) => promtool("analyze", data, name).split("\n").slice(1).sort().join("\n"))
    .sort();
}

function promtool(...args: string[]): string {
  const run = spawnSync(peer("promtool"), ["tsdb", ...args], { encoding: "utf8", maxBuffer: 2 ** 30 });
  expect([run.status, run.stderr], args.join(" ")).toEqual([0, ""]);
  return run.stdout;
}

test.skipIf(!peers).concurrent("aligned blocks, two levels", { timeout: 200_000 }, () =>
  compareCompaction("aligned", (data, random) => {
    for (let i = 0; i < 11; i++) write(data, random, 2 * i, 2 * i + 2);
  }),
);

// No two samples of a series have the same time: which of them counts depends on the order of a heap in Prometheus.
test.skipIf(!peers).concurrent("blocks that overlap in part and as a whole", { timeout: 200_000 }, () =>
  compareCompaction("overlapping", (data, random) => {
    write(data, random, 0, 4);
    write(data, random, 2, 6, 7_000);
    write(data, random, 3, 4, 11_000);
    write(data, random, 8, 10);
    write(data, random, 8, 10, 15_000);
    write(data, random, 12, 14);
  }),
);

test.skipIf(!peers).concurrent("blocks with deleted series and parts of series", { timeout: 200_000 }, () =>
  compareCompaction("deleted", (data, random) => {
    for (let i = 0; i < 5; i++) write(data, random, 2 * i, 2 * i + 2);
    const set = BlockSet.open(env, data);
    const [first, second, third] = set.blocks;
    const from = (hours: number) => beginMs + hours * hourMs;
    deleteSamples(nodeFs, first, from(0.5), from(1), [new Matcher("=", "__name__", "m1")]);
    deleteSamples(nodeFs, second, from(0), from(9), [new Matcher("=~", "i", "2|4|6|7")]);
    deleteSamples(nodeFs, third, from(4.25), from(4.3), [new Matcher("=~", "i", ".+")]);
    set.close();
  }),
);

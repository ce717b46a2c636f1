#!/usr/bin/env node
// Compaction of blocks alone. The blocks are written directly, so that a run takes a minute:
//
//   node bench/compaction.mjs [--series 5000] [--samples 480] [--threads 2] [--ranges 4] [--runs 3] [--peer-series 20000]
//
// 1. `ranges` aligned ranges of three 2 h blocks each, compacted in one thread and in `threads` of them: the time, its
//    ratio, and whether the blocks are equal (all but the names in meta.json).
// 2. Three 2 h blocks and a newer fourth, compacted by each server alone: CPU seconds, peak memory.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../scripts/build.mjs";
import { numberOptions } from "./options.mjs";
import { seededRandom } from "./random.mjs";
import { available } from "./servers.mjs";
import { compact } from "./storage/compaction.mjs";

const { options } = numberOptions(process.argv.slice(2), {
  series: 5000,
  samples: 480,
  threads: 2,
  ranges: 4,
  runs: 3,
  "peer-series": 20_000,
});
const rangeMs = 2 * 3_600_000;
const perChunk = 120;
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error, child: () => quiet };

build();
const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));
const { writeBlock } = await dist("tsdb/compact/write-block");
const { XorAppender } = await dist("chunkenc/xor");
const { Labels, compareLabels } = await dist("model/labels");
const { nodeFs } = await dist("node/fs");
const { nodeClock } = await dist("node/clock");
const { nodeRandom } = await dist("node/random");
const { Control } = await dist("runtime/control");
const { CompactionThreads } = await dist("runtime/compaction-threads");

/** Pods with a hundred series each: counters, gauges, float sums, constants. */
function labelSets(count) {
  const sets = Array.from({ length: count }, (_, i) => {
    const pod = Math.floor(i / 100);
    return Labels.of({
      __name__: `metric_${i % 100}_total`,
      cluster: `c${pod % 3}`,
      container: "app",
      endpoint: "http",
      instance: `10.0.${pod >> 8}.${pod & 255}:8080`,
      job: `job-${pod % 20}`,
      namespace: `ns-${pod % 40}`,
      node: `node-${pod % 50}`,
      pod: `app-${pod}-${(pod * 2654435761).toString(36)}`,
    });
  });
  return sets.sort(compareLabels);
}

/** One block of the series: every series moves in its own way. */
function writeOne(dir, sets, mint, samples) {
  const { uniform } = seededRandom(mint / rangeMs);
  const step = rangeMs / samples;
  const appender = new XorAppender();
  const values = new Float64Array(1);
  function* chunks(kind, jitter) {
    values[0] = Math.floor(uniform() * 1e6);
    for (let from = 0; from < samples; from += perChunk) {
      appender.reset();
      const to = Math.min(from + perChunk, samples);
      for (let i = from; i < to; i++) {
        if (kind === 0) values[0] += Math.floor(uniform() * 20);
        else if (kind === 1) values[0] = Math.round(uniform() * 1e4) / 100;
        else if (kind === 2) values[0] += uniform();
        appender.append(mint + jitter + i * step, values, 0);
      }
      yield {
        encoding: 1,
        mint: mint + jitter + from * step,
        maxt: mint + jitter + (to - 1) * step,
        bytes: appender.bytes(),
      };
    }
  }
  const source = {
    *series() {
      for (const [i, labels] of sets.entries()) yield { labels, chunks: () => chunks(i % 4, i % 1000) };
    },
  };
  const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom };
  return writeBlock(env, dir, source, { mint, maxt: mint + rangeMs });
}

/** What a block holds, without its name. */
function digest(dir, name) {
  const hash = createHash("sha256");
  const chunks = readdirSync(join(dir, name, "chunks")).map((file) => `chunks/${file}`);
  for (const file of [...chunks, "index"]) hash.update(readFileSync(join(dir, name, file)));
  const { minTime, maxTime, stats } = JSON.parse(readFileSync(join(dir, name, "meta.json"), "utf8"));
  return `${minTime} ${maxTime} ${JSON.stringify(stats)} ${hash.digest("hex")}`;
}

/** Seconds, and the digests of the new blocks. */
async function compactGroups(dir, groups, threads) {
  const storage = { dir, blockSegmentBytes: 512 * 1024 * 1024, delayCompactFile: "" };
  const data = (sweeps) => ({ storage, control: new Control().buffer, head: undefined, sweeps });
  const env = { clock: nodeClock, logger: quiet };
  const listener = { firstEnded() {}, chunksWritten() {} };
  const compactors = new CompactionThreads(threads, data, listener, env);
  const begun = performance.now();
  const results = await Promise.all(groups.map((names) => compactors.compactBlocks({ names, rules: [] })));
  const seconds = (performance.now() - begun) / 1000;
  await compactors.end();
  const digests = results.map(({ block }) => digest(dir, block.ulid)).sort();
  for (const { block } of results) rmSync(join(dir, block.ulid), { recursive: true });
  return { seconds, digests };
}

async function threads(dir) {
  mkdirSync(dir);
  const sets = labelSets(options.series);
  const groups = Array.from({ length: options.ranges }, (_, range) =>
    [0, 1, 2].map((i) => writeOne(dir, sets, (3000 + 3 * range + i) * rangeMs, options.samples).ulid),
  );
  const best = { one: Infinity, many: Infinity };
  let equal = true;
  for (let run = 0; run < options.runs; run++) {
    const one = await compactGroups(dir, groups, 1);
    const many = await compactGroups(dir, groups, options.threads);
    equal &&= JSON.stringify(one.digests) === JSON.stringify(many.digests);
    best.one = Math.min(best.one, one.seconds);
    best.many = Math.min(best.many, many.seconds);
  }
  console.log(
    `${options.ranges} ranges of 3 blocks, ${options.series} series: one thread ${best.one.toFixed(2)} s, ` +
      `${options.threads} threads ${best.many.toFixed(2)} s (${(best.many / best.one).toFixed(2)} x), ` +
      `blocks ${equal ? "equal" : "DIFFER"}`,
  );
}

async function peers(dir) {
  const from = join(dir, "blocks");
  mkdirSync(join(from, "data"), { recursive: true });
  const sets = labelSets(options["peer-series"]);
  for (let i = 0; i < 4; i++) writeOne(join(from, "data"), sets, (3000 + i) * rangeMs, options.samples);
  for (const kind of ["prometheus", "narthex"].filter(available)) {
    const { cpu, idleCpu, peakMiB, anonMiB } = await compact(kind, from, dir);
    console.log(
      `${kind.padEnd(12)} three 2 h blocks, ${sets.length} series: ${cpu.toFixed(2)} s of CPU ` +
        `(idle start ${idleCpu.toFixed(2)}), peak ${peakMiB.toFixed(0)} MiB, RssAnon ${anonMiB.toFixed(0)} MiB`,
    );
  }
}

console.log(`${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}`);
const dir = mkdtempSync(join(tmpdir(), "narthex-bench-"));
try {
  await threads(join(dir, "threads"));
  if (options["peer-series"] > 0) await peers(dir);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

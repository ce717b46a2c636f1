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
import { available } from "./servers.mjs";
import { blockBuilder, rangeMs } from "./storage/blocks.mjs";
import { compact } from "./storage/compaction.mjs";

const { options } = numberOptions(process.argv.slice(2), {
  series: 5000,
  samples: 480,
  threads: 2,
  ranges: 4,
  runs: 3,
  "peer-series": 20_000,
});
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error, child: () => quiet };

build();
const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));
const { nodeClock } = await dist("node/clock");
const { labelSets, writeOne } = await blockBuilder();
const { Control } = await dist("runtime/control");
const { CompactionThreads } = await dist("runtime/compaction-threads");

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

#!/usr/bin/env node
// `npm run bench:storage`: the storage of Narthex beside that of Prometheus (and VictoriaMetrics where it can be asked
// the same), on the same bytes in one run. See README.md.
//
//   npm run bench:storage -- [--series 20000] [--minutes 120] [--many 200000] [--many-minutes 10]
//                            [--storm 3000000] [--compaction 20000] [--latency-series 20000]
//                            [--latency-requests 2000] [--runs 15] [--only TEXT]
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../scripts/build.mjs";
import { textOptions } from "./options.mjs";
import { available } from "./servers.mjs";
import { blockBuilder, rangeMs } from "./storage/blocks.mjs";
import { compact, compactionTimes, writeBlocks } from "./storage/compaction.mjs";
import { indexQuestions, ingested } from "./storage/ingested.mjs";
import { latencies, p99 } from "./storage/latency.mjs";
import { restartSeconds } from "./storage/restart.mjs";
import { storm } from "./storage/storm.mjs";
import { workloadDefaults, writeWorkload } from "./workload.mjs";

const { options } = textOptions(process.argv.slice(2), {
  series: "20000",
  minutes: "120",
  many: "200000",
  "many-minutes": "10",
  storm: "3000000",
  compaction: "20000",
  "latency-series": "20000",
  "latency-requests": "2000",
  runs: "15",
  only: "",
});
const dir = mkdtempSync(join(tmpdir(), "narthex-bench-"));
const kinds = ["prometheus", "narthex"].filter(available);

const number = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "–");

/** A line per server, each value beside its ratio to the first server's. */
function table(title, columns, rows) {
  console.log(`\n## ${title}`);
  console.log("server".padEnd(18) + columns.map(([name]) => name.padEnd(28)).join(""));
  for (const row of rows) {
    const cells = columns.map(([, value, digits]) => {
      const ratio = number(value(row) / value(rows[0]), 2);
      return `${number(value(row), digits)} (${ratio} x)`.padEnd(28);
    });
    console.log(row.kind.padEnd(18) + cells.join(""));
  }
}

/** Runs `work` for each server in a directory of its own, which is removed afterwards. */
async function forEach(servers, name, work) {
  const rows = [];
  for (const kind of servers) {
    const own = join(dir, `${name}-${kind}`);
    rows.push(await work(kind, own));
    rmSync(own, { recursive: true, force: true });
  }
  return rows;
}

function workload(name, settings) {
  const path = join(dir, name);
  return { path, index: writeWorkload(path, { ...workloadDefaults, ...settings }) };
}

const peak = ["peak MiB (VmHWM)", (row) => row.VmHWM, 0];
const anonymous = ["RssAnon MiB", (row) => row.RssAnon, 0];

async function head() {
  const { path, index } = workload("head", {
    series: Number(options.series),
    minutes: Number(options.minutes),
  });
  const rows = await forEach(kinds, "head", async (kind, own) => ({
    ...(await ingested(kind, own, path, index)),
    seconds: Math.min(...(await restartSeconds(kind, own, index))),
  }));
  table(
    `${index.active} series, ${index.samples} samples`,
    [
      ["WAL bytes/sample", (row) => row.wal, 3],
      ["block bytes/sample", (row) => row.block, 3],
      peak,
      anonymous,
      ["restart s, best of 3", (row) => row.seconds, 2],
    ],
    rows,
  );
  rmSync(path, { recursive: true });
}

async function many() {
  const { path, index } = workload("many", {
    series: Number(options.many),
    minutes: Number(options["many-minutes"]),
  });
  const rows = await forEach(kinds, "many", async (kind, own) => ({
    ...(await ingested(kind, own, path, index, {
      ask: indexQuestions,
      runs: Number(options.runs),
      snapshot: false,
    })),
    seconds: Math.min(...(await restartSeconds(kind, own, index))),
  }));
  table(
    `${index.active} series, ${index.samples} samples`,
    [
      peak,
      anonymous,
      ["restart s, best of 3", (row) => row.seconds, 2],
      ["selection ms", (row) => row.ms.selection, 1],
      ["label values ms", (row) => row.ms.labelValues, 1],
      ["head bytes/series", (row) => row.headBytesPerSeries, 0],
    ],
    rows,
  );
  rmSync(path, { recursive: true });
}

async function compaction() {
  const times = compactionTimes(Date.now());
  const { path } = workload("hours", { series: Number(options.compaction), interval: 60, ...times });
  const blocks = join(dir, "blocks");
  await writeBlocks(kinds[0], blocks, path);
  rmSync(path, { recursive: true });
  const rows = await forEach(kinds, "compaction", (kind, own) => compact(kind, blocks, own));
  table(
    `compaction of three of five 2 h blocks, ${options.compaction} series at 60 s`,
    [
      ["CPU s", (row) => row.cpu, 2],
      ["CPU s of an idle start", (row) => row.idleCpu, 2],
      ["peak MiB (VmHWM)", (row) => row.peakMiB, 0],
      ["RssAnon MiB", (row) => row.anonMiB, 0],
    ],
    rows,
  );
}

async function newSeries() {
  const { path, index } = workload("storm", { series: Number(options.storm), minutes: 0.5 });
  const all = ["prometheus", "victoriametrics", "narthex"].filter(available);
  const rows = await forEach(all, "storm", (kind, own) => storm(kind, own, path));
  table(
    `storm of ${index.active} new series, no limit`,
    [
      ["CPU s per M samples", (row) => row.cpuSecondsPerMillion, 2],
      peak,
      ["samples refused", (row) => row.failed, 0],
    ],
    rows,
  );
  rmSync(path, { recursive: true });
}

/** Of Narthex alone: its requests with a compaction beside them, and without. */
async function latency() {
  const series = Number(options["latency-series"]);
  const { path, index } = workload("latency", { series, minutes: 60 });
  const blocks = join(dir, "latency-blocks");
  mkdirSync(join(blocks, "data"), { recursive: true });
  const { labelSets, writeOne } = await blockBuilder();
  const sets = labelSets(series);
  // Two aligned ranges of three blocks, and a newer block.
  for (let i = 0; i < 7; i++) writeOne(join(blocks, "data"), sets, (3000 + i) * rangeMs, 480);
  const { pace, idle, busy } = await latencies(dir, blocks, path, index, Number(options["latency-requests"]));
  console.log(`\n## latency beside a compaction, ${series} series, ${Math.round(pace)} samples/s`);
  for (const kind of ["ingest", "queries"]) {
    const [without, beside] = [idle[kind], busy[kind]].map(p99);
    console.log(
      `${kind.padEnd(8)} p99 ${number(without, 1)} ms of ${idle[kind].length} without, ` +
        `${number(beside, 1)} ms of ${busy[kind].length} with (${number(beside / without, 2)} x)`,
    );
  }
  rmSync(path, { recursive: true });
}

build();
console.log(
  `${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}; servers: ${kinds.join(", ")}`,
);
try {
  for (const section of [head, many, compaction, latency, newSeries]) {
    if (section.name.includes(options.only)) await section();
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

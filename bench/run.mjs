#!/usr/bin/env node
// `npm run bench`: ingest, memory, queries, restart and responsiveness of Narthex beside Prometheus and
// VictoriaMetrics (where they are installed), on the same bytes in one run. See README.md.
//
//   npm run bench -- [--series 20000] [--minutes 120] [--runs 5] [--seed 1] [--seconds 60] [--only TEXT]
//                    [--keep DIR]
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../scripts/build.mjs";
import { eventLoopDelays } from "./event-loop.mjs";
import { textOptions } from "./options.mjs";
import { memoryMiB } from "./process-stats.mjs";
import { printQueryTimes, timeQueries } from "./query.mjs";
import { replay, replayDefaults } from "./replay.mjs";
import { available, startServer } from "./servers.mjs";
import { restartSeconds } from "./storage/restart.mjs";
import { workloadDefaults, writeWorkload } from "./workload.mjs";

const { options } = textOptions(process.argv.slice(2), {
  series: "20000",
  minutes: "120",
  runs: "5",
  seed: "1",
  seconds: "60",
  only: "",
  keep: "",
});
const wanted = (section) => section.includes(options.only);
const dir = options.keep || mkdtempSync(join(tmpdir(), "narthex-bench-"));
const workload = join(dir, "workload");
const kinds = ["prometheus", "victoriametrics", "narthex"].filter(available);

function heading(text) {
  console.log(`\n## ${text}`);
}

function ratio(value, base) {
  return Number.isFinite(value / base) ? (value / base).toFixed(2) : "–";
}

async function ingest() {
  heading("ingest and memory: remote write, 2 connections");
  const rows = [];
  for (const kind of kinds) {
    const server = await startServer(kind, join(dir, kind));
    try {
      const idle = memoryMiB(server.pid);
      const result = await replay(workload, `${server.url}/api/v1/write`, {
        ...replayDefaults,
        pid: server.pid,
      });
      rows.push({ kind, idle, ...result });
    } finally {
      await server.stop();
    }
  }
  const base = rows.find((row) => row.kind === "prometheus");
  console.log(
    "server           samples/s   CPU s/M   ratio   peak MiB   ratio   RssAnon   idle MiB   failed",
  );
  for (const row of rows) {
    console.log(
      `${row.kind.padEnd(16)} ${String(row.samplesPerSecond).padEnd(11)} ${row.cpuSecondsPerMillion.toFixed(2).padEnd(9)} ` +
        `${ratio(row.cpuSecondsPerMillion, base?.cpuSecondsPerMillion).padEnd(7)} ${row.VmHWM.toFixed(0).padEnd(10)} ` +
        `${ratio(row.VmHWM, base?.VmHWM).padEnd(7)} ${row.RssAnon.toFixed(0).padEnd(9)} ${row.idle.VmHWM.toFixed(0).padEnd(10)} ${row.failed} ${row.firstError}`,
    );
  }
}

async function queries() {
  heading("queries");
  const servers = [];
  try {
    for (const kind of kinds) servers.push(await startServer(kind, join(dir, kind)));
    const list = JSON.parse(readFileSync(join(import.meta.dirname, "queries.json"), "utf8"));
    printQueryTimes(servers, await timeQueries(workload, servers, list, Number(options.runs)));
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function restart() {
  heading("restart after kill -9: seconds until every series answers at the last sample time");
  const index = JSON.parse(readFileSync(join(workload, "index.json"), "utf8"));
  for (const kind of kinds.filter((name) => name !== "victoriametrics")) {
    const seconds = await restartSeconds(kind, join(dir, kind), index);
    console.log(
      `${kind.padEnd(16)} best of three ${Math.min(...seconds).toFixed(2)} s (${seconds.map((s) => s.toFixed(2)).join(", ")})`,
    );
  }
}

async function responsiveness() {
  heading("main thread's event-loop delay under the heaviest query in a loop and 50,000 samples/s of ingest");
  console.log(
    await eventLoopDelays(dir, {
      seconds: Number(options.seconds),
      pace: 50_000,
      series: Number(options.series),
    }),
  );
}

build();
console.log(
  `${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}; servers: ${kinds.join(", ")}`,
);
const kept = join(workload, "index.json");
const made = existsSync(kept)
  ? JSON.parse(readFileSync(kept, "utf8"))
  : writeWorkload(workload, {
      ...workloadDefaults,
      series: Number(options.series),
      minutes: Number(options.minutes),
      seed: Number(options.seed),
    });
console.log(
  `workload: ${made.samples} samples, ${made.series} series, ${made.requests.length} requests, ${(made.bytes / 1e6).toFixed(0)} MB`,
);
try {
  if (wanted("ingest")) await ingest();
  if (wanted("queries")) await queries();
  if (wanted("restart")) await restart();
  if (wanted("responsiveness")) await responsiveness();
} finally {
  if (!options.keep) rmSync(dir, { recursive: true, force: true });
}

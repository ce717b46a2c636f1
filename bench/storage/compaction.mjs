// CPU and memory of one compaction of three aligned 2 h blocks, each server idle on its own copy of one directory.
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, memoryMiB } from "../process-stats.mjs";
import { replay, replayDefaults } from "../replay.mjs";
import { startServer } from "../servers.mjs";
import { metricSum } from "./metrics.mjs";

const hourMs = 3_600_000;
const giveUpMs = 240_000;
const pollMs = 200;
/** Blocks are never compacted with each other. */
export const apart = ["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"];

/**
 * The end of a workload whose first six hours are one aligned range: it fills three blocks and two newer ones. (Two,
 * because a block's minTime is that of its first sample: a range is seen to be complete when a block after it is not
 * the newest.)
 */
export function compactionTimes(nowMs) {
  const start = Math.floor((nowMs - 12 * hourMs) / (6 * hourMs)) * 6 * hourMs;
  const minutes = 11 * 60 + 20;
  return { end: start + minutes * 60_000, minutes };
}

/** Has `kind` write the directory of blocks from the workload. */
export async function writeBlocks(kind, dir, workload) {
  const server = await startServer(kind, dir, { flags: apart });
  try {
    await replay(workload, `${server.url}/api/v1/write`, replayDefaults);
    await until(() => blocksIn(dir).length >= 5, `${kind} to cut five blocks`);
  } finally {
    await server.stop();
  }
}

/** {cpu, idleCpu, peakMiB, anonMiB} of `kind` on a copy of `from`. */
export async function compact(kind, from, dir) {
  const run = async (name, flags) => {
    const copy = join(dir, `${kind}-${name}`);
    cpSync(join(from, "data"), join(copy, "data"), { recursive: true });
    return startServer(kind, copy, { flags });
  };
  const server = await run("busy", []);
  const begun = performance.now();
  let cpu = 0;
  let memory = {};
  try {
    await until(
      async () => (await metricSum(server.url, "prometheus_tsdb_compactions_total")) > 0,
      "a compaction",
    );
    cpu = cpuSeconds(server.pid);
    memory = memoryMiB(server.pid);
  } finally {
    await server.stop();
  }
  const tookMs = performance.now() - begun;
  const idle = await run("idle", apart);
  try {
    for (const end = performance.now() + tookMs; performance.now() < end; await sleep(pollMs)) {
      await metricSum(idle.url, "prometheus_tsdb_compactions_total");
    }
    const idleCpu = cpuSeconds(idle.pid);
    return { kind, cpu: cpu - idleCpu, idleCpu, peakMiB: memory.VmHWM, anonMiB: memory.RssAnon };
  } finally {
    await idle.stop();
  }
}

function blocksIn(dir) {
  return readdirSync(join(dir, "data")).filter((name) => /^[0-9A-Z]{26}$/.test(name));
}

async function until(condition, what) {
  for (const begun = performance.now(); !(await condition()); await sleep(pollMs)) {
    if (performance.now() - begun > giveUpMs) throw new Error(`waited ${giveUpMs / 1000} s for ${what}`);
  }
}

/**
 * Proof 7: one writer, many readers of the shared head, with freed memory poisoned: every answer is a state that was
 * once committed, never half a scrape, never a wrong value. Without the reclamation guard the same run fails.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { proofSeed, size } from "./size.ts";

const dist = new URL("../../dist", import.meta.url).pathname;
const readers = 4;
const guardedSeconds = size(6, 600);
const truncationsWanted = size(1, 100);
/** It fails within a second or two; this is how long it gets for that. */
const unguardedSeconds = 60;

interface ReaderReport {
  readonly answers: number;
  readonly problem: string;
}

interface WriterReport {
  readonly batches: number;
  readonly truncations: number;
  readonly seriesRemoved: number;
  readonly chunksRemoved: number;
}

function message<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function run(
  seed: number,
  unguarded: boolean,
  seconds: number,
): Promise<{ writer: WriterReport | undefined; reports: ReaderReport[] }> {
  const dir = mkdtempSync(join(tmpdir(), "narthex-proof-7-"));
  const control = new SharedArrayBuffer(12);
  const words = new Int32Array(control);
  const stop = () => Atomics.store(words, 0, 1);
  /** At least the seconds asked for, and on a busy machine until enough was truncated. */
  const enough = async () => {
    await sleep(seconds * 1000);
    for (let i = 0; i < 1200 && Atomics.load(words, 2) < truncationsWanted; i++) await sleep(100);
  };
  const start = (name: string, data: object) =>
    new Worker(new URL(`./readers/${name}.mjs`, import.meta.url), {
      workerData: { dist, dir, control, ...data },
    });
  const writer = start("writer", { unguarded });
  const workers: Worker[] = [writer];
  try {
    const { handle } = await message<{ handle: unknown }>(writer);
    const done = message<{ done: WriterReport }>(writer).catch(() => undefined);
    const reports = Array.from({ length: readers }, (_, i) => {
      const reader = start("reader", { handle, owner: i + 1, seed: seed + i });
      workers.push(reader);
      return message<ReaderReport>(reader).catch((error) => ({ answers: 0, problem: String(error) }));
    });
    await Promise.race([enough(), ...reports, done]);
    stop();
    return { reports: await Promise.all(reports), writer: (await done)?.done };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    rmSync(dir, { recursive: true, force: true });
  }
}

test(`${readers} readers, ${guardedSeconds} s`, async () => {
  const { reports, writer } = await run(proofSeed("proof 7"), false, guardedSeconds);
  expect(reports.map(({ problem }) => problem)).toEqual(Array(readers).fill(""));
  const answers = reports.reduce((sum, report) => sum + report.answers, 0);
  console.log(`proof 7: ${answers} answers checked, ${JSON.stringify(writer)}`);
  expect(answers).toBeGreaterThan(size(100, 100_000));
  expect(writer?.truncations ?? 0).toBeGreaterThanOrEqual(truncationsWanted);
  expect(writer?.seriesRemoved ?? 0).toBeGreaterThan(0);
  expect(writer?.chunksRemoved ?? 0).toBeGreaterThan(0);
});

test("without the guard it fails", async () => {
  const { reports, writer } = await run(proofSeed("proof 7, unguarded"), true, unguardedSeconds);
  const problems = reports.map(({ problem }) => problem).filter((problem) => problem !== "");
  console.log(`proof 7, unguarded: ${problems[0] ?? "the writer failed"}`);
  expect(problems.length > 0 || writer === undefined).toBe(true);
});

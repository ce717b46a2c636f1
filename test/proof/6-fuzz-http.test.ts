/**
 * Proof 6, second part: the server itself under broken requests, broken configurations and broken targets at the same
 * time. It stays alive, answers a control query rightly all the time, never with a 500, logs no exception, and its
 * memory comes back.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryMiB } from "../../bench/process-stats.mjs";
import { startServer } from "../../bench/servers.mjs";
import { Attackers } from "../fuzz/http/attackers.ts";
import type { Victim } from "../fuzz/http/attacks.ts";
import { HostileExporter } from "../fuzz/http/exporter.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";
import { proofSeed, size } from "./size.ts";

const attackMs = Number(process.env.NARTHEX_FUZZ_SECONDS ?? size(8, 600)) * 1000;
/** Everything that leaves series or caches behind has come by then. */
const warmUpMs = size(4_000, 120_000);
const variants = size(20, 100);
/** Without any target but the good one. */
const idleMs = size(3_000, 60_000);
/** In a few seconds the engine's own warming up is not over. */
const memoryGrowthMax = size(2, 1.1);
const controlSeries = 50;
const controlMsMax = 20_000;

const seed = proofSeed("proof 6 over HTTP");

let dir: string;
let exporter: HostileExporter;
let server: Awaited<ReturnType<typeof startServer>>;
let victim: Victim;

function configOf(paths: readonly string[], port: number): string {
  const jobs = paths.map(
    (path) => `
  - job_name: ${path.slice(1)}
    metrics_path: ${path}
    static_configs: [{targets: ["127.0.0.1:${port}"]}]`,
  );
  return `global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:${jobs.join("")}
  - job_name: files
    metrics_path: /good
    file_sd_configs: [{files: [targets.yml], refresh_interval: 1s}]
    relabel_configs: [{target_label: __address__, replacement: "127.0.0.1:${port}"}]
`;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-proof-6-"));
  exporter = await HostileExporter.start(seed, variants);
  const config = configOf(["/good", ...exporter.paths], exporter.port);
  const flags = ["--query.timeout=2s", "--query.max-samples=2000000"];
  server = await startServer("narthex", dir, { config, flags });
  victim = { port: server.port, dir, config, seed, variants };
});

afterAll(async () => {
  await server?.kill();
  exporter?.close();
  rmSync(dir, { recursive: true, force: true });
});

const startMs = Date.now() - 60_000;

async function writeControl(): Promise<void> {
  const series = Array.from({ length: controlSeries }, (_, i) => ({
    labels: { __name__: "control", i: String(i) },
    samples: [{ t: startMs, bits: bitsOf(i) }],
  }));
  const { status, text } = await remoteWrite(server.url, series);
  expect(status, text).toBe(204);
}

/** The sum of the control series, which nobody else writes; asked again where the queue for queries is too long. */
async function control(): Promise<void> {
  const ask = async () => resultOf(await queryInstant(server.url, "sum(control)", startMs / 1000 + 10));
  const begun = performance.now();
  let answer: Awaited<ReturnType<typeof ask>> | undefined;
  while (answer === undefined) {
    answer = await ask().catch((error: Error) => {
      if (!error.message.includes("in query queue") || performance.now() - begun > controlMsMax) throw error;
      return undefined;
    });
  }
  expect(answer.map(({ value }) => value?.[1])).toEqual([String((controlSeries * (controlSeries - 1)) / 2)]);
}

async function reload(config: string): Promise<void> {
  writeFileSync(join(dir, "prometheus.yml"), config);
  const response = await fetch(`${server.url}/-/reload`, { method: "POST" });
  expect(response.status, await response.text()).toBe(200);
}

/** Resident MiB after a pause. */
async function restingMiB(): Promise<number> {
  await reload(configOf(["/good"], exporter.port));
  await sleep(idleMs);
  const { VmRSS } = memoryMiB(server.pid);
  await reload(victim.config);
  return VmRSS;
}

async function attack(durationMs: number): Promise<Attackers> {
  const attackers = new Attackers(victim, control);
  await attackers.run(durationMs);
  expect(attackers.problems).toEqual([]);
  return attackers;
}

test(
  `${attackMs / 1000} s of everything at once`,
  async () => {
    await writeControl();
    await attack(warmUpMs);
    const before = await restingMiB();
    const { counts, controls, slowestControlMs } = await attack(attackMs);
    const after = await restingMiB();
    console.log(
      `proof 6 over HTTP: ${JSON.stringify(Object.fromEntries([...counts].sort()))}; slowest of ${controls} control queries ${slowestControlMs.toFixed(0)} ms; memory ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after`,
    );

    expect(await Promise.race([server.exited, sleep(0).then(() => "alive")])).toBe("alive");
    expect(failuresIn(server.log())).toEqual([]);
    expect(controls).toBeGreaterThan(attackMs / 2000);
    expect(slowestControlMs).toBeLessThan(controlMsMax);
    expect(after / before).toBeLessThan(memoryGrowthMax);
    await control();
    const up = resultOf(
      await queryInstant(server.url, 'last_over_time(up{job="good"}[1m])', Date.now() / 1000),
    );
    expect(up.map(({ value }) => value?.[1])).toEqual(["1"]);
  },
  attackMs + warmUpMs + 300_000,
);

/** Exceptions come with their stack; a thread that broke down is replaced. */
function failuresIn(log: string): string[] {
  return log.split("\n").filter((text) => / stack=|is replaced/.test(text));
}

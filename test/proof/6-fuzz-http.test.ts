/**
 * Proof 6, second part: the server itself under broken requests, broken configurations and broken targets at the same
 * time. It stays alive, answers a control query rightly all the time, never with a 500, logs no exception, and its
 * memory comes back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryMiB } from "../../bench/process-stats.mjs";
import { startServer } from "../../bench/servers.mjs";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { attacks, fileAttacks, type Victim } from "../fuzz/http/attacks.ts";
import { HostileExporter } from "../fuzz/http/exporter.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";
import { proofSeed, size } from "./size.ts";

/** Everything that leaves series or caches behind has come by then. */
const warmUpMs = size(5_000, 90_000);
const attackMs = Number(process.env.NARTHEX_FUZZ_SECONDS ?? size(8, 600)) * 1000;
const idleMs = size(3_000, 60_000);
/** In a few seconds the engine's own warming up is not over. */
const memoryGrowthMax = size(1.5, 1.1);
const variants = size(50, 500);
const clients = 4;
const controlSeries = 50;
const controlMsMax = 20_000;

const seed = proofSeed("proof 6 over HTTP");

let dir: string;
let exporter: HostileExporter;
let server: Awaited<ReturnType<typeof startServer>>;
let victim: Victim;

function configOf(port: number): string {
  const job = (name: string, path: string) => `
  - job_name: ${name}
    metrics_path: ${path}
    static_configs: [{targets: ["127.0.0.1:${port}"]}]`;
  return `global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:${job("good", "/good")}${exporter.paths.map((path) => job(path.slice(1), path)).join("")}
  - job_name: files
    metrics_path: /good
    file_sd_configs: [{files: [targets.yml], refresh_interval: 1s}]
    relabel_configs: [{target_label: __address__, replacement: "127.0.0.1:${port}"}]
`;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-proof-6-"));
  exporter = await HostileExporter.start(seed, variants);
  const config = configOf(exporter.port);
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

/** The sum of the control series, which nobody else writes; returns how long the answer took. */
async function control(): Promise<number> {
  const begun = performance.now();
  const answer = resultOf(await queryInstant(server.url, "sum(control)", startMs / 1000 + 10));
  expect(answer.map(({ value }) => value?.[1])).toEqual([String((controlSeries * (controlSeries - 1)) / 2)]);
  return performance.now() - begun;
}

class Attackers {
  readonly counts = new Map<string, number>();
  readonly problems: string[] = [];
  controls = 0;
  slowestControlMs = 0;
  #end = 0;

  async run(durationMs: number): Promise<void> {
    this.#end = performance.now() + durationMs;
    const random = (client: number) => new SeededRandom(seed + client);
    await Promise.all([
      this.#control(),
      this.#files(random(0)),
      ...Array.from({ length: clients }, (_, client) => this.#attack(random(client + 1))),
    ]);
  }

  get #goesOn(): boolean {
    return performance.now() < this.#end && this.problems.length < 5;
  }

  async #attack(random: SeededRandom): Promise<void> {
    const total = attacks.reduce((sum, [, weight]) => sum + weight, 0);
    while (this.#goesOn) {
      let at = (random.below(1e6) / 1e6) * total;
      const [name, , attack] = attacks.find(([, weight]) => (at -= weight) < 0) ?? attacks[0];
      await this.#count(name, attack(victim, random));
    }
  }

  async #files(random: SeededRandom): Promise<void> {
    while (this.#goesOn) {
      for (const [name, attack] of fileAttacks) await this.#count(name, attack(victim, random));
      await sleep(300);
    }
  }

  async #control(): Promise<void> {
    while (this.#goesOn) {
      const took = control().then((ms) => {
        this.controls++;
        this.slowestControlMs = Math.max(this.slowestControlMs, ms);
        return "answered";
      });
      await this.#count("control queries", took);
      await sleep(100);
    }
  }

  async #count(name: string, outcome: Promise<string>): Promise<void> {
    try {
      const key = `${name}: ${await outcome}`;
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    } catch (error) {
      this.problems.push(`${name}: ${(error as Error).message}`);
    }
  }
}

/** Resident MiB after a pause; the smallest of the last readings, since a reading may fall into a scrape. */
async function restingMiB(): Promise<number> {
  await sleep(idleMs);
  const readings: number[] = [];
  for (let i = 0; i < 10; i++) {
    readings.push(memoryMiB(server.pid).VmRSS);
    await sleep(100);
  }
  return Math.min(...readings);
}

test(
  `${attackMs / 1000} s of everything at once`,
  async () => {
    await writeControl();
    const warmUp = new Attackers();
    await warmUp.run(warmUpMs);
    expect(warmUp.problems).toEqual([]);
    const before = await restingMiB();

    const attackers = new Attackers();
    await attackers.run(attackMs);
    expect(attackers.problems).toEqual([]);
    const after = await restingMiB();
    const { counts, controls, slowestControlMs } = attackers;
    console.log(
      `proof 6 over HTTP: ${JSON.stringify(Object.fromEntries([...counts].sort()))}; slowest of ${controls} control queries ${slowestControlMs.toFixed(0)} ms; memory ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after`,
    );

    expect(await Promise.race([server.exited, sleep(0).then(() => "alive")])).toBe("alive");
    expect(controls).toBeGreaterThan(attackMs / 2000);
    expect(slowestControlMs).toBeLessThan(controlMsMax);
    expect(after / before).toBeLessThan(memoryGrowthMax);
    expect(failuresIn(server.log())).toEqual([]);
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

/**
 * Proof 5: `kill -9` under load, again and again, each time inside a chosen phase: ingest, head compaction, checkpoint,
 * block deletion. This process records what was acknowledged. The server always starts again, nothing acknowledged is
 * missing, no temporary file is left.
 *
 * A hit is proven by the log: the phase's "started" line is there, its "completed" line is not (ingest: a request was
 * under way). Blocks are 10 minutes long and the load runs through 12 minutes of samples a second, so that every phase
 * comes round in seconds.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";
import { proofSeed, size } from "./size.ts";

const hitsPerPhase = size(1, 20);
const roundsAtLeast = size(5, 100);
const seriesCount = 1000;
const stepMs = 15_000;
/** Requests of 1000 samples per second: 50,000 samples/s. */
const requestsPerSecond = 50;
/** How much of the newest data is counted after each restart. */
const windowSteps = 120;
const retentionHours = 1;

const phases = {
  ingest: undefined,
  "head compaction": { started: "Head compaction started", completed: "Head compaction completed" },
  checkpoint: { started: "WAL checkpoint started", completed: "WAL checkpoint completed" },
  "block deletion": { started: "Block deletion started", completed: "Block deletion completed" },
} as const;
type Phase = keyof typeof phases;
type Server = Awaited<ReturnType<typeof startServer>>;

const flags = [
  "--storage.tsdb.min-block-duration=10m",
  "--storage.tsdb.max-block-duration=10m",
  `--storage.tsdb.retention.time=${retentionHours}h`,
  "--storage.tsdb.wal-segment-size=10MB",
  "--log.level=debug",
];

/** The value that series i has at a step: whole, so that sums are exact. */
const valueAt = (i: number, step: number) => ((i * 31 + step * 17) % 1000) + step;

class Load {
  readonly startMs: number;
  /** Steps acknowledged so far: all of [0, acknowledged). */
  acknowledged = 0;
  underWay = false;
  #stop = false;
  #running: Promise<void> | undefined;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /** Sends step after step until the server is gone. A step without an answer is sent again after the restart. */
  start(url: string): void {
    this.#stop = false;
    this.#running = this.#run(url);
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
  }

  async #run(url: string): Promise<void> {
    const begun = performance.now();
    for (let sent = 0; !this.#stop; sent++) {
      await sleep(Math.max(0, (sent / requestsPerSecond) * 1000 - (performance.now() - begun)));
      const step = this.acknowledged;
      const t = this.startMs + step * stepMs;
      const request = Array.from({ length: seriesCount }, (_, i) => ({
        labels: { __name__: "load", i: String(i), group: String(i % 10) },
        samples: [{ t, bits: bitsOf(valueAt(i, step)) }],
      }));
      this.underWay = true;
      const answer = await remoteWrite(url, request).catch(() => undefined);
      if (answer === undefined) return;
      if (answer.status !== 204)
        throw new Error(`step ${step} was answered ${answer.status}: ${answer.text}`);
      this.underWay = false;
      this.acknowledged++;
    }
  }
}

/** Waits until the phase is being worked on, then a random moment, then kills. Resolves to whether the hit is proven. */
async function killInside(
  server: Server,
  phase: Phase,
  load: Load,
  random: { uniform(): number },
): Promise<boolean> {
  const marks = phases[phase];
  const before = server.log().length;
  const log = () => server.log().slice(before);
  const begun = performance.now();
  if (marks === undefined) await sleep(200 + 800 * random.uniform());
  else while (!log().includes(marks.started) && performance.now() - begun < 30_000) await sleep(1);
  await sleep(8 * random.uniform());
  await server.kill();
  if (marks === undefined) return load.underWay;
  return log().lastIndexOf(marks.started) > log().lastIndexOf(marks.completed);
}

/** What is missing of the acknowledged steps in the newest window; empty when all is there. */
async function missing(server: Server, load: Load): Promise<string[]> {
  if (load.acknowledged === 0) return [];
  const last = load.acknowledged - 1;
  const first = Math.max(0, last - windowSteps + 1);
  const time = (load.startMs + last * stepMs) / 1000;
  const range = `${(last - first) * stepMs + 1}ms`;
  const [counts, sums] = await Promise.all(
    ["count_over_time", "sum_over_time"].map(async (func) =>
      resultOf(await queryInstant(server.url, `${func}(load[${range}])`, time)),
    ),
  );
  const problems: string[] = [];
  if (counts.length !== seriesCount) problems.push(`${counts.length} of ${seriesCount} series`);
  for (const { metric, value } of counts) {
    if (Number(value?.[1]) !== last - first + 1)
      problems.push(`series ${metric.i}: ${value?.[1]} of ${last - first + 1} samples`);
  }
  for (const { metric, value } of sums) {
    let want = 0;
    for (let step = first; step <= last; step++) want += valueAt(Number(metric.i), step);
    if (Number(value?.[1]) !== want)
      problems.push(`series ${metric.i}: the sum is ${value?.[1]}, not ${want}`);
  }
  return problems.slice(0, 5);
}

function temporaryFiles(dir: string): string[] {
  return (readdirSync(dir, { recursive: true }) as string[]).filter((name) => /tmp/.test(name));
}

describe("kill -9 under load", () => {
  let dir: string;
  let server: Server | undefined;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "narthex-proof-5-"));
  });
  afterAll(async () => {
    await server?.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  test(`${roundsAtLeast} rounds, ${hitsPerPhase} proven hits in each phase`, async () => {
    const random = seededRandom(proofSeed("proof 5"));
    const load = new Load(Math.floor((Date.now() - 400 * 3600_000) / stepMs) * stepMs);
    const hits: Record<Phase, number> = {
      ingest: 0,
      "head compaction": 0,
      checkpoint: 0,
      "block deletion": 0,
    };
    server = await startServer("narthex", dir, { flags });
    let rounds = 0;
    for (; rounds < 6 * roundsAtLeast; rounds++) {
      const wanted = (Object.keys(hits) as Phase[]).filter((phase) => hits[phase] < hitsPerPhase);
      if (wanted.length === 0 && rounds >= roundsAtLeast) break;
      const phase = wanted[Math.floor(random.uniform() * wanted.length)] ?? "ingest";
      load.start(server.url);
      if (await killInside(server, phase, load, random)) hits[phase]++;
      await load.stop();
      server = await startServer("narthex", dir, { flags });
      expect(await missing(server, load), `after round ${rounds}, killed in ${phase}`).toEqual([]);
    }
    await server.stop();
    expect(temporaryFiles(join(dir, "data"))).toEqual([]);
    console.log(
      `proof 5: ${rounds} rounds, ${load.acknowledged * seriesCount} samples acknowledged, hits ${JSON.stringify(hits)}`,
    );
    for (const phase of Object.keys(hits) as Phase[])
      expect(hits[phase], phase).toBeGreaterThanOrEqual(hitsPerPhase);
  });
});

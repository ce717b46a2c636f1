/**
 * Samples out of order, floats and native histograms, in Narthex and in a real Prometheus: the same answers while they are
 * in the head, after kill -9, after they have become blocks, and from each other's directories.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { Histogram } from "../../src/model/histogram.ts";
import { havePeers } from "../peers/find.ts";
import { keyOf, queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite, staleBits, type WrittenSeries } from "../peers/remote-write.ts";
import { proofSeed } from "../proof/size.ts";

type Kind = "narthex" | "prometheus";
type Server = Awaited<ReturnType<typeof startServer>>;

const peers = havePeers("samples out of order", "prometheus");
const minute = 60_000;
const hour = 60 * minute;
const config = "storage: {tsdb: {out_of_order_time_window: 90m}}\n";
const seriesCount = 8;
/** So that three blocks are due in between. */
const minutes = 8 * 60;
/** Blocks of out-of-order samples lie beside those of the same time until they are compacted with them. */
const usual = /lockfile from a previous execution|Overlapping blocks found/;
const features: Record<Kind, string[]> = {
  narthex: ["--storage.tsdb.head-snapshot-interval=1s"],
  prometheus: ["--enable-feature=native-histograms"],
};

let dir: string;
let t0: number;
const running: Server[] = [];

async function start(kind: Kind, home: string, flags: readonly string[] = []): Promise<Server> {
  const server = await startServer(kind, join(dir, home), { config, flags: [...features[kind], ...flags] });
  running.push(server);
  return server;
}

/** Everything but stale markers, by series. */
async function everything(server: Server): Promise<Record<string, unknown>> {
  const answer = await queryInstant(server.url, '{__name__=~"f|h"}[12h]', (t0 + 9 * hour) / 1000);
  return Object.fromEntries(
    resultOf(answer).map(({ metric, values = [], histograms = [] }) => [
      keyOf(metric),
      { values, histograms },
    ]),
  );
}

function histogramOf(isFloat: boolean, n: number): Histogram {
  const length = 1 + (n % 3);
  const each = 1 + (n % 50);
  return new Histogram({
    isFloat,
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: n % 7,
    count: (n % 7) + length * each,
    sum: n / 4,
    positiveSpans: [{ offset: -(n % 2), length }],
    positiveBuckets: new Float64Array(length).fill(each),
  });
}

function hints(home: string): string[] {
  const data = join(dir, home, "data");
  return readdirSync(data)
    .filter((name) => /^[0-9A-Z]{26}$/.test(name))
    .flatMap(
      (name): string[] =>
        JSON.parse(readFileSync(join(data, name, "meta.json"), "utf8")).compaction.hints ?? [],
    );
}

describe.skipIf(!peers)("out of order", () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "narthex-late-"));
    t0 = Math.floor(Date.now() / (2 * hour)) * 2 * hour - 8 * hour;
  });
  afterAll(async () => {
    for (const server of running) await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  test("the same samples everywhere, through kills, blocks and each other's hands", async () => {
    const random = seededRandom(proofSeed("out of order"));
    let narthex = await start("narthex", "ours");
    let prometheus = await start("prometheus", "theirs");
    const below = (n: number) => Math.floor(random.uniform() * n);
    const one = (name: "f" | "h", i: number, t: number): WrittenSeries => {
      const labels = { __name__: name, i: `${i}` };
      const n = below(1000);
      if (name === "h")
        return { labels, samples: [], histograms: [{ t, histogram: histogramOf(i % 2 === 0, n) }] };
      return { labels, samples: [{ t, bits: random.uniform() < 0.02 ? staleBits : bitsOf(n) }] };
    };
    let late = 0;
    for (let m = 0; m < minutes; m++) {
      const t = t0 + m * minute;
      const requests: WrittenSeries[][] = [[]];
      for (let i = 0; i < seriesCount; i++) requests[0].push(one("f", i, t + i), one("h", i, t + i));
      if (m > 0 && random.uniform() < 0.5) {
        // Each time is written once, so that no server has to choose between two values.
        const lateRequest: WrittenSeries[] = [];
        for (let i = 0; i < seriesCount; i++) {
          if (random.uniform() < 0.5) continue;
          const past = t - below(85) * minute - 1000 - m;
          if (past > t0) lateRequest.push(one(random.uniform() < 0.5 ? "f" : "h", i, past));
        }
        late += lateRequest.length;
        requests.push(lateRequest);
      }
      for (const request of requests) {
        const [ours, theirs] = await Promise.all([
          remoteWrite(narthex.url, request),
          remoteWrite(prometheus.url, request),
        ]);
        expect(ours).toEqual(theirs);
        expect(ours.status).toBe(204);
      }
      if (m % 100 === 99) {
        expect(await everything(narthex)).toEqual(await everything(prometheus));
        await Promise.all([narthex.kill(), prometheus.kill()]);
        narthex = await start("narthex", "ours");
        prometheus = await start("prometheus", "theirs");
        expect(await everything(narthex)).toEqual(await everything(prometheus));
      }
    }
    expect(late).toBeGreaterThan(300);
    const all = await everything(prometheus);
    expect(Object.keys(all)).toHaveLength(2 * seriesCount);
    await expect.poll(() => hints("ours"), { timeout: 60_000, interval: 500 }).toContain("from-out-of-order");
    expect(await everything(narthex)).toEqual(all);

    await Promise.all([narthex.kill(), prometheus.kill()]);
    cpSync(join(dir, "theirs"), join(dir, "theirs-read"), { recursive: true });
    cpSync(join(dir, "ours"), join(dir, "ours-read"), { recursive: true });
    rmSync(join(dir, "ours-read/log"), { force: true });
    const fromTheirs = await start("narthex", "theirs-read");
    const fromOurs = await start("prometheus", "ours-read");
    expect(await everything(fromTheirs)).toEqual(all);
    expect(await everything(fromOurs)).toEqual(all);
    const complaints = fromOurs
      .log()
      .split("\n")
      .filter((line) => /level=(WARN|ERROR)/i.test(line) && !usual.test(line));
    expect(complaints).toEqual([]);
  });

  test("late samples that are in no block yet: deleted, and backed up; Prometheus does neither", async () => {
    const now = Math.floor(Date.now() / minute) * minute;
    const found: Record<Kind, (readonly number[])[]> = { narthex: [], prometheus: [] };
    for (const kind of ["narthex", "prometheus"] as const) {
      const server = await start(kind, `${kind}-deletes`, ["--web.enable-admin-api"]);
      const write = async (...minutesAgo: number[]) => {
        for (const ago of minutesAgo) {
          const sample = { t: now - ago * minute, bits: bitsOf(ago) };
          const answer = await remoteWrite(server.url, [{ labels: { __name__: "f" }, samples: [sample] }]);
          expect(answer.status).toBe(204);
        }
      };
      const admin = async (what: string) => {
        const answer = await fetch(`${server.url}/api/v1/admin/tsdb/${what}`, { method: "POST" });
        expect(answer.ok).toBe(true);
        return answer;
      };
      const times = async ({ url }: Server) => {
        const answer = resultOf(await queryInstant(url, "f[3h]", now / 1000));
        return answer.flatMap(({ values = [] }) => values.map(([, value]) => Number(value)));
      };
      await write(10, 5, 60, 50, 40, 30);
      const backup = (await (await admin("snapshot")).json()) as { data: { name: string } };
      const range = `start=${(now - 55 * minute) / 1000}&end=${(now - 35 * minute) / 1000}`;
      await admin(`delete_series?match[]=f&${range}`);
      found[kind].push(await times(server));
      // What comes after the deletion is there.
      await write(45);
      await server.kill();
      found[kind].push(await times(await start(kind, `${kind}-deletes`, ["--web.enable-admin-api"])));
      cpSync(
        join(dir, `${kind}-deletes/data/snapshots`, backup.data.name),
        join(dir, `${kind}-backup/data`),
        {
          recursive: true,
        },
      );
      found[kind].push(await times(await start(kind, `${kind}-backup`)));
    }
    expect(found.narthex).toEqual([
      [60, 30, 10, 5],
      [60, 45, 30, 10, 5],
      [60, 50, 40, 30, 10, 5],
    ]);
    expect(found.prometheus).toEqual([
      [60, 50, 40, 30, 10, 5],
      [60, 50, 45, 40, 30, 10, 5],
      [10, 5],
    ]);
  });
});

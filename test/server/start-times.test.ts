/**
 * Prometheus's switches for XOR2 chunks and start times, with the real server: scraped and remote-written, killed, blocks
 * cut, on and off again. Answers stay what they were; start times are on the disk.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { PageCache } from "../../src/base/page-cache.ts";
import { Histogram } from "../../src/model/histogram.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { loadCodecs } from "../../src/node/codecs.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { mergeQueriers } from "../../src/storage/merge.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { Db } from "../../src/tsdb/db.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { hints, noContext } from "../head/fixture.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite, staleBits } from "../peers/remote-write.ts";

type Server = Awaited<ReturnType<typeof startServer>>;

const stepMs = 150;
const blockMs = 4000;
const createdSeconds = 1_600_000_000;
const short = [
  "--storage.tsdb.min-block-duration=4s",
  "--storage.tsdb.max-block-duration=4s",
  "--storage.tsdb.block-reload-interval=1s",
  "--storage.tsdb.head-snapshot-interval=2s",
];
const starts = "--enable-feature=st-storage,histograms-st-encoding";
let dir: string;
let exporter: HttpServer;
let step = 0;
let scrapes = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-start-times-"));
  exporter = createServer((_, response) => {
    const page = `# TYPE c counter\nc_total ${++scrapes}\nc_created ${createdSeconds}\n# EOF\n`;
    response.writeHead(200, { "content-type": "application/openmetrics-text; version=1.0.0" }).end(page);
  });
  await new Promise<void>((listening) => exporter.listen(0, "127.0.0.1", listening));
});
afterAll(() => {
  exporter.close();
  rmSync(dir, { recursive: true, force: true });
});

/** `floats`: of chunk_encoding, "" for none. */
const config = (floats: string) => `
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: counters
    static_configs: [{targets: ["127.0.0.1:${(exporter.address() as AddressInfo).port}"]}]
${floats === "" ? "" : `storage: {tsdb: {chunk_encoding: {floats: ${floats}}}}`}`;

function histogramAt(at: number): Histogram {
  const length = 1 + (at % 3);
  return new Histogram({
    isFloat: false,
    zeroThreshold: 0.001,
    count: length * at,
    sum: at * 1.5,
    positiveSpans: [{ offset: 0, length }],
    positiveBuckets: new Float64Array(length).fill(at),
  });
}

/** One after the other, as time goes. */
async function write(server: Server, steps: number) {
  for (const end = step + steps; step < end; step++) {
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    const t = Date.now();
    const floats = [0, 1, 2].map((i) => ({
      labels: { __name__: "f", i: `${i}` },
      samples: [{ t, bits: step % 17 === i ? staleBits : bitsOf(step / (i + 1)) }],
    }));
    const histogram = {
      labels: { __name__: "h" },
      samples: [],
      histograms: [{ t, histogram: histogramAt(step) }],
    };
    expect(await remoteWrite(server.url, [...floats, histogram])).toEqual({ status: 204, text: "" });
  }
}

/** What was remote-written, in the API's words. */
async function written(server: Server): Promise<Record<string, unknown[]>> {
  const answer = await queryInstant(server.url, '{__name__=~"f|h"}[1h]', Date.now() / 1000 + 60);
  const found: Record<string, unknown[]> = {};
  for (const { metric, values = [], histograms = [] } of resultOf(answer))
    found[`${metric.__name__}${metric.i ?? ""}`] = [...values, ...histograms];
  return found;
}

async function metric(server: Server, name: string): Promise<number> {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(page)?.[1]);
}

/** What is on the disk: encodings of the chunks in blocks, start times of the scraped counter in blocks and head. */
async function onDisk(): Promise<{ encodings: number[]; counterStarts: Set<number> }> {
  const copy = mkdtempSync(join(tmpdir(), "narthex-start-times-copy-"));
  cpSync(join(dir, "data"), copy, { recursive: true });
  const env = {
    fs: nodeFs,
    clock: nodeClock,
    random: nodeRandom,
    logger: new RecordingLogger(),
    codecs: await loadCodecs(),
    cache: new PageCache(1 << 20),
  };
  const db = new Db(env, copy, {
    blockRangeMs: blockMs,
    samplesPerChunk: 120,
    walSegmentBytes: 1 << 27,
    walCompression: "none",
    walSync: "segment",
    exemplarsMax: 0,
    encodings: { floats: "xor2", histogramStarts: true },
    keepsStarts: true,
  });
  const store = new HeadChunkReader(env, join(copy, "chunks_head"));
  const head = new HeadReader(db.head.memory, store, 1);
  const blocks = BlockSet.open(env, copy);
  const encodings = new Set<number>();
  for (const block of blocks.blocks) {
    const { index, chunks: stored } = block.readThrough();
    for (const ref of index.postings("", "")) {
      const { chunks = [] } = index.series(ref, -Infinity, Infinity) ?? {};
      for (let i = 0; i < chunks.length; i += 3)
        encodings.add(stored.storedChunk(chunks[i + 2], chunks[i], chunks[i + 1]).encoding);
    }
  }
  const querier = mergeQueriers([...blocks.queriers(-Infinity, Infinity), head.querier(-Infinity, Infinity)]);
  const counterStarts = new Set<number>();
  const counters = [new Matcher("=", "__name__", "c_total")];
  for (const series of querier.select(noContext, counters, -Infinity, Infinity, hints, false)) {
    const out = new SampleColumns(1, true);
    series.read(out, -Infinity, Infinity);
    for (let i = 0; i < out.n; i++) counterStarts.add(out.starts?.[i] ?? -1);
  }
  querier.close();
  blocks.close();
  db.close();
  rmSync(copy, { recursive: true });
  return { encodings: [...encodings].sort(), counterStarts };
}

test("without XOR2 chunks start times are refused, at the start and at a reload", async () => {
  await expect(startServer("narthex", dir, { config: config(""), flags: [starts] })).rejects.toThrow();
  const server = await startServer("narthex", dir, { config: config("xor2"), flags: [starts, ...short] });
  try {
    expect(server.log()).toMatch(/this Prometheus and later ones.*3\.14/);
    expect(server.log()).toContain("XOR chunks have no place for the start times");
    writeFileSync(join(dir, "prometheus.yml"), config("xor"));
    const reload = await fetch(`${server.url}/-/reload`, { method: "POST" });
    expect(reload.status).toBe(500);
    expect(await reload.text()).toContain("XOR chunks have no place for the start times");
  } finally {
    await server.kill();
  }
});

test("killed, blocks cut, switched off and half on: the answers stay", async () => {
  const on = { config: config("xor2"), flags: [starts, ...short] };
  const off = { config: config(""), flags: short };
  const floatsOnly = { config: config("xor2"), flags: short };
  let before: Record<string, unknown[]> = {};
  for (const [round, options] of [on, on, off, floatsOnly].entries()) {
    writeFileSync(join(dir, "log"), "");
    const server = await startServer("narthex", dir, options);
    try {
      expect(await written(server), `start ${round}`).toEqual(before);
      expect(server.log().includes("this Prometheus and later ones")).toBe(options !== off);
      await write(server, 45);
      before = await written(server);
      expect(before.h).toHaveLength(step);
      expect(Object.keys(before).sort()).toEqual(["f0", "f1", "f2", "h"]);
      await expect
        .poll(() => metric(server, "prometheus_tsdb_compactions_total"), { timeout: 60_000, interval: 500 })
        .toBeGreaterThan(0);
      expect(await written(server), `blocks of start ${round}`).toEqual(before);
    } finally {
      await server.kill();
    }
    if (round === 1) {
      const { encodings, counterStarts } = await onDisk();
      expect(encodings).toEqual([4, 5]);
      expect(counterStarts).toEqual(new Set([createdSeconds * 1000]));
    }
  }
}, 240_000);

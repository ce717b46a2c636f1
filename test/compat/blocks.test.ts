// Blocks that a real Prometheus wrote, read by us, and the other way round.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { ByteReader } from "../../src/base/bytes.ts";
import { silentLogger } from "../../src/base/env.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { Encoding } from "../../src/chunkenc/encoding.ts";
import { decodeXor, XorAppender } from "../../src/chunkenc/xor.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { IndexWriter } from "../../src/tsdb/index/writer.ts";
import { havePeers, peer, sharedData } from "../peers/find.ts";
import { type AllSamples, compareSamples, remoteRead } from "../peers/remote-read.ts";
import { staleBits } from "../peers/remote-write.ts";
import { bitsOf, chunkSource, noHints, type TestSeries, unlimited } from "../tsdb/chunk-series.ts";

const title = "blocks of a real Prometheus";
const peers = havePeers(title, "promtool");
const crashed = sharedData(title, "data/prometheus-3.5.3-crashed");
const oldBlocks = sharedData(title, "data/prometheus-old-blocks");
const servers = havePeers(title, "prometheus");
const writeEnv = { fs: nodeFs, clock: nodeClock, random: nodeRandom };
const env = { fs: nodeFs, cache: new PageCache(4 << 20), logger: silentLogger };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-compat-blocks-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Only the blocks of a data directory. */
function copyBlocks(from: string, name: string): string {
  const to = join(dir, name);
  mkdirSync(join(to, "wal"), { recursive: true });
  for (const block of blockNames(from)) {
    cpSync(join(from, block), join(to, block), { recursive: true });
  }
  return to;
}

function promtool(...args: string[]): string {
  const run = spawnSync(peer("promtool"), ["tsdb", ...args], { encoding: "utf8", maxBuffer: 2 ** 30 });
  expect(run.stderr, `promtool tsdb ${args.join(" ")}`).toBe("");
  expect(run.status).toBe(0);
  return run.stdout;
}

/** "labels" → "time=value …"; of a histogram its count and sum. */
function dumped(data: string): Map<string, string[]> {
  const series = new Map<string, string[]>();
  const number = (text: string) => Number(text.replace("Inf", "Infinity"));
  for (const line of promtool("dump", data).split("\n")) {
    const native = /^(\{.*\}) \{count:([^,}]+), sum:([^,}]+).*\} (-?\d+)$/.exec(line);
    const float = /^(\{.*\}) (\S+) (-?\d+)$/.exec(line);
    const [labels, text] =
      native !== null
        ? [native[1], `${native[4]}=${number(native[2])}/${number(native[3])}`]
        : float !== null
          ? [float[1], `${float[3]}=${number(float[2])}`]
          : ["", ""];
    if (labels === "") continue;
    const samples = series.get(labels) ?? [];
    samples.push(text);
    series.set(labels, samples);
  }
  return series;
}

/** The same by our own reader. promtool passes over the first two histograms of a series while it looks for floats. */
function readByUs(data: string): Map<string, string[]> {
  const set = BlockSet.open(env, data);
  const querier = set.querier(-Infinity, Infinity);
  const series = new Map<string, string[]>();
  const columns = new SampleColumns();
  const all = [new Matcher("=~", "__name__", ".*")];
  for (const found of querier.select(unlimited, all, -Infinity, Infinity, noHints, true)) {
    columns.clear();
    found.read(columns, -Infinity, Infinity);
    const labels = [...found.labels.entries()].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const samples = Array.from({ length: columns.n }, (_, i) => {
      const histogram = columns.histograms?.[i];
      const value = histogram === undefined ? columns.v[i] : `${histogram.count}/${histogram.sum}`;
      return `${columns.t[i]}=${value}`;
    });
    if (columns.histograms !== undefined) samples.splice(0, 2);
    if (samples.length > 0) series.set(`{${labels.join(", ")}}`, samples);
  }
  querier.close();
  set.close();
  return series;
}

describe.skipIf(!peers || crashed === undefined)("prometheus-3.5.3-crashed", () => {
  test("reads as promtool dumps it", () => {
    const data = copyBlocks(crashed as string, "crashed");
    const want = dumped(data);
    expect(want.size).toBeGreaterThan(2000);
    expect(readByUs(data)).toEqual(want);
  });

  test("every float chunk decodes and encodes to the same bytes; NaNs keep their bits", () => {
    const columns = new SampleColumns();
    const appender = new XorAppender();
    let chunks = 0;
    let stale = 0;
    for (const name of blockNames(crashed as string)) {
      const source = Block.open(env, join(crashed as string, name)).chunkSource();
      for (const series of source.series()) {
        for (const chunk of series.chunks()) {
          if (chunk.encoding !== Encoding.xor) continue;
          columns.clear();
          appender.reset();
          decodeXor(chunk.bytes, 0, chunk.bytes.length, columns, -Infinity, Infinity);
          for (let i = 0; i < columns.n; i++) appender.append(columns.t[i], columns.v, i);
          if (Buffer.compare(appender.bytes(), chunk.bytes) !== 0)
            expect(appender.bytes()).toEqual(chunk.bytes);
          expect([columns.t[0], columns.t[columns.n - 1]]).toEqual([chunk.mint, chunk.maxt]);
          const bits = new BigUint64Array(columns.v.buffer, 0, columns.n);
          stale += bits.includes(0x7ff0000000000002n) ? 1 : 0;
          chunks++;
        }
      }
      source.close();
    }
    expect(chunks).toBeGreaterThan(5000);
    expect(stale).toBeGreaterThan(0);
  });

  test("a block rewritten by us has the same chunk files, and promtool reads it", () => {
    const names = blockNames(crashed as string);
    const to = join(dir, "rewritten");
    mkdirSync(join(to, "wal"), { recursive: true });
    for (const name of names) {
      const block = Block.open(env, join(crashed as string, name));
      const source = block.chunkSource();
      const range = { mint: block.meta.minTime, maxt: block.meta.maxTime };
      const meta = writeBlock(writeEnv, to, source, range);
      source.close();
      const written = join(to, meta?.ulid as string);
      for (const path of ["chunks/000001", "tombstones"]) {
        const same = readFileSync(join(written, path)).equals(readFileSync(join(block.dir, path)));
        expect(same, `${name}/${path}`).toBe(true);
      }
      const { numSamples, numSeries, numChunks } = block.meta.stats;
      expect(meta?.stats).toMatchObject({ numSamples, numSeries, numChunks });
      expect(promtool("analyze", to, meta?.ulid as string)).toContain(`Total Series: ${numSeries}`);
    }
    expect(promtool("list", to).trim().split("\n").length).toBe(1 + names.length);
    const up = '--match={__name__=~"up|go_.*"}';
    expect(promtool("dump", up, to)).toBe(promtool("dump", up, copyBlocks(crashed as string, "original")));
  });
});

describe.skipIf(!peers || oldBlocks === undefined)("blocks of early versions", () => {
  test("index version 1 reads as promtool dumps it", () => {
    const data = join(dir, "v1");
    mkdirSync(join(data, "wal"), { recursive: true });
    cpSync(join(oldBlocks as string, "index_format_v1"), join(data, "01DXXFZDYD1MQW6079WK0K6EDQ"), {
      recursive: true,
    });
    const want = dumped(data);
    expect(want.size).toBe(102);
    expect(readByUs(data)).toEqual(want);
    const set = BlockSet.open(env, data);
    const querier = set.querier(0, 1);
    expect(querier.labelNames(unlimited, [], 0)).toEqual(["bar", "foo"]);
    expect(querier.labelValues(unlimited, "foo", [], 0)).toEqual(["bar", "baz"]);
    set.close();
  });

  test("an index of version 2 whose header says 1 is read by its meta.json", () => {
    const block = join(dir, "01BZJ9WJQPWHGNC2W4J9TA62KC");
    cpSync(join(oldBlocks as string, "repair_index_version/01BZJ9WJQPWHGNC2W4J9TA62KC"), block, {
      recursive: true,
    });
    mkdirSync(join(block, "chunks"));
    const { index } = Block.open(env, block).acquire();
    const refs = [...index.postings("b", "1")];
    expect(refs.map((ref) => [index.labelValue(ref, "a"), index.labelValue(ref, "b")])).toEqual([
      ["1", "1"],
      ["2", "1"],
    ]);
    expect(index.labelNames()).toEqual(["b"]);
    index.close();
  });
});

test.skipIf(!peers)("an index rewritten by us is the same, section by section", () => {
  // Written by promtool from a text: unlike a head's, its symbol table has nothing but what its series use.
  const lines = Array.from({ length: 3000 }, (_, i) => {
    const labels = `i="${i}",path="/é/${i % 7}",job="job${i % 40}",status="${200 + (i % 3)}"`;
    return `metric_${i % 11}_total{${labels}} ${i} ${1_700_000_000 + (i % 9)}`;
  });
  const text = join(dir, "text");
  const families = Array.from({ length: 11 }, (_, k) => [
    `# TYPE metric_${k} counter`,
    ...lines.filter((line) => line.startsWith(`metric_${k}_`)),
  ]);
  writeFileSync(text, [...families.flat(), "# EOF", ""].join("\n"));
  const data = join(dir, "from-text");
  promtool("create-blocks-from", "openmetrics", "--quiet", text, data);
  const [name] = blockNames(data);
  const original = Block.open(env, join(data, name));
  const { index } = original.acquire();
  const path = join(dir, "rewritten-index");
  const writer = new IndexWriter(nodeFs, path);
  const refs = index.postings("", "");
  expect(refs.length).toBe(3000);
  for (const ref of refs) {
    const series = index.series(ref, -Infinity, Infinity);
    if (series !== undefined) writer.addSeries(series.labels, series.chunks);
  }
  writer.finish();
  original.release();
  const want = sectionsOf(join(original.dir, "index"));
  expect(sectionsOf(path)).toEqual(want);
});

describe.skipIf(!servers)("blocks that we wrote", () => {
  test("a real Prometheus serves them bit for bit", async () => {
    // No -0: remote read omits it like 0.
    const special = [staleBits, bitsOf(Number.NaN), bitsOf(-Infinity), bitsOf(5e-324), 0x7ff8000000000001n];
    const value = (i: number, s: number) => (i % 17 === s % 17 ? special[i % special.length] : i * s * 0.1);
    const start = Math.floor(Date.now() / 7200_000) * 7200_000 - 3 * 7200_000;
    const data = join(dir, "ours", "data");
    mkdirSync(data, { recursive: true });
    const want: AllSamples = new Map();
    for (const block of [0, 1, 2]) {
      const series = Array.from(
        { length: 200 },
        (_, s): TestSeries => ({
          labels: { __name__: `m${s % 7}`, i: String(s), path: `/é/${s % 5}\u{1f600}` },
          samples: Array.from({ length: 300 }, (_, i) => [
            start + block * 7200_000 + i * 24_000 + s,
            value(i, s),
          ]),
        }),
      );
      const range = { mint: start + block * 7200_000, maxt: start + (block + 1) * 7200_000 };
      expect(writeBlock(writeEnv, data, chunkSource(series), range)?.stats.numSamples).toBe(60_000);
      for (const { labels, samples } of series) {
        const key = Object.entries(labels)
          .map(([name, text]) => `${name}=${JSON.stringify(text)}`)
          .sort()
          .join(",");
        const points = samples.map(([t, v]): [number, string] => [
          t,
          bitsOf(v).toString(16).padStart(16, "0"),
        ]);
        want.set(key, [...(want.get(key) ?? []), ...points]);
      }
    }
    const prometheus = await startServer("prometheus", join(dir, "ours"));
    try {
      const got = await remoteRead(prometheus.url, start, Date.now());
      expect(compareSamples(want, got.samples)).toEqual([]);
      expect(prometheus.log()).not.toMatch(/level=(WARN|ERROR)/i);
    } finally {
      await prometheus.kill();
    }
  });
});

function blockNames(data: string): string[] {
  return readdirSync(data).filter((entry) => /^[0-9A-Z]{26}$/.test(entry));
}

/** What of an index file must be the same however its sections are placed. */
function sectionsOf(path: string) {
  const bytes = readFileSync(path);
  const toc = Array.from({ length: 6 }, (_, i) => Number(bytes.readBigUInt64BE(bytes.length - 52 + 8 * i)));
  const [symbolsAt, series, labelIndices, labelTable, postingsAt, postingsTable] = toc;
  const postings = Math.ceil(postingsAt / 4) * 4;
  const symbols: string[] = [];
  const table = new ByteReader(bytes, path, 0, symbolsAt + 4);
  for (let left = table.u32(); left > 0; left--) symbols.push(table.string());
  const entries: [string, string, number][] = [];
  const offsets = new ByteReader(bytes, path, 0, postingsTable + 4);
  for (let left = offsets.u32(); left > 0; left--) {
    expect(offsets.uvarint()).toBe(2);
    entries.push([offsets.string(), offsets.string(), offsets.uvarint() - postings]);
  }
  const part = (from: number, to: number) =>
    createHash("sha256").update(bytes.subarray(from, to)).digest("hex");
  return {
    head: part(0, series),
    symbols,
    series: part(series, labelIndices),
    postings: part(postings, labelTable),
    entries,
  };
}

// The WAL, checkpoints and chunks_head between us and a real Prometheus, both ways.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { PageCache } from "../../src/base/page-cache.ts";
import { XorAppender } from "../../src/chunkenc/xor.ts";
import { Labels } from "../../src/model/labels.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { scanHeadChunks } from "../../src/tsdb/chunks/head-chunk-scan.ts";
import { HeadChunkWriter } from "../../src/tsdb/chunks/head-chunk-writer.ts";
import type { SampleBatch } from "../../src/tsdb/record/samples.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { setForeignStateAside } from "../../src/tsdb/wal/foreign-state.ts";
import { type Compression, listSegments } from "../../src/tsdb/wal/segment.ts";
import { SegmentWriter } from "../../src/tsdb/wal/segment-writer.ts";
import { Wal } from "../../src/tsdb/wal/wal.ts";
import { WalLog } from "../../src/tsdb/wal/wal-log.ts";
import { havePeers, sharedData } from "../peers/find.ts";
import { type AllSamples, compareSamples, remoteRead } from "../peers/remote-read.ts";
import { bitsOf } from "../peers/remote-write.ts";
import { codecs, ReplayedWal, recordsOf } from "../tsdb/wal-world.ts";

const title = "the WAL of a real Prometheus";
const peers = havePeers(title, "prometheus");
const crashed = sharedData(title, "data/prometheus-3.5.3-crashed");

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-compat-wal-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A server directory `name` with a copy of parts of the crashed data directory. */
function copyOf(name: string, ...parts: string[]): string {
  for (const part of parts) {
    cpSync(join(crashed as string, part), join(dir, name, "data", part), { recursive: true });
  }
  return join(dir, name);
}

/**
 * The crashed directory has a million samples in 4.5 minutes. These are compared: the last 40 seconds, in which
 * hundreds of series end. (The proofs in test/proof compare everything.)
 */
const window = [1_795_275_500_000, 1_795_275_540_000] as const;
const everything = [0, 2e15] as const;

/** What a Prometheus started on `server` answers for a range of time; its log must not complain. */
async function readByPrometheus(
  server: string,
  [mint, maxt]: readonly [number, number] = window,
  allowed = /^$/,
): Promise<{ samples: AllSamples; histograms: number }> {
  const prometheus = await startServer("prometheus", server);
  try {
    const answer = await remoteRead(prometheus.url, mint, maxt);
    const complaints = prometheus.log().match(/.*level=(WARN|ERROR).*/g) ?? [];
    expect(complaints.filter((line) => !/lockfile/.test(line) && !allowed.test(line))).toEqual([]);
    return answer;
  } finally {
    await prometheus.stop();
  }
}

/** What the real server answers from the crashed WAL alone. */
let original: ReturnType<typeof readByPrometheus> | undefined;
function originalByPrometheus() {
  original ??= readByPrometheus(copyOf("original", "wal"));
  return original;
}

/** Gathers a replay as the head would, without its rules: samples by labels, each time once. */
class HeadLike extends ReplayedWal {
  readonly #points = new Map<string, Map<number, string>>();
  floatCount = 0;
  readonly #range: readonly [number, number];

  /** Only samples in `range` are kept. */
  constructor(range: readonly [number, number]) {
    super();
    this.#range = range;
  }

  override samples(batch: SampleBatch): void {
    const words = new Uint32Array(batch.v.buffer);
    this.floatCount += batch.n;
    const [mint, maxt] = this.#range;
    for (let i = 0; i < batch.n; i++) {
      const labels = this.labels.get(batch.walRefs[i]);
      if (labels === undefined) throw new Error(`nobody has WAL ref ${batch.walRefs[i]}`);
      if (batch.t[i] < mint || batch.t[i] > maxt) continue;
      let points = this.#points.get(labels.key);
      if (points === undefined) this.#points.set(labels.key, (points = new Map()));
      const bits = hex(words[2 * i + 1]) + hex(words[2 * i]);
      // Remote read leaves out values that are equal to 0, so -0 arrives as 0.
      points.set(batch.t[i], bits === "8000000000000000" ? "0000000000000000" : bits);
    }
  }

  all(): AllSamples {
    const keys = new Map([...this.labels.values()].map((labels) => [labels.key, labels]));
    return new Map(
      [...this.#points].map(([key, points]): [string, [number, string][]] => [
        [...(keys.get(key) as Labels).entries()]
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          .sort()
          .join(","),
        [...points],
      ]),
    );
  }
}

const hex = (word: number) => word.toString(16).padStart(8, "0");
const hex64 = (bits: bigint) => bits.toString(16).padStart(16, "0");

function environment() {
  return { fs: nodeFs, clock: nodeClock, logger: new RecordingLogger(), codecs };
}

function openWal(server: string, sink = new HeadLike(window), compression: Compression = "snappy") {
  const env = environment();
  const quarantineDir = join(server, "data/quarantine");
  const wal = Wal.open(env, join(server, "data/wal"), { quarantineDir, compression }, sink);
  return { env, wal, sink };
}

describe.skipIf(crashed === undefined)("read by us: a WAL that a killed Prometheus left", () => {
  test.skipIf(!peers)("every sample, bit for bit as the real server answers", async () => {
    const { sink, wal, env } = openWal(copyOf("read", "wal"));
    wal.close();
    expect(env.logger.lines).toEqual([]);
    const want = await originalByPrometheus();
    const stale = [...want.samples.values()].flat().filter(([, bits]) => bits === "7ff0000000000002");
    expect(stale.length).toBeGreaterThan(100);
    expect(compareSamples(want.samples, sink.all())).toEqual([]);
    expect(sink.floatCount).toBeGreaterThan(1_000_000);
    expect(sink.histogramCount).toBeGreaterThan(10_000);
    expect(sink.metadataEntries.length).toBeGreaterThan(3000);
  });

  test("its records written again by us give the same bytes", () => {
    const wal = join(crashed as string, "wal");
    for (const segment of listSegments(nodeFs, wal)) {
      const copy = join(dir, `again-${segment.index}`);
      mkdirSync(copy);
      const writer = SegmentWriter.create({ fs: nodeFs, codecs }, copy, 0, {
        compression: "snappy",
        segmentBytes: 128 * 1024 * 1024,
        finish: () => {},
      });
      for (const record of recordsOf(nodeFs, [segment])) writer.write([record], false);
      const size = writer.offset;
      writer.close();
      const original = readFileSync(segment.path);
      const again = readFileSync(join(copy, "00000000"));
      // Full segments end with their page; the last one ends where the process was killed.
      const end = Math.min(original.length, again.length);
      expect(Buffer.compare(original.subarray(0, end), again.subarray(0, end)), segment.path).toBe(0);
      expect(original.length === again.length || original.length === size, segment.path).toBe(true);
    }
  });

  test("every chunk of chunks_head", () => {
    const server = copyOf("chunks", "chunks_head");
    const env = environment();
    const refs: number[] = [];
    let samples = 0;
    const chunksDir = join(server, "data/chunks_head");
    const { chunkCount, setAside } = scanHeadChunks(
      env,
      chunksDir,
      join(server, "data/quarantine"),
      (chunk) => {
        refs.push(chunk.ref);
        samples += chunk.sampleCount;
        return "";
      },
    );
    expect({ chunkCount, setAside, samples }).toEqual({ chunkCount: 2268, setAside: [], samples: 354_086 });
    const reader = new HeadChunkReader({ fs: nodeFs, cache: new PageCache(1 << 20) }, chunksDir);
    for (const ref of refs) expect(reader.read(ref).mint).toBeLessThanOrEqual(reader.read(ref).maxt);
    reader.close();
  });
});

describe.skipIf(!peers || crashed === undefined)("Prometheus → us → Prometheus", () => {
  test("with records and a checkpoint of ours nothing is lost, histograms included", async () => {
    const before = await originalByPrometheus();
    const server = copyOf("back", "wal");
    const { wal, env } = openWal(server);
    const log = new WalLog(wal);
    const walRef = wal.replayed.walRefMax + 1;
    const t = Math.max(...[...before.samples.values()].map((points) => points[points.length - 1][0]));
    const added = Labels.of({ __name__: "added_by_us" });
    log.logSeries({ n: 1, walRefs: Float64Array.of(walRef), labels: () => added });
    log.logSamples(Float64Array.of(walRef), Float64Array.of(t), Float64Array.of(0.1), 1);
    log.flush();
    const stats = writeCheckpoint(env, wal.dir, { from: 0, to: 1 }, { mint: 0, keep: () => true });
    expect(stats).toMatchObject({ droppedSeries: 0, droppedSamples: 0 });
    expect(wal.dropCovered()).toBe(2);
    wal.close();
    const after = await readByPrometheus(server);
    expect(after.samples.get('__name__="added_by_us"')).toEqual([[t, "3fb999999999999a"]]);
    after.samples.delete('__name__="added_by_us"');
    expect(compareSamples(before.samples, after.samples)).toEqual([]);
    expect(after.histograms).toBe(before.histograms);
  });

  test("with a checkpoint that drops old samples and gone series", async () => {
    const all = await originalByPrometheus();
    const times = [...all.samples.values()].flatMap((points) => points.map(([t]) => t));
    const mint = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
    const server = copyOf("half", "wal");
    const { wal, env, sink } = openWal(server);
    const wanted = (labels: Labels | undefined) => labels !== undefined && labels.get("job") !== "redis";
    writeCheckpoint(
      env,
      wal.dir,
      { from: 0, to: 2 },
      { mint, keep: (walRef) => wanted(sink.labels.get(walRef)) },
    );
    wal.dropCovered();
    wal.close();
    const want = new Map<string, [number, string][]>();
    for (const [labels, points] of all.samples) {
      const young = points.filter(([t]) => t >= mint);
      if (young.length > 0 && !/(^|,)job="redis"/.test(labels)) want.set(labels, young);
    }
    // The samples of the series that were dropped are samples of nobody, which the log says.
    const { samples } = await readByPrometheus(server, window, /Unknown series references/);
    expect(compareSamples(want, samples)).toEqual([]);
  });
});

describe.skipIf(!peers)("read by Prometheus: what we write", () => {
  const bits = [
    0x7ff0000000000002n,
    0x7ff8000000000001n,
    0x7ff0000000000000n,
    0xfff0000000000000n,
    1n,
    0x3ff8n,
  ];

  test.each(["snappy", "zstd", "none"] as const)("a WAL, %s", async (compression) => {
    const server = join(dir, `ours-${compression}`);
    const { wal } = openWal(server, new HeadLike(everything), compression);
    const log = new WalLog(wal);
    const start = 1_700_000_000_000;
    for (let batch = 0; batch < 300; batch++) {
      const n = 200;
      const walRefs = Float64Array.from({ length: n }, (_, i) => i + 1);
      if (batch === 0) {
        const labels = (i: number) =>
          Labels.of({ __name__: `metric_${i % 10}`, i: String(i), text: `"ü\n${"x".repeat(i)}` });
        log.logSeries({ n, walRefs, labels });
        log.logMetadata([{ walRef: 1, metadata: { type: "counter", unit: "bytes", help: "Hilfe" } }]);
      }
      const t = new Float64Array(n).fill(start + batch * 1000);
      const v = Float64Array.from({ length: n }, (_, i) => Math.sin(i + batch));
      new BigUint64Array(v.buffer).set(bits, batch % 100);
      log.logSamples(walRefs, t, v, n);
      log.logExemplars([
        { walRef: 3, t: start + batch * 1000, value: batch, labels: Labels.of({ id: "a" }) },
      ]);
      log.flush();
      if (batch % 70 === 60) wal.planCheckpoint();
    }
    if (compression !== "zstd") wal.close();
    const want = new HeadLike(everything);
    const copy = join(dir, `ours-${compression}-copy`);
    cpSync(join(server, "data"), join(copy, "data"), { recursive: true });
    openWal(copy, want).wal.close();
    expect(want.floatCount).toBe(60_000);
    const { samples } = await readByPrometheus(server, everything);
    expect(compareSamples(want.all(), samples)).toEqual([]);
  });

  test("chunks_head: chunks whose samples the WAL no longer has", async () => {
    const server = join(dir, "our-chunks");
    const { wal } = openWal(server);
    const writer = HeadChunkWriter.open({ fs: nodeFs }, join(server, "data/chunks_head"), undefined, {
      fileBytesMax: 100_000,
    });
    const log = new WalLog(wal);
    const want: AllSamples = new Map();
    const start = 1_700_000_000_000;
    const appender = new XorAppender();
    for (let i = 1; i <= 200; i++) {
      const labels = Labels.of({ __name__: "m", i: String(i) });
      log.logSeries({ n: 1, walRefs: Float64Array.of(i), labels: () => labels });
      const points: [number, string][] = [];
      for (let chunk = 0; chunk < 6; chunk++) {
        appender.reset();
        const v = Float64Array.from({ length: 120 }, (_, k) => Math.cos(k * i + chunk));
        new BigUint64Array(v.buffer).set(bits, 7);
        const t = (k: number) => start + (chunk * 120 + k) * 15_000;
        for (let k = 0; k < 120; k++) {
          appender.append(t(k), v, k);
          points.push([t(k), hex64(new BigUint64Array(v.buffer)[k])]);
        }
        writer.append(i, t(0), t(119), 1, appender.bytes());
      }
      const last = start + 720 * 15_000;
      log.logSamples(Float64Array.of(i), Float64Array.of(last), Float64Array.of(i), 1);
      log.flush();
      points.push([last, hex64(bitsOf(i))]);
      want.set(`__name__="m",i="${i}"`, points);
    }
    writer.flush();
    expect(readdirSync(join(server, "data/chunks_head")).length).toBeGreaterThan(3);
    const { samples } = await readByPrometheus(server, everything);
    expect(compareSamples(want, samples)).toEqual([]);
  });
});

test("Prometheus's start-up state is moved aside before our first write", () => {
  const data = join(dir, "foreign/data");
  mkdirSync(join(data, "wal"), { recursive: true });
  mkdirSync(join(data, "chunk_snapshot.000003.0000000012"));
  writeFileSync(join(data, "chunk_snapshot.000003.0000000012/00000000"), "snapshot");
  writeFileSync(join(data, "wal/series_state.json"), "{}");
  writeFileSync(join(data, "wal/00000003"), "");
  const env = environment();
  const quarantine = join(data, "quarantine");
  expect(setForeignStateAside(env, data, quarantine).map(({ to }) => to)).toEqual([
    join(quarantine, "chunk_snapshot.000003.0000000012"),
    join(quarantine, "series_state.json"),
  ]);
  expect(readFileSync(join(quarantine, "chunk_snapshot.000003.0000000012/00000000"), "utf8")).toBe(
    "snapshot",
  );
  expect(readdirSync(data).sort()).toEqual(["quarantine", "wal"]);
  expect(existsSync(join(data, "wal/00000003"))).toBe(true);
  expect(setForeignStateAside(env, data, quarantine)).toEqual([]);
  expect(setForeignStateAside(env, join(data, "nothing"), quarantine)).toEqual([]);
  expect(env.logger.at("info").map(({ fields }) => fields.movedTo)).toHaveLength(2);
});

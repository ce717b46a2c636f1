/**
 * A directory with damage in blocks, deletions, the write-ahead log, a checkpoint and head chunk files, which a start has
 * repaired: the real Prometheus opens it, has nothing to complain of, and answers as we do.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { silentLogger } from "../../src/base/env.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { deleteSamples } from "../../src/tsdb/compact/delete-samples.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { Db } from "../../src/tsdb/db.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { append, type Row } from "../head/fixture.ts";
import { havePeers } from "../peers/find.ts";
import { keyOf, queryInstant, resultOf } from "../peers/query-api.ts";
import { chunkSource } from "../tsdb/chunk-series.ts";
import { codecs } from "../tsdb/wal-world.ts";

const peers = havePeers("a repaired directory in Prometheus", "prometheus");
const rangeMs = 7_200_000;
const step = 15_000;
const begin = 1_699_200_000_000;
const seriesCount = 8;
/** Blocks, then the head, each of two hours. */
const [blockCount, headRounds] = [3, 400];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-damaged-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const labelsOf = (i: number) => ({ __name__: i < 4 ? "up" : "down", i: `${i}`, job: `j${i % 2}` });
const value = (i: number, t: number) => i * 1e6 + ((t - begin) / step) * (1 + i);

/** Returns the names of the blocks. */
function writeDirectory(data: string): string[] {
  const env = {
    fs: nodeFs,
    codecs,
    clock: new ManualClock(begin),
    random: new SeededRandom(1),
    logger: silentLogger,
    cache: new PageCache(1 << 20),
  };
  mkdirSync(data, { recursive: true });
  const names: string[] = [];
  for (let b = 0; b < blockCount; b++) {
    const from = begin + b * rangeMs;
    const series = Array.from({ length: seriesCount }, (_, i) => ({
      labels: labelsOf(i),
      samples: Array.from({ length: rangeMs / step }, (_, k) => {
        const t = from + k * step;
        return [t, value(i, t)] as const;
      }),
    }));
    env.clock.advance(1);
    const meta = writeBlock(env, data, chunkSource(series, 120), { mint: from, maxt: from + rangeMs });
    names.push(meta?.ulid as string);
  }
  const block = Block.open(env, join(data, names[1]));
  const mint = begin + rangeMs;
  for (const i of ["1", "6"]) {
    deleteSamples(nodeFs, block, mint + 600_000, mint + 1_200_000, [new Matcher("=", "i", i)]);
  }
  for (let start = 0; start < 4; start++) {
    const db = new Db(env, data, {
      blockRangeMs: rangeMs,
      samplesPerChunk: 20,
      walSegmentBytes: 1 << 20,
      walCompression: "snappy",
      walSync: "segment",
      exemplarsMax: 0,
    });
    for (let k = start * 100; k < start * 100 + headRounds / 4; k++) {
      const t = begin + blockCount * rangeMs + k * step;
      append(
        db.appender,
        Array.from({ length: seriesCount }, (_, i): Row => [labelsOf(i), t, value(i, t)]),
      );
    }
    db.close();
  }
  const wal = join(data, "wal");
  writeCheckpoint(env, wal, { from: 0, to: 1 }, { mint: begin, keep: () => true, compression: "snappy" });
  for (const name of ["00000000", "00000001"]) rmSync(join(wal, name));
  return names;
}

/** Changes a byte, of a file that has it. */
function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  expect(bytes.length, path).toBeGreaterThan(at);
  bytes[at] ^= 0x21;
  writeFileSync(path, bytes);
}

async function answers(url: string): Promise<{ samples: unknown; warnings: readonly string[] }> {
  const time = (begin + blockCount * rangeMs + headRounds * step) / 1000;
  const answer = await queryInstant(url, '{__name__=~"up|down"}[9h]', time);
  const samples = Object.fromEntries(resultOf(answer).map((one) => [keyOf(one.metric), one.values]));
  return { samples, warnings: answer.body.warnings ?? [] };
}

test.skipIf(!peers)("Prometheus opens what was repaired and answers alike", async () => {
  const home = join(dir, "ours");
  const data = join(home, "data");
  const names = writeDirectory(data);
  damage(join(data, names[0], "chunks/000001"), 400);
  damage(join(data, names[1], "tombstones"), 7);
  damage(join(data, names[1], "meta.json"), 40);
  damage(join(data, names[2], "index"), 40);
  damage(join(data, "wal/checkpoint.00000001/00000000"), 3000);
  damage(join(data, "wal/00000002"), 2000);
  damage(join(data, "chunks_head", readdirSync(join(data, "chunks_head"))[0]), 300);

  const ours = await startServer("narthex", home, { flags: ["--storage.tsdb.verify-on-start"] });
  const mine = await answers(ours.url).finally(() => ours.kill());
  const notes = readdirSync(join(data, "quarantine")).filter((name) => name.endsWith(".note.json"));
  expect(notes.length, notes.join()).toBeGreaterThanOrEqual(6);
  expect(mine.warnings.length, mine.warnings.join("\n")).toBeGreaterThanOrEqual(3);
  expect(Object.keys(mine.samples as object)).toHaveLength(seriesCount);

  const copy = join(dir, "copy");
  cpSync(data, join(copy, "data"), { recursive: true });
  const theirs = await startServer("prometheus", copy, { flags: ["--storage.tsdb.retention.time=10y"] });
  try {
    const { samples } = await answers(theirs.url);
    expect(samples).toEqual(mine.samples);
    const lines = theirs.log().split("\n");
    const alarming = lines.filter((line) => /level=(WARN|ERROR)|corrupt/i.test(line));
    // We were killed.
    expect(alarming.filter((line) => !line.includes("lockfile from a previous execution"))).toEqual([]);
  } finally {
    await theirs.kill();
  }
});

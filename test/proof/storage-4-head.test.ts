// Proof 4, head: every byte of a head chunk file, a WAL segment and a checkpoint, one random bit and 0xFF. The database
// opens, every sample it shows is right, at most the damaged record is missing, what was damaged is in quarantine, and a
// query that reaches what is missing carries a warning, then and after every later start.
import { expect, test } from "vitest";
import { silentLogger } from "../../src/base/env.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { type Loss, readNotes } from "../../src/base/quarantine-note.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { Db } from "../../src/tsdb/db.ts";
import { HeadReader } from "../../src/tsdb/head/head-reader.ts";
import { HeadMemory } from "../../src/tsdb/head/memory.ts";
import { RecordType } from "../../src/tsdb/record/record-type.ts";
import { repairDamage } from "../../src/tsdb/salvage/data-directory.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { SegmentWriter } from "../../src/tsdb/wal/segment-writer.ts";
import { append, type Row } from "../head/fixture.ts";
import { readAll } from "../tsdb/block-dir.ts";
import { noHints, unlimited } from "../tsdb/chunk-series.ts";
import { codecs, recordsOf } from "../tsdb/wal-world.ts";
import { size } from "./size.ts";

const start = 1_700_000_000_000;
const everything = [new Matcher("=~", "__name__", ".+")];
const env = (fs: MemFs) => ({
  fs,
  codecs,
  clock: new ManualClock(),
  random: new SeededRandom(1),
  logger: silentLogger,
});
const open = (fs: MemFs) =>
  new Db(env(fs), "data", {
    blockRangeMs: 7_200_000,
    samplesPerChunk: 8,
    walSegmentBytes: 1 << 20,
    walCompression: "none",
    walSync: "segment",
    exemplarsMax: 0,
  });

/** Three series; each round is one record of three samples. */
function write(fs: MemFs, from: number, to: number): Db {
  const db = open(fs);
  for (let k = from; k < to; k++) {
    append(
      db.appender,
      ["a", "b", "c"].map((name, i): Row => [{ __name__: name, i: `${i}` }, start + k * 15_000, k * 10 + i]),
    );
  }
  return db;
}

function directory(): MemFs {
  const fs = new MemFs();
  for (let i = 0; i < 3; i++) write(fs, i * 10, i * 10 + 10).close();
  writeCheckpoint(
    env(fs),
    "data/wal",
    { from: 0, to: 1 },
    { mint: 0, keep: () => true, compression: "none" },
  );
  for (const name of ["00000000", "00000001"]) fs.removeFile(`data/wal/${name}`);
  return fs;
}

function contents(fs: MemFs, { head }: Db): Map<string, bigint> {
  const store = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, "data/chunks_head");
  const querier = new HeadReader(HeadMemory.attach(head.handle), store).querier(-Infinity, Infinity);
  const samples = new Map<string, bigint>();
  for (const [series, points] of Object.entries(readAll(querier, everything))) {
    for (const [t, bits] of points) samples.set(`${series} ${t}`, bits);
  }
  querier.close();
  store.close();
  return samples;
}

/** What a query of [mint, maxt] warns of. */
function warnings(fs: MemFs, mint: number, maxt: number): string[] {
  const blocks = BlockSet.open({ fs, cache: new PageCache(1 << 20), logger: silentLogger }, "data");
  const texts: string[] = [];
  const querier = blocks.querier(mint, maxt);
  const context = { ...unlimited, warn: (text: string) => texts.push(text) };
  querier.select(context, everything, mint, maxt, noHints, false);
  querier.close();
  blocks.close();
  return texts;
}

const whole = directory();
const all = contents(whole.clone(), open(whole.clone()));
const step = size(23, 1);

test("what the log does not have of a damaged head chunk file is named by series, and queries are warned", () => {
  const fs = whole.clone();
  // The segments and the checkpoint without the records of samples: only the series are left.
  for (const path of ["data/wal/checkpoint.00000001/00000000", "data/wal/00000002"]) {
    const dir = path.slice(0, path.lastIndexOf("/"));
    const kept = recordsOf(fs, [{ index: 0, path }]).filter(([type]) => type === RecordType.series);
    fs.removeFile(path);
    const options = { compression: "none", segmentBytes: 1 << 20, finish: () => {} } as const;
    const writer = SegmentWriter.create(env(fs), dir, Number(path.slice(-8)), options);
    if (kept.length > 0) writer.write(kept, false);
    writer.close();
  }
  const sound = open(fs.clone());
  const before = contents(fs.clone(), sound);
  const bytes = fs.readFile("data/chunks_head/000001");
  fs.open("data/chunks_head/000001", "write").writeAt(Uint8Array.of(bytes[60] ^ 1), 60);
  const db = open(fs);
  const lost = [...before.keys()].filter((sample) => !contents(fs, db).has(sample));
  expect(lost.length).toBeGreaterThan(0);
  const losses = [...readNotes(fs, "data/quarantine").values()].flatMap((note) => note.lost);
  for (const sample of lost) {
    const t = Number(sample.split(" ").at(-1));
    const name = sample[0];
    const isNamed = ({ mint, maxt, labels }: Loss) => mint <= t && t <= maxt && labels?.[1] === name;
    expect(losses.some(isNamed), sample).toBe(true);
    expect(warnings(fs, t, t), sample).toHaveLength(1);
  }
  expect(losses.every(({ mint, maxt }) => warnings(fs, mint, maxt).length > 0)).toBe(true);
  expect(warnings(fs, -Infinity, start - 1)).toEqual([]);
  db.close();
});

test("a head chunk file that was repaired offline is judged by the next start", () => {
  const fs = whole.clone();
  fs.open("data/chunks_head/000002", "write").writeAt(Uint8Array.of(0xee), 60);
  expect(repairDamage(env(fs), "data", () => {})).toHaveLength(1);
  expect(warnings(fs, -Infinity, Infinity)).not.toEqual([]);
  open(fs).close();
  expect(warnings(fs, -Infinity, Infinity)).toEqual([]);
});

test.each([
  // Nothing is lost: the WAL has all that is in chunk files.
  ["data/chunks_head/000001", 0, 0],
  // A damaged samples record costs three samples.
  ["data/wal/00000002", 3, 1],
  // The record that names the series costs all that comes under their refs.
  ["data/wal/checkpoint.00000001/00000000", 90, 1],
])("%s, byte by byte", (path, lostMax, asideMin) => {
  const bytes = whole.readFile(path);
  const seed = 4;
  const random = new SeededRandom(seed);
  const counts = { damaged: 0, noticed: 0, lossless: 0, named: 0, worst: 0 };
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  for (let at = 0; at < bytes.length; at += at < used ? step : 64 * step) {
    for (const value of [bytes[at] ^ (1 << (random.u32() >>> 29)), 0xff]) {
      if (value === bytes[at]) continue;
      const where = `${path} byte ${at} set to ${value} (seed ${seed})`;
      counts.damaged++;
      const fs = whole.clone();
      fs.open(path, "write").writeAt(Uint8Array.of(value), at);
      const db = open(fs);
      const found = contents(fs, db);
      for (const [sample, bits] of found) expect(bits, `${where}: ${sample}`).toBe(all.get(sample));
      const lost = all.size - found.size;
      expect(lost, where).toBeLessThanOrEqual(lostMax);
      // Whole records: three samples each.
      expect(lost % 3, where).toBe(0);
      if (lost > 0) expect(db.damageCount, where).toBeGreaterThanOrEqual(asideMin);
      const lostTimes = [...all.keys()]
        .filter((sample) => !found.has(sample))
        .map((sample) => Number(sample.split(" ").at(-1)));
      const isWarned = (t: number) => warnings(fs, t, t).length === 1;
      expect(new Set(lostTimes.map(isWarned)), where).not.toContain(false);
      // Before the first records of the log anything may have been.
      if (path === "data/wal/00000002")
        expect(warnings(fs, start - 2_000_000, start - 1_000_000), `${where}: long before`).toEqual([]);
      if (path.includes("chunks_head") && db.damageCount > 0) {
        const [note] = readNotes(fs, "data/quarantine").values();
        expect(note, where).toMatchObject({ kind: "chunks_head", lost: [] });
        expect(warnings(fs, -Infinity, Infinity), where).toEqual([]);
        if (note.held?.some(({ labels }) => labels !== undefined)) counts.named++;
      }
      db.close();
      const again = open(fs);
      expect(contents(fs, again), `${where}: the start after`).toEqual(found);
      expect(again.damageCount, `${where}: the start after`).toBe(0);
      expect(new Set(lostTimes.map(isWarned)), `${where}: the start after`).not.toContain(false);
      again.close();
      if (db.damageCount > 0) counts.noticed++;
      if (lost === 0) counts.lossless++;
      counts.worst = Math.max(counts.worst, lost);
    }
  }
  console.log(path, JSON.stringify({ ...counts, of: all.size }));
});

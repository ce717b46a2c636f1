// Proof 4, blocks: every byte of every file of a small block, one random bit and 0xFF. A query of the damaged block gives
// right answers or an error; a start repairs it, and then every answer lacks at most what the note names as lost. No deleted
// sample comes back by one changed byte.
import { expect, test } from "vitest";
import { silentLogger } from "../../src/base/env.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { readNotes } from "../../src/base/quarantine-note.ts";
import { Labels } from "../../src/model/labels.ts";
import { Matcher } from "../../src/model/matcher.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { BlockSet } from "../../src/tsdb/block/block-set.ts";
import { verifyBlock } from "../../src/tsdb/block/verify.ts";
import { deleteSamples } from "../../src/tsdb/compact/delete-samples.ts";
import { checkBlocks } from "../../src/tsdb/salvage/check-blocks.ts";
import { isExpected } from "../fuzz/target.ts";
import { seriesText } from "../series-text.ts";
import { blockDir, readAll } from "../tsdb/block-dir.ts";
import { chunkSource, noHints, unlimited } from "../tsdb/chunk-series.ts";
import { size } from "./size.ts";

const everything = [new Matcher("=~", "__name__", ".+")];
type Answers = Record<string, [number, bigint][]>;

const labelSets = Array.from({ length: 6 }, (_, i) => ({
  __name__: i < 3 ? "up" : "down",
  instance: `host:${i}`,
  job: i % 2 === 0 ? "a" : "b",
}));
/** How a note names each series. */
const texts = new Map(labelSets.map((set) => [seriesText(Labels.of(set)), Labels.of(set).toString()]));

/** Six series of three chunks, some samples of one of them deleted. */
function smallBlock(): { fs: MemFs; ulid: string } {
  const fs = new MemFs();
  const env = blockDir(fs);
  const series = labelSets.map((labels, i) => ({
    labels,
    samples: Array.from({ length: 30 }, (_, k) => [1000 + k * 100 + i, i * 1000 + k] as const),
  }));
  const { ulid } = env.write(chunkSource(series, 10), 0, 10_000);
  const block = Block.open(env, `data/${ulid}`);
  deleteSamples(fs, block, 1200, 1800, [new Matcher("=", "instance", "host:4")]);
  checkBlocks({ ...env, logger: silentLogger }, "data", "data/quarantine");
  return { fs, ulid };
}

function answers(fs: MemFs, matchers = everything): Answers {
  const env = { fs, cache: new PageCache(1 << 20), logger: silentLogger };
  const set = BlockSet.open(env, "data");
  try {
    const querier = set.querier(-Infinity, Infinity);
    try {
      return readAll(querier, matchers);
    } finally {
      querier.close();
    }
  } finally {
    set.close();
  }
}

/** Every sample of `found` is in `whole`; returns the times that are missing, by series. */
function missing(found: Answers, whole: Answers): [series: string, t: number][] {
  for (const [series, samples] of Object.entries(found)) {
    const right = new Map(whole[series]);
    for (const [t, bits] of samples) expect(right.get(t), `${series} at ${t}`).toBe(bits);
  }
  return Object.entries(whole).flatMap(([series, samples]) => {
    const there = new Set((found[series] ?? []).map(([t]) => t));
    return samples.filter(([t]) => !there.has(t)).map(([t]): [string, number] => [series, t]);
  });
}

const { fs: sound, ulid } = smallBlock();
const whole = answers(sound);
const matchers = [everything, [new Matcher("=", "job", "a")], [new Matcher("!=", "instance", "host:1")]];
const wholeBy = matchers.map((each) => answers(sound, each));
const step = size(29, 1);

test.each(["index", "chunks/000001", "tombstones", "meta.json"])("%s, byte by byte", (name) => {
  const path = `data/${ulid}/${name}`;
  const bytes = sound.readFile(path);
  const seed = 4;
  const random = new SeededRandom(seed);
  const counts = { damaged: 0, refused: 0, repaired: 0, lossless: 0 };
  for (let at = 0; at < bytes.length; at += name === "tombstones" ? 1 : step) {
    for (const value of [bytes[at] ^ (1 << (random.u32() >>> 29)), 0xff]) {
      if (value === bytes[at]) continue;
      const where = `${name} byte ${at} set to ${value} (seed ${seed})`;
      counts.damaged++;
      const fs = sound.clone();
      fs.open(path, "write").writeAt(Uint8Array.of(value), at);
      if (name !== "meta.json" && name !== "tombstones") counts.refused += queriesBefore(fs, where);
      const env = { fs, clock: new ManualClock(), random: new SeededRandom(at), logger: silentLogger };
      const repairs = checkBlocks(env, "data", "data/quarantine", { thorough: true });
      const gone = missing(answers(fs), whole);
      const losses = [...readNotes(fs, "data/quarantine").values()].flatMap(({ lost }) => lost);
      const isNamed = ([series, t]: [string, number]) =>
        losses.some(
          (loss) =>
            (loss.series === "" || loss.series === texts.get(series)) && loss.mint <= t && t <= loss.maxt,
        );
      expect(
        gone.filter((one) => !isNamed(one)),
        where,
      ).toEqual([]);
      expect(new Set(gone.map(([series]) => series)).size, `${where}: ${gone}`).toBeLessThanOrEqual(1);
      if (gone.length > 0) expect(repairs.length, where).toBe(1);
      if (gone.length > 0) expect(warnings(fs), where).toHaveLength(1);
      if (repairs.length > 0) counts.repaired++;
      if (gone.length === 0) counts.lossless++;
      for (const block of BlockSet.open({ ...env, cache: new PageCache(1 << 20) }, "data").blocks)
        verifyBlock(block);
      expect(checkBlocks(env, "data", "data/quarantine", { thorough: true }), where).toEqual([]);
    }
  }
  console.log(name, JSON.stringify(counts));
});

/** What a query for everything warns of. */
function warnings(fs: MemFs): string[] {
  const set = BlockSet.open({ fs, cache: new PageCache(1 << 20), logger: silentLogger }, "data");
  const texts: string[] = [];
  const context = { ...unlimited, warn: (text: string) => texts.push(text) };
  const querier = set.querier(-Infinity, Infinity);
  querier.select(context, everything, -Infinity, Infinity, noHints, true);
  querier.close();
  set.close();
  return texts;
}

/** Returns 1 where the damaged block gave an error. */
function queriesBefore(fs: MemFs, where: string): number {
  let refused = 0;
  for (const [i, each] of matchers.entries()) {
    try {
      const found = answers(fs, each);
      if (Object.keys(found).length > 0) expect(found, where).toEqual(wholeBy[i]);
    } catch (error) {
      if (!isExpected(error)) throw error;
      refused = 1;
    }
  }
  return refused;
}

test.each([
  [
    "two bytes of an entry",
    (fs: MemFs, path: string) => fs.open(path, "write").writeAt(Uint8Array.of(1, 1), 6),
  ],
  [
    "all of it",
    (fs: MemFs, path: string) => fs.open(path, "write").writeAt(new Uint8Array(24).fill(0xff), 0),
  ],
  ["its end", (fs: MemFs, path: string) => fs.open(path, "write").truncate(10)],
  ["the file is gone", (fs: MemFs, path: string) => fs.removeFile(path)],
])("tombstones, %s: deleted samples may be back, and queries are told so", (_, damage) => {
  const fs = sound.clone();
  damage(fs, `data/${ulid}/tombstones`);
  const env = { fs, clock: new ManualClock(), random: new SeededRandom(1), logger: silentLogger };
  // A start as any other: the block was found sound before.
  const [repair] = checkBlocks(env, "data", "data/quarantine");
  expect(repair.lost).toMatchObject([{ deletions: true }]);
  for (const [series, samples] of Object.entries(whole))
    expect(answers(fs)[series]).toEqual(expect.arrayContaining(samples));
  expect(warnings(fs)).toEqual([expect.stringMatching(/^deleted samples may be back in this answer/)]);
  expect(checkBlocks(env, "data", "data/quarantine", { thorough: true })).toEqual([]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { bitsOf, chunkSource, type TestSeries } from "../../../test/tsdb/chunk-series.ts";
import { CorruptionError } from "../../base/errors.ts";
import { Matcher } from "../../model/matcher.ts";
import { failNth, faultFs } from "../../testkit/fault-fs.ts";
import { isChange } from "../../testkit/intercept-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { verifyBlock } from "../block/verify.ts";
import { cleanBlock, compactBlocks } from "./compact-blocks.ts";
import { removeLeftovers } from "./delete-block.ts";
import { deleteSamples } from "./delete-samples.ts";
import { deleteObsoleteBlocks } from "./retention.ts";

const everything = [new Matcher("=~", "__name__", ".*")];
const forever = { timeMs: 0, sizeBytes: 0, headBytes: 0 };

type Env = ReturnType<typeof blockDir>;

function answers(env: Env): ReturnType<typeof readAll> {
  const set = BlockSet.open(env, "data");
  expect([...set.unreadable]).toEqual([]);
  const querier = set.querier(-Infinity, Infinity);
  const content = readAll(querier, everything);
  querier.close();
  return content;
}

const value = fc.constantFrom<number | bigint>(1, 2.5, -0, Number.NaN, 0x7ff0000000000002n);
const someSeries = fc
  .array(
    fc.record({
      labels: fc.record({ __name__: fc.constantFrom("a", "b"), i: fc.constantFrom("1", "2", "3") }),
      samples: fc
        .uniqueArray(fc.nat(299), { minLength: 1, maxLength: 60 })
        .chain((times) =>
          fc.tuple(...times.sort((a, b) => a - b).map((t) => fc.tuple(fc.constant(t), value))),
        ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drawn) => [...new Map(drawn.map((one) => [JSON.stringify(one.labels), one])).values()]);
const deletion = fc.record({
  block: fc.nat(3),
  mint: fc.nat(300),
  length: fc.nat(120),
  i: fc.constantFrom("1", "2", "1|3", ".*"),
});

test("a compaction changes no answer, whatever overlaps and whatever was deleted, and frees what was", () => {
  fc.assert(
    fc.property(
      fc.array(someSeries, { minLength: 1, maxLength: 4 }),
      fc.array(deletion, { maxLength: 4 }),
      fc.integer({ min: 3, max: 40 }),
      (blocks, deletions, perChunk) => {
        const env = blockDir(new MemFs());
        for (const series of blocks) env.write(chunkSource(series, perChunk), 0, 300);
        const names = env.fs.list("data");
        for (const { block, mint, length, i } of deletions) {
          const set = BlockSet.open(env, "data");
          const victim = set.blocks.find(({ name }) => name === names[block % names.length]);
          if (victim !== undefined)
            deleteSamples(env.fs, victim, mint, mint + length, [new Matcher("=~", "i", i)]);
        }
        const before = answers(env);
        const set = BlockSet.open(env, "data");
        const parents = set.blocks.map(({ meta }) => meta);
        const child = compactBlocks(env, "data", set.blocks, {});
        expect(answers(env)).toEqual(before);
        const count = Object.values(before).reduce((sum, samples) => sum + samples.length, 0);
        if (child === undefined) expect(count).toBe(0);
        else {
          expect(child.stats).toMatchObject({ numSamples: count, numFloatSamples: count, numTombstones: 0 });
          expect(child.stats.numSeries).toBe(Object.keys(before).length);
          expect(child.compaction.parents.map(({ ulid }) => ulid)).toEqual(parents.map(({ ulid }) => ulid));
        }
        set.reload();
        const { names: deleted } = deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
        expect([...deleted].sort()).toEqual(names);
        expect(env.fs.list("data")).toEqual(child === undefined ? [] : [child.ulid]);
        expect(answers(env)).toEqual(before);
      },
    ),
    { numRuns: 300 },
  );
});

describe("chunks", () => {
  const series = (from: number, to: number, step = 1): TestSeries => ({
    labels: { __name__: "m" },
    samples: Array.from({ length: (to - from) / step }, (_, k) => [from + k * step, k % 7]),
  });

  function chunksOf(...parts: TestSeries[]): number[] {
    const env = blockDir(new MemFs());
    for (const part of parts) env.write(chunkSource([part], 50), 0, 2000);
    const set = BlockSet.open(env, "data");
    compactBlocks(env, "data", set.blocks, {});
    set.reload();
    expect(set.blocks).toHaveLength(1);
    const { index } = set.blocks[0].acquire();
    const found = index.series(index.postings("", "")[0], -Infinity, Infinity)?.chunks ?? [];
    return found.filter((_, i) => i % 3 < 2);
  }

  test("that overlap no other stay as they are", () => {
    expect(chunksOf(series(0, 100), series(100, 200))).toEqual([0, 49, 50, 99, 100, 149, 150, 199]);
  });

  test("that overlap are encoded anew, 120 samples to a chunk; the others of the series are not", () => {
    // [0,49] [50,99] [100,149] [150,199] and [80,129] [130,149]
    expect(chunksOf(series(0, 200), series(80, 150))).toEqual([0, 49, 50, 149, 150, 199]);
    expect(chunksOf(series(0, 300), series(0, 600, 300))).toEqual([0, 119, 120, 239, 240, 300]);
    // Pairs of chunks of 50: each pair overlaps nothing else.
    expect(chunksOf(series(0, 300, 2), series(1, 301, 2))).toEqual([0, 99, 100, 199, 200, 299]);
  });
});

const two: readonly TestSeries[] = ["a", "b"].map((i) => ({
  labels: { __name__: "up", i },
  samples: Array.from({ length: 100 }, (_, k) => [k * 10, k]),
}));

function twoBlocks(fs: ConstructorParameters<typeof Object>[0] & Parameters<typeof blockDir>[0]): Env {
  const env = blockDir(fs);
  env.write(chunkSource(two), 0, 500);
  env.write(chunkSource(two), 500, 1000);
  return env;
}

/** Compacts all blocks, deletes the parents. */
function compactAll(env: Env): void {
  const set = BlockSet.open(env, "data");
  if (set.blocks.length > 1) compactBlocks(env, "data", set.blocks, {});
  set.reload();
  deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
}

test("what meta.json says of a child, and of a block that was cleaned", () => {
  const env = twoBlocks(new MemFs());
  const set = BlockSet.open(env, "data");
  const [first, second] = set.blocks.map(({ meta }) => meta);
  const child = compactBlocks(env, "data", set.blocks, {});
  expect(child).toMatchObject({
    minTime: 0,
    maxTime: 1000,
    compaction: { level: 2, sources: [first.ulid, second.ulid], failed: false, hints: [] },
  });
  set.reload();
  deleteSamples(env.fs, set.blocks[0], 0, 99, everything);
  set.reload();
  expect(set.blocks[0].meta.stats.numTombstones).toBe(2);
  const cleaned = cleanBlock(env, "data", set.blocks[0], {});
  expect(cleaned).toMatchObject({
    stats: { numSamples: 180, numTombstones: 0 },
    compaction: { level: 2, sources: child?.compaction.sources, parents: [{ ulid: child?.ulid }] },
  });
});

test("power lost at any moment: the same answers, and nothing left over in the end", () => {
  const memory = new MemFs();
  const pictures: MemFs[] = [];
  let watching = false;
  const fs = traceFs(memory, "", () => watching && pictures.push(memory.clone()));
  const env = twoBlocks(fs);
  const want = answers(env);
  watching = true;
  compactAll(env);
  watching = false;
  pictures.push(memory.clone());
  expect(pictures.length).toBeGreaterThan(20);
  const random = new SeededRandom(5);
  for (const [i, picture] of pictures.entries()) {
    for (const unsynced of ["kept", "lost", random, random] as const) {
      const after = { ...env, fs: picture.crash(unsynced) };
      removeLeftovers(after, "data");
      expect(answers(after), `after ${i} operations`).toEqual(want);
      compactAll(after);
      expect(answers(after), `after ${i} operations, compacted`).toEqual(want);
      expect(after.fs.list("data"), `after ${i} operations`).toHaveLength(1);
    }
  }
});

test("an operation that fails costs nothing, and the next round does the work", () => {
  for (const code of ["ENOSPC", "EIO"]) {
    let failures = 0;
    for (let nth = 1; ; nth++) {
      const memory = new MemFs();
      const want = answers(twoBlocks(memory));
      const fs = faultFs(memory, failNth(nth, { code, writtenBytes: 3 }, isChange));
      const env = { ...blockDir(memory), fs };
      let failed = false;
      try {
        compactAll(env);
      } catch (error) {
        failed = true;
        expect(String(error)).toContain(code);
      }
      expect(answers({ ...env, fs: memory }), `operation ${nth}`).toEqual(want);
      compactAll({ ...env, fs: memory });
      removeLeftovers({ ...env, fs: memory }, "data");
      expect(answers({ ...env, fs: memory }), `operation ${nth}`).toEqual(want);
      expect(memory.list("data"), `operation ${nth}`).toHaveLength(1);
      if (!failed) break;
      failures++;
    }
    expect(failures).toBeGreaterThan(10);
  }
});

test("a damaged block is not compacted: it and the others stay, marked as failed", () => {
  const memory = new MemFs();
  const env = twoBlocks(memory);
  const [name] = memory.list("data");
  memory.open(`data/${name}/chunks/000001`, "write").writeAt(Uint8Array.of(0xff), 20);
  const set = BlockSet.open(env, "data");
  expect(() => verifyBlock(set.blocks[0])).toThrow(CorruptionError);
  expect(() => compactBlocks(env, "data", set.blocks, {})).toThrow(CorruptionError);
  set.reload();
  expect(set.blocks.map(({ meta }) => meta.compaction.failed)).toEqual([true, true]);
});

describe("deleted samples", () => {
  test("are gone from the answers, in the range and of the series that were asked for", () => {
    const env = blockDir(new MemFs());
    env.write(chunkSource(two, 30), 0, 1000);
    const set = BlockSet.open(env, "data");
    expect(deleteSamples(env.fs, set.blocks[0], 100, 199, [new Matcher("=", "i", "a")])).toBe(1);
    expect(deleteSamples(env.fs, set.blocks[0], 2000, 3000, everything)).toBe(0);
    const content = answers(env);
    const times = (key: string) => content[key].map(([t]) => t);
    const [a, b] = Object.keys(content).sort();
    expect(times(a)).toEqual(two[0].samples.map(([t]) => t).filter((t) => t < 100 || t > 199));
    expect(content[b]).toEqual(two[1].samples.map(([t, v]) => [t, bitsOf(v)]));
  });

  test("add up, and an interval does not reach beyond the series", () => {
    const env = blockDir(new MemFs());
    env.write(chunkSource(two, 30), 0, 1000);
    const set = BlockSet.open(env, "data");
    deleteSamples(env.fs, set.blocks[0], -(2 ** 53), 50, everything);
    set.reload();
    deleteSamples(env.fs, set.blocks[0], 900, 2 ** 53, everything);
    set.reload();
    const { tombstones, index } = set.blocks[0].acquire();
    for (const ref of index.postings("", "")) {
      expect(tombstones.get(ref)).toEqual([
        { mint: 0, maxt: 50 },
        { mint: 900, maxt: 990 },
      ]);
    }
    expect(set.blocks[0].meta.stats.numTombstones).toBe(4);
  });
});

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BlockDir, blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { chunkSource, type TestSeries } from "../../../test/tsdb/chunk-series.ts";
import type { Fs } from "../../base/fs.ts";
import { Matcher } from "../../model/matcher.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { type TraceFs, traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { cleanBlock, compactBlocks } from "./compact-blocks.ts";
import { removeLeftovers } from "./delete-block.ts";
import { deleteSamples } from "./delete-samples.ts";
import { deleteObsoleteBlocks } from "./retention.ts";

const everything = [new Matcher("=~", "__name__", ".*")];
const forever = { timeMs: 0, sizeBytes: 0, headBytes: 0 };
const series: readonly TestSeries[] = ["a", "b", "c"].map((i) => ({
  labels: { __name__: "m", i },
  samples: Array.from({ length: 100 }, (_, k) => [k * 10, k]),
}));

type Content = ReturnType<typeof readAll>;

function answers(env: BlockDir): Content {
  const set = BlockSet.open(env, "data");
  expect([...set.unreadable]).toEqual([]);
  const querier = set.querier(-Infinity, Infinity);
  const content = readAll(querier, everything);
  querier.close();
  return content;
}

function oneBlock(fs: Fs): BlockDir {
  const env = blockDir(fs);
  env.write(chunkSource(series, 30), 0, 1000);
  return env;
}

function deleteFrom(env: BlockDir, mint: number, maxt: number, i: string): void {
  const set = BlockSet.open(env, "data");
  for (const block of set.blocks) deleteSamples(env.fs, block, mint, maxt, [new Matcher("=~", "i", i)]);
  set.close();
}

function filtered(content: Content, mint: number, maxt: number, i: RegExp): Content {
  const kept = Object.entries(content).map(([text, samples]): [string, Content[string]] => [
    text,
    i.test(text) ? samples.filter(([t]) => t < mint || t > maxt) : samples,
  ]);
  return Object.fromEntries(kept.filter(([, samples]) => samples.length > 0));
}

/** Writes every block with tombstones anew, as admin/tsdb/clean_tombstones does. */
function cleanAll(env: BlockDir): void {
  for (;;) {
    const set = BlockSet.open(env, "data");
    deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
    const block = set.blocks.find(({ meta }) => meta.stats.numTombstones > 0);
    if (block === undefined) return;
    env.clock.advance(1);
    cleanBlock(env, "data", block, {});
    set.close();
  }
}

/** What `work` did to the disk, with the names of blocks in their order. */
function traceOf(fs: TraceFs, work: () => void): string[] {
  fs.takeTrace();
  work();
  const lines = fs.takeTrace();
  const names = [...new Set(lines.join(" ").match(/[0-9A-Z]{26}/g))].sort();
  return lines.map((line) => line.replace(/[0-9A-Z]{26}/g, (name) => `B${names.indexOf(name) + 1}`));
}

test("whatever is deleted is what a filter takes away, before and after it is cleaned", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: -50, max: 1050 }), fc.nat(500), fc.constantFrom("a", "b|c", ".*", "x")),
        { maxLength: 6 },
      ),
      (deletions) => {
        const env = oneBlock(new MemFs());
        let want = answers(env);
        for (const [mint, length, i] of deletions) {
          deleteFrom(env, mint, mint + length, i);
          want = filtered(want, mint, mint + length, new RegExp(`i="(${i})"`));
          expect(answers(env)).toEqual(want);
        }
        cleanAll(env);
        expect(answers(env)).toEqual(want);
        const { blocks } = BlockSet.open(env, "data");
        expect(blocks.map(({ meta }) => meta.stats.numTombstones)).toEqual(blocks.map(() => 0));
      },
    ),
  );
});

test("the order of the operations of a deletion", () => {
  const fs = traceFs(new MemFs());
  const env = oneBlock(fs);
  expect(traceOf(fs, () => deleteFrom(env, 0, 100, "a"))).toEqual([
    "replace data/B1/tombstones.tmp",
    expect.stringMatching(/^write data\/B1\/tombstones\.tmp/),
    "sync data/B1/tombstones.tmp",
    "rename data/B1/tombstones.tmp -> data/B1/tombstones",
    "syncDir data/B1",
    "replace data/B1/meta.json.tmp",
    expect.stringMatching(/^write data\/B1\/meta\.json\.tmp/),
    "sync data/B1/meta.json.tmp",
    "rename data/B1/meta.json.tmp -> data/B1/meta.json",
    "syncDir data/B1",
  ]);
});

test("the order of the operations of a compaction: nothing of the parents is touched before the child is durable", () => {
  const fs = traceFs(new MemFs());
  const env = blockDir(fs);
  env.write(chunkSource(series), 0, 500);
  env.write(chunkSource(series), 500, 1000);
  env.clock.advance(1);
  const lines = traceOf(fs, () => {
    const set = BlockSet.open(env, "data");
    compactBlocks(env, "data", set.blocks, {});
    set.reload();
    deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
  }).filter((line) => !line.startsWith("write"));
  expect(lines).toEqual([
    "makeDir data/B3.tmp-for-creation/chunks",
    "create data/B3.tmp-for-creation/index",
    "create data/B3.tmp-for-creation/chunks/000001",
    "sync data/B3.tmp-for-creation/chunks/000001",
    "sync data/B3.tmp-for-creation/index",
    "create data/B3.tmp-for-creation/tombstones",
    "sync data/B3.tmp-for-creation/tombstones",
    "create data/B3.tmp-for-creation/meta.json",
    "sync data/B3.tmp-for-creation/meta.json",
    "syncDir data/B3.tmp-for-creation/chunks",
    "syncDir data/B3.tmp-for-creation",
    "rename data/B3.tmp-for-creation -> data/B3",
    "syncDir data",
    ...["B1", "B2"].flatMap((name) => [
      `removeDir data/${name}.tmp-for-deletion`,
      `rename data/${name} -> data/${name}.tmp-for-deletion`,
      "syncDir data",
      `removeDir data/${name}.tmp-for-deletion`,
    ]),
  ]);
});

test("power lost at any moment: all of a deletion is there or nothing of it, and cleaning changes no answer", () => {
  const memory = new MemFs();
  const pictures: { readonly fs: MemFs; readonly deleted: boolean }[] = [];
  let stage: "prepare" | "delete" | "clean" = "prepare";
  const fs = traceFs(memory, "", () => {
    if (stage !== "prepare") pictures.push({ fs: memory.clone(), deleted: stage === "clean" });
  });
  const env = oneBlock(fs);
  const before = answers(env);
  stage = "delete";
  deleteFrom(env, 200, 600, "a|b");
  stage = "clean";
  cleanAll(env);
  stage = "prepare";
  pictures.push({ fs: memory.clone(), deleted: true });
  const want = filtered(before, 200, 600, /i="[ab]"/);
  expect(answers(env)).toEqual(want);
  expect(pictures.length).toBeGreaterThan(25);
  const random = new SeededRandom(11);
  let undone = 0;
  for (const [i, picture] of pictures.entries()) {
    for (const unsynced of ["kept", "lost", random, random] as const) {
      const after = { ...env, fs: picture.fs.crash(unsynced) };
      removeLeftovers(after, "data");
      const found = answers(after);
      // Acknowledged once it was done: only before that may it be lost.
      if (!picture.deleted && isDeepStrictEqual(found, before)) {
        undone++;
        deleteFrom(after, 200, 600, "a|b");
      } else expect(found, `after ${i} operations`).toEqual(want);
      cleanAll(after);
      expect(answers(after), `after ${i} operations, cleaned`).toEqual(want);
      expect(after.fs.list("data"), `after ${i} operations`).toHaveLength(1);
    }
  }
  expect(undone).toBeGreaterThan(0);
});

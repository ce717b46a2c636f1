import fc from "fast-check";
import { expect, test } from "vitest";
import { type BlockDir, blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { chunkSource, type TestSeries } from "../../../test/tsdb/chunk-series.ts";
import type { Fs } from "../../base/fs.ts";
import { bytesBelow } from "../../base/fs.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { cleanBlock, compactBlocks, freedByCleaning } from "./compact-blocks.ts";
import { removeLeftovers } from "./delete-block.ts";
import { deleteObsoleteBlocks } from "./retention.ts";
import { cutoffOf, hasExpiredSeries, newestEnd, type RetentionRule } from "./retention-rules.ts";

const everything = [new Matcher("=~", "__name__", ".*")];
const forever = { timeMs: 0, sizeBytes: 0, headBytes: 0 };
const rule = (name: string, value: string, timeMs: number): RetentionRule => ({
  matchers: [new Matcher("=~", name, value)],
  timeMs,
});

type Content = ReturnType<typeof readAll>;

function answers(env: BlockDir): Content {
  const set = BlockSet.open(env, "data");
  expect([...set.unreadable]).toEqual([]);
  const querier = set.querier(-Infinity, Infinity);
  const content = readAll(querier, everything);
  querier.close();
  return content;
}

/** As the server does it; returns what was freed by each rewrite. */
function apply(env: BlockDir, rules: readonly RetentionRule[]): number[] {
  const freed: number[] = [];
  for (;;) {
    const set = BlockSet.open(env, "data");
    deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
    const newestMs = newestEnd(set.blocks);
    const block = set.blocks.find((one) => hasExpiredSeries(one, rules, newestMs));
    if (block === undefined) return freed;
    const before = bytesBelow(env.fs, "data");
    env.clock.advance(1);
    cleanBlock(env, "data", block, { cutoff: cutoffOf(rules, newestMs) });
    set.reload();
    deleteObsoleteBlocks(env, "data", set, forever, "quarantine");
    freed.push(before - bytesBelow(env.fs, "data"));
  }
}

function tried(env: BlockDir, rules: readonly RetentionRule[]): number[] {
  const { blocks } = BlockSet.open(env, "data");
  const newestMs = newestEnd(blocks);
  return blocks
    .filter((block) => hasExpiredSeries(block, rules, newestMs))
    .map((block) => freedByCleaning(env, "data", block, { cutoff: cutoffOf(rules, newestMs) }));
}

const names = ["a", "b", "c"];

/** Blocks of 100 ms, each series with a sample in each millisecond of some of the blocks. */
function blocksOf(
  fs: Fs,
  series: readonly (readonly [string, readonly number[]])[],
  count: number,
): BlockDir {
  const env = blockDir(fs);
  for (let block = 0; block < count; block++) {
    const present: TestSeries[] = series
      .filter(([, blocks]) => blocks.includes(block))
      .map(([i]) => ({
        labels: { __name__: "m", i },
        samples: Array.from({ length: 100 }, (_, k) => [block * 100 + k, k % 7]),
      }));
    if (present.length > 0) env.write(chunkSource(present, 25), block * 100, block * 100 + 100);
  }
  return env;
}

/** What is left: of a block that has a series with only too old samples, the chunks of 25 ms that reach far enough. */
function naive(content: Content, rules: readonly RetentionRule[], newestMs: number): Content {
  const cutoffs = Object.keys(content).map((text) => {
    const first = rules.find(({ matchers }) => matchers[0].matches(/i="(.)"/.exec(text)?.[1] ?? ""));
    return first === undefined ? -Infinity : newestMs - first.timeMs;
  });
  const all = Object.entries(content);
  const end = (t: number, length: number) => (Math.floor(t / length) + 1) * length;
  const rewritten = new Set(
    all.flatMap(([, samples], i) =>
      samples.map(([t]) => end(t, 100)).filter((blockEnd) => blockEnd <= cutoffs[i]),
    ),
  );
  const left = all.map(([text, samples], i): [string, Content[string]] => [
    text,
    samples.filter(([t]) => !rewritten.has(end(t, 100)) || end(t, 25) > cutoffs[i]),
  ]);
  return Object.fromEntries(left.filter(([, samples]) => samples.length > 0));
}

test("the first rule that matches counts; the dry run tells to the byte what is freed, and is empty afterwards", () => {
  fc.assert(
    fc.property(
      fc.tuple(...names.map(() => fc.uniqueArray(fc.nat(4)))),
      fc.array(fc.tuple(fc.constantFrom("a", "b", "a|b", ".*"), fc.integer({ min: 1, max: 600 })), {
        maxLength: 3,
      }),
      (present, drawn) => {
        const series = names.map((name, i) => [name, present[i]] as const);
        const env = blocksOf(new MemFs(), series, 5);
        const rules = drawn.map(([value, timeMs]) => rule("i", value, timeMs));
        const before = answers(env);
        const newestMs = newestEnd(BlockSet.open(env, "data").blocks);
        const said = tried(env, rules);
        expect(answers(env)).toEqual(before);
        const freed = apply(env, rules);
        expect(freed).toEqual(said);
        for (const bytes of freed) expect(bytes).toBeGreaterThan(0);
        expect(answers(env)).toEqual(naive(before, rules, newestMs));
        expect(tried(env, rules)).toEqual([]);
      },
    ),
  );
});

test("a compaction takes out the chunks that lie wholly before what is kept", () => {
  const env = blocksOf(new MemFs(), [["a", [0, 1, 2]]], 3);
  const { blocks } = BlockSet.open(env, "data");
  // Chunks of 25 ms; the newest block ends at 300.
  compactBlocks(env, "data", blocks.slice(0, 2), { cutoff: cutoffOf([rule("i", "a", 160)], 300) });
  const [[, samples]] = Object.entries(answers(env));
  expect(samples[0][0]).toBe(125);
  expect(samples).toHaveLength(175);
});

test("series that no rule matches are kept for ever", () => {
  const cutoff = cutoffOf([rule("i", "a", 10), rule("i", ".*", 50)], 1000);
  expect(cutoff(Labels.of({ i: "a" }))).toBe(990);
  expect(cutoff(Labels.of({ i: "b" }))).toBe(950);
  expect(cutoffOf([rule("i", "a", 10)], 1000)(Labels.of({ i: "b" }))).toBe(-Infinity);
});

test("power lost at any moment: no series that is kept lacks anything, and the rules are carried out in the end", () => {
  const memory = new MemFs();
  const pictures: MemFs[] = [];
  let watching = false;
  const fs = traceFs(memory, "", () => watching && pictures.push(memory.clone()));
  const env = blocksOf(
    fs,
    [
      ["a", [0, 1, 2]],
      ["b", [0, 2]],
    ],
    3,
  );
  const rules = [rule("i", "a", 100)];
  const before = answers(env);
  const want = naive(before, rules, 300);
  watching = true;
  apply(env, rules);
  watching = false;
  expect(answers(env)).toEqual(want);
  expect(pictures.length).toBeGreaterThan(20);
  const random = new SeededRandom(7);
  for (const [i, picture] of pictures.entries()) {
    for (const unsynced of ["kept", "lost", random] as const) {
      const after = { ...env, fs: picture.crash(unsynced) };
      removeLeftovers(after, "data");
      const found = answers(after);
      for (const [text, samples] of Object.entries(want)) {
        expect(found[text]?.slice(-samples.length), `${text} after ${i} operations`).toEqual(samples);
      }
      apply(after, rules);
      expect(answers(after), `after ${i} operations, carried out`).toEqual(want);
      expect(bytesBelow(after.fs, "data"), `after ${i} operations`).toBe(bytesBelow(env.fs, "data"));
    }
  }
});

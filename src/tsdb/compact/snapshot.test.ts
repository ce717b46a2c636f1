import { expect, test } from "vitest";
import { blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { bitsOf, chunkSource } from "../../../test/tsdb/chunk-series.ts";
import { Matcher } from "../../model/matcher.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { deleteBlock } from "./delete-block.ts";
import { snapshotBlocks, snapshotName } from "./snapshot.ts";

const source = (t: number) => chunkSource([{ labels: { __name__: "m" }, samples: [[t, t]] }]);

test("names are as Prometheus gives them", () => {
  const clock = { nowMs: () => Date.UTC(2017, 11, 10, 21, 12, 24, 987) };
  expect(snapshotName(clock, new SeededRandom(1))).toMatch(/^20171210T211224Z-[0-9a-f]{16}$/);
  expect(snapshotName(clock, { u32: () => 0xab })).toBe("20171210T211224Z-000000ab000000ab");
});

test("holds all blocks by links, and outlives them", () => {
  const memory = new MemFs();
  const fs = traceFs(memory);
  const env = blockDir(fs);
  const names = [0, 100].map((mint) => env.write(source(mint), mint, mint + 100).ulid);
  const set = BlockSet.open(env, "data");
  fs.takeTrace();
  snapshotBlocks(fs, set.blocks, "data/snapshots/s");
  const [first] = names;
  expect(fs.takeTrace().filter((line) => line.includes(first) || line.endsWith("/s"))).toEqual([
    "makeDir data/snapshots/s",
    `makeDir data/snapshots/s/${first}/chunks`,
    `link data/${first}/chunks/000001 -> data/snapshots/s/${first}/chunks/000001`,
    `link data/${first}/index -> data/snapshots/s/${first}/index`,
    `link data/${first}/tombstones -> data/snapshots/s/${first}/tombstones`,
    `link data/${first}/meta.json -> data/snapshots/s/${first}/meta.json`,
    `syncDir data/snapshots/s/${first}/chunks`,
    `syncDir data/snapshots/s/${first}`,
    "syncDir data/snapshots/s",
  ]);
  for (const name of names) deleteBlock(fs, "data", name);
  const after = blockDir(memory.crash("lost"));
  const snapshot = BlockSet.open(after, "data/snapshots/s");
  expect(snapshot.blocks.map((block) => block.name)).toEqual(names);
  const querier = snapshot.querier(-Infinity, Infinity);
  expect(readAll(querier, [new Matcher("=", "__name__", "m")])).toEqual({
    m: [
      [0, bitsOf(0)],
      [100, bitsOf(100)],
    ],
  });
});

import { expect, test } from "vitest";
import { blockDir, readAll } from "../../../test/tsdb/block-dir.ts";
import { bitsOf, chunkSource } from "../../../test/tsdb/chunk-series.ts";
import { Matcher } from "../../model/matcher.ts";
import { interceptFs } from "../../testkit/intercept-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { deleteBlock } from "../compact/delete-block.ts";
import { BlockSet } from "./block-set.ts";

const everything = [new Matcher("=", "__name__", "m")];

/** One series with one sample in the middle of each range of 100 ms. */
const source = (mint: number, i = "0") =>
  chunkSource([{ labels: { __name__: "m", i }, samples: [[mint + 50, mint]] }]);

function times(set: BlockSet, mint = -Infinity, maxt = Infinity): number[] {
  const querier = set.querier(mint, maxt);
  const samples = Object.values(readAll(querier, everything, mint, maxt)).flat();
  querier.close();
  return samples.map(([t]) => t);
}

test("blocks that appear and vanish are noticed at reload; queries span them in order", () => {
  const env = blockDir(new MemFs());
  const b = env.write(source(100), 100, 200).ulid;
  const a = env.write(source(0), 0, 100).ulid;
  const set = BlockSet.open(env, "data");
  expect(set.blocks.map((block) => block.name)).toEqual([a, b]);
  expect(times(set)).toEqual([50, 150]);
  const c = env.write(source(200), 200, 300).ulid;
  expect(times(set)).toEqual([50, 150]);
  expect(set.reload()).toEqual({ added: [c], removed: [] });
  expect(times(set)).toEqual([50, 150, 250]);
  expect(set.sizeBytes).toBe(set.blocks.reduce((sum, block) => sum + block.sizeBytes, 0));
  deleteBlock(env.fs, "data", a);
  expect(set.reload()).toEqual({ added: [], removed: [a] });
  expect(times(set)).toEqual([150, 250]);
  expect(set.reload()).toEqual({ added: [], removed: [] });
  set.close();
  set.close();
  expect(env.cache.usedBytes).toBe(0);
});

test("only blocks that overlap the range are opened; a block's end is exclusive", () => {
  const env = blockDir(new MemFs());
  for (const mint of [0, 100, 200]) env.write(source(mint), mint, mint + 100);
  const set = BlockSet.open(env, "data");
  const opened = (mint: number, maxt: number) => {
    const queriers = set.queriers(mint, maxt);
    const count = queriers.length;
    for (const querier of queriers) querier.close();
    return count;
  };
  expect([opened(0, 0), opened(99, 100), opened(100, 199), opened(300, 400), opened(-9, -1)]).toEqual([
    1, 2, 1, 0, 0,
  ]);
  expect(opened(-Infinity, Infinity)).toBe(3);
});

test("a block that cannot be read is reported once, left alone, and taken in once it is whole", () => {
  const fs = new MemFs();
  const env = blockDir(fs);
  const { ulid } = env.write(source(0), 0, 100);
  env.write(source(100), 100, 200);
  const index = fs.readFile(`data/${ulid}/index`);
  fs.open(`data/${ulid}/index`, "write").truncate(20);
  fs.makeDir("data/01BZJ9WJQPWHGNC2W4J9TA62KC");
  fs.makeDir("data/wal");
  fs.makeDir("data/01BZJ9WJQPWHGNC2W4J9TA62KD.tmp-for-creation");
  const set = BlockSet.open(env, "data");
  set.reload();
  expect(times(set)).toEqual([150]);
  expect([...set.unreadable.keys()]).toEqual(["01BZJ9WJQPWHGNC2W4J9TA62KC", ulid]);
  expect(env.logger.at("error").map(({ fields }) => fields.block)).toEqual([
    "01BZJ9WJQPWHGNC2W4J9TA62KC",
    ulid,
  ]);
  fs.open(`data/${ulid}/index`, "replace").writeAt(index, 0);
  set.reload();
  expect(times(set)).toEqual([50, 150]);
});

test("parents are hidden as soon as their child is there, even those that cannot be read", () => {
  const env = blockDir(new MemFs());
  const parents = [0, 100, 200].map((mint) => env.write(source(mint), mint, mint + 100));
  const set = BlockSet.open(env, "data");
  env.fs.removeFile(`data/${parents[2].ulid}/index`);
  const samples = [50, 150].map((t) => [t, t] as const);
  const merged = chunkSource([{ labels: { __name__: "m" }, samples }]);
  const child = env.write(merged, 0, 300, { level: 2, parents });
  const names = parents.map((meta) => meta.ulid);
  expect(set.reload()).toEqual({ added: [child.ulid], removed: names });
  for (const each of [set, BlockSet.open(env, "data")]) {
    expect([...each.obsolete.keys()].sort()).toEqual(names);
    expect(each.unreadable.size).toBe(0);
    expect(times(each)).toEqual([50, 150]);
  }
  expect(env.logger.lines).toEqual([]);
});

test("a block that vanished since the scan makes the query scan again", () => {
  const env = blockDir(new MemFs());
  const old = env.write(source(0), 0, 100).ulid;
  const set = BlockSet.open(env, "data");
  env.write(source(0, "new"), 0, 100);
  deleteBlock(env.fs, "data", old);
  expect(times(set)).toEqual([50]);
  expect(set.blocks.map((block) => block.name)).not.toContain(old);
});

test("what is missing for good is an error, not a loop", () => {
  const env = blockDir(new MemFs());
  const { ulid } = env.write(source(0), 0, 100);
  const set = BlockSet.open(env, "data");
  env.fs.removeFile(`data/${ulid}/index`);
  expect(() => set.querier(0, 100)).toThrow(/ENOENT/);
});

test("a running query is not disturbed by a deletion and a reload", () => {
  const env = blockDir(new MemFs());
  const { ulid } = env.write(source(0), 0, 100);
  const set = BlockSet.open(env, "data");
  const querier = set.querier(0, 100);
  deleteBlock(env.fs, "data", ulid);
  set.reload();
  expect(set.blocks).toEqual([]);
  expect(Object.values(readAll(querier, everything))).toEqual([[[50, bitsOf(0)]]]);
  querier.close();
  expect(env.cache.usedBytes).toBe(0);
});

test("few blocks stay open without a query", () => {
  let open = 0;
  const fs = interceptFs(new MemFs(), (call, run) => {
    if (call.operation === "open") open++;
    if (call.operation === "close" && call.path.startsWith("data/")) open--;
    return run();
  });
  const env = blockDir(fs);
  for (let i = 0; i < 10; i++) env.write(source(i * 100), i * 100, i * 100 + 100);
  const set = BlockSet.open(env, "data", { idleOpenMax: 3 });
  open = 0;
  const querier = set.querier(-Infinity, Infinity);
  expect(open).toBe(20);
  querier.close();
  expect(open).toBe(6);
  expect(times(set).length).toBe(10);
  expect(set.blocks.filter((block) => block.isOpen).length).toBe(3);
});

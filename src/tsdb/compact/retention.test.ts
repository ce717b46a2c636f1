import { expect, test } from "vitest";
import { blockDir } from "../../../test/tsdb/block-dir.ts";
import { chunkSource } from "../../../test/tsdb/chunk-series.ts";
import { silentLogger } from "../../base/env.ts";
import { faultFs } from "../../testkit/fault-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { RecordingLogger } from "../../testkit/recording-logger.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { deleteBlock, removeLeftovers } from "./delete-block.ts";
import {
  beyondSize,
  beyondTime,
  defaultRetentionMs,
  deleteObsoleteBlocks,
  type RetentionLimits,
} from "./retention.ts";

const hour = 3600_000;
const byTime = (timeMs: number): RetentionLimits => ({ timeMs, sizeBytes: 0, headBytes: 0 });
const source = (t: number) => chunkSource([{ labels: { __name__: "m" }, samples: [[t, 1]] }]);

function blocksOfHours(fs: MemFs, hours: number): ReturnType<typeof blockDir> {
  const env = blockDir(fs);
  for (let i = 0; i < hours; i++) env.write(source(i * hour), i * hour, (i + 1) * hour);
  return env;
}

test.each([
  [0, 5],
  [hour, 1],
  [2 * hour - 1, 2],
  [2 * hour, 2],
  [2 * hour + 1, 3],
  [4 * hour, 4],
  [4 * hour + 1, 5],
  [defaultRetentionMs, 5],
])("a retention of %i ms keeps %i of five hours", (retentionMs, kept) => {
  const env = blocksOfHours(new MemFs(), 5);
  const set = BlockSet.open(env, "data");
  const names = set.blocks.map((block) => block.name);
  expect(beyondTime(set.blocks, retentionMs).map((block) => block.name)).toEqual(names.slice(0, 5 - kept));
  expect(deleteObsoleteBlocks(env, "data", set, byTime(retentionMs), "quarantine")).toEqual({
    names: names.slice(0, 5 - kept),
    expired: 5 - kept,
    outsized: 0,
  });
  expect(env.fs.list("data")).toEqual(names.slice(5 - kept));
  expect(set.blocks.map((block) => block.name)).toEqual(names.slice(5 - kept));
  const logged = env.logger.at("info").map(({ message, fields }) => `${message} ${fields.block}`);
  expect(logged).toEqual(
    names
      .slice(0, 5 - kept)
      .flatMap((name) => [`Block deletion started ${name}`, `Block deletion completed ${name}`]),
  );
});

test("no block: nothing to do", () => {
  expect(beyondTime([], hour)).toEqual([]);
});

test("replaced blocks go, whatever their age", () => {
  const env = blocksOfHours(new MemFs(), 2);
  const set = BlockSet.open(env, "data");
  const parents = set.blocks.map(({ meta }) => meta);
  const child = env.write(source(0), 0, 2 * hour, { level: 2, parents });
  set.reload();
  const { names } = deleteObsoleteBlocks(env, "data", set, byTime(defaultRetentionMs), "quarantine");
  expect([...names].sort()).toEqual(parents.map((meta) => meta.ulid));
  expect(env.fs.list("data")).toEqual([child.ulid]);
});

test("a block that cannot be deleted does not keep the others, and its error is told", () => {
  const memory = new MemFs();
  const env = blocksOfHours(memory, 4);
  const set = BlockSet.open(env, "data");
  const names = set.blocks.map((block) => block.name);
  const fs = faultFs(memory, ({ operation, path }) =>
    operation === "rename" && path.endsWith(names[0]) ? { code: "EBUSY" } : undefined,
  );
  expect(() => deleteObsoleteBlocks({ ...env, fs }, "data", set, byTime(hour), "quarantine")).toThrow(
    "EBUSY",
  );
  expect(memory.list("data")).toEqual([names[0], names[3]]);
  expect(set.blocks.map((block) => block.name)).toEqual([names[0], names[3]]);
});

test("the order of the operations of a deletion", () => {
  const fs = traceFs(new MemFs());
  const env = blockDir(fs);
  const { ulid } = env.write(source(0), 0, hour);
  fs.takeTrace();
  deleteBlock(fs, "data", ulid);
  expect(fs.takeTrace()).toEqual([
    `removeDir data/${ulid}.tmp-for-deletion`,
    `rename data/${ulid} -> data/${ulid}.tmp-for-deletion`,
    "syncDir data",
    `removeDir data/${ulid}.tmp-for-deletion`,
  ]);
  deleteBlock(fs, "data", ulid);
  expect(fs.takeTrace()).toEqual([]);
});

test("power lost during a deletion: the block is whole or gone", () => {
  const memory = new MemFs();
  const pictures: MemFs[] = [];
  const fs = traceFs(memory, "", () => pictures.push(memory.clone()));
  const env = blockDir(fs);
  const { ulid } = env.write(source(0), 0, hour);
  pictures.length = 0;
  deleteBlock(fs, "data", ulid);
  pictures.push(memory.clone());
  const seen = new Set<string>();
  for (const picture of pictures) {
    for (const unsynced of ["kept", "lost"] as const) {
      const after = picture.crash(unsynced);
      removeLeftovers({ fs: after, logger: silentLogger }, "data");
      const set = BlockSet.open(blockDir(after), "data");
      expect(set.unreadable.size).toBe(0);
      seen.add(set.blocks.map((block) => block.name).join());
    }
  }
  expect([...seen].sort()).toEqual(["", ulid]);
});

test("leftovers of unfinished work are removed, nothing else is", () => {
  const fs = new MemFs();
  const ulid = "01BZJ9WJQPWHGNC2W4J9TA62KC";
  const leftovers = [
    `${ulid}.tmp`,
    `${ulid}.tmp-for-creation`,
    `${ulid}.tmp-for-deletion`,
    "chunk_snapshot.000001.0000000001.tmp",
  ];
  const others = [
    ulid,
    "chunk_snapshot.000001.0000000001",
    "notes.tmp",
    "snapshots",
    "wal",
    "x.tmp-for-creation",
  ];
  for (const name of [...leftovers, ...others]) fs.makeDir(`data/${name}`);
  fs.open(`data/01BZJ9WJQPWHGNC2W4J9TA62KD.tmp`, "create");
  const logger = new RecordingLogger();
  const stuck = faultFs(fs, ({ operation, path }) =>
    operation === "removeDir" && path.endsWith("creation") ? { code: "EACCES" } : undefined,
  );
  expect(removeLeftovers({ fs: stuck, logger }, "data")).toHaveLength(3);
  expect(logger.at("warn")).toHaveLength(1);
  for (const name of leftovers) fs.makeDir(`data/${name}`);
  expect(removeLeftovers({ fs, logger }, "data").sort()).toEqual([...leftovers].sort());
  expect(fs.list("data").sort()).toEqual(["01BZJ9WJQPWHGNC2W4J9TA62KD.tmp", ...others].sort());
});

test("a retention by size counts from the newest block on, and the head with them", () => {
  const env = blocksOfHours(new MemFs(), 5);
  const set = BlockSet.open(env, "data");
  const size = Math.max(...set.blocks.map(({ sizeBytes }) => sizeBytes));
  expect(set.blocks.every(({ sizeBytes }) => sizeBytes > 0.95 * size)).toBe(true);
  const kept = (sizeBytes: number, headBytes = 0) =>
    5 - beyondSize(set.blocks, { sizeBytes, headBytes }).length;
  expect([0, 5 * size, 4.5 * size, 3 * size, 1].map((bytes) => kept(bytes))).toEqual([5, 5, 4, 3, 0]);
  expect(kept(5 * size, size / 2)).toBe(4);
  const names = set.blocks.map(({ name }) => name);
  const limits = { timeMs: 4 * hour, sizeBytes: 3 * size, headBytes: 0 };
  expect(deleteObsoleteBlocks(env, "data", set, limits, "quarantine")).toEqual({
    names: names.slice(0, 2),
    expired: 1,
    outsized: 1,
  });
});

test("nothing is deleted on the word of a block that cannot be read through", () => {
  const memory = new MemFs();
  const env = blocksOfHours(memory, 2);
  const set = BlockSet.open(env, "data");
  const parents = set.blocks.map(({ meta }) => meta);
  const child = env.write(source(0), 0, 2 * hour, { level: 2, parents });
  const path = `data/${child.ulid}/chunks/000001`;
  const file = memory.open(path, "write");
  file.writeAt(Uint8Array.of(file.size() & 0xff), file.size() - 2);
  set.reload();
  expect(set.blocks.map(({ name }) => name)).toEqual([child.ulid]);
  expect(deleteObsoleteBlocks(env, "data", set, byTime(0), "quarantine").names).toEqual([]);
  expect(set.blocks.map(({ name }) => name)).toEqual(parents.map(({ ulid }) => ulid));
  expect(memory.list("quarantine").sort()).toEqual([child.ulid, `${child.ulid}.note.json`]);
  expect(env.logger.at("error")).toHaveLength(1);
});

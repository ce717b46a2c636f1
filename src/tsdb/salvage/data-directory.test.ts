import { expect, test } from "vitest";
import { blockDir } from "../../../test/tsdb/block-dir.ts";
import { chunkSource } from "../../../test/tsdb/chunk-series.ts";
import { codecs, ReplayedWal, walWorld } from "../../../test/tsdb/wal-world.ts";
import { readNotes } from "../../base/quarantine-note.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { Wal } from "../wal/wal.ts";
import { findDamage, repairDamage } from "./data-directory.ts";

const series = (i: number) => ({
  labels: { __name__: "m", i: String(i) },
  samples: Array.from({ length: 4 }, (_, k) => [100 * i + 10 * k, k] as const),
});

/** A block of two series with two chunks each, and a log with three records. */
function directory() {
  const fs = new MemFs();
  const env = { ...blockDir(fs), codecs };
  const { ulid } = env.write(chunkSource([series(0), series(1)], 2), 0, 1000);
  const wal = Wal.open(
    walWorld(fs),
    "data/wal",
    { quarantineDir: "data/quarantine", compression: "none" },
    new ReplayedWal(),
  );
  for (let i = 0; i < 3; i++) wal.log([Uint8Array.of(99, i, i, i)]);
  wal.close();
  return { fs, env, ulid };
}

const flip = (fs: MemFs, path: string, at: number) => {
  const byte = fs.readFile(path)[at];
  fs.open(path, "write").writeAt(Uint8Array.of(byte ^ 4), at);
};

test("a sound directory: everything is looked at, nothing found, nothing changed", () => {
  const { fs, env, ulid } = directory();
  const seen: string[] = [];
  expect(findDamage(env, "data", (path, number, total) => seen.push(`${path} ${number}/${total}`))).toEqual(
    [],
  );
  expect(seen).toEqual([`data/${ulid} 1/2`, "data/wal/00000000 2/2"]);
  expect(repairDamage(env, "data", () => {})).toEqual([]);
  expect(fs.list("data")).toEqual([ulid, "wal"]);
});

test("what is found is what is repaired, named with its series and times; afterwards all is sound", () => {
  const { fs, env, ulid } = directory();
  // The data of the first chunk of all, and of the second record.
  flip(fs, `data/${ulid}/chunks/000001`, 12);
  flip(fs, "data/wal/00000000", 11 + 8);
  const found = findDamage(env, "data", () => {});
  expect(fs.list("data")).toEqual([ulid, "wal"]);
  expect(found.map(({ path, problems }) => [path, problems.length])).toEqual([
    [`data/${ulid}`, 1],
    ["data/wal/00000000", 1],
  ]);
  const labels = ["__name__", "m", "i", "0"];
  const lost = [{ series: '{__name__="m", i="0"}', labels, mint: 0, maxt: 10, what: "a chunk" }];
  expect(found[0].lost).toEqual(lost);
  const repaired = repairDamage(env, "data", () => {});
  expect(repaired.map(({ path, quarantined }) => [path, quarantined])).toEqual([
    [`data/${ulid}`, `data/quarantine/${ulid}`],
    ["data/wal/00000000", "data/quarantine/wal-00000000"],
  ]);
  expect(readNotes(fs, "data/quarantine").get(ulid)).toMatchObject({
    lost,
    replacedBy: repaired[0].replacedBy,
  });
  expect(findDamage(env, "data", () => {})).toEqual([]);
  const replayed = new ReplayedWal();
  const again = Wal.open(walWorld(fs), "data/wal", { quarantineDir: "data/quarantine" }, replayed);
  expect(again.replayed).toMatchObject({ recordCount: 2, setAside: [] });
});

test("a block of which nothing can be saved is moved away whole", () => {
  const { fs, env, ulid } = directory();
  fs.removeFile(`data/${ulid}/index`);
  expect(findDamage(env, "data", () => {})[0].plan).toMatch(/^move the block to quarantine/);
  repairDamage(env, "data", () => {});
  expect(fs.list("data")).toEqual(["quarantine", "wal"]);
  expect(fs.list(`data/quarantine/${ulid}`)).toEqual(["chunks", "meta.json", "tombstones"]);
});

// The examples in docs/formats/{block,chunks,index,tombstones}.md are one block: it reads as they say, and is written so.
import { expect, test } from "vitest";
import { Matcher } from "../../src/model/matcher.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { decodeTombstones, encodeTombstones } from "../../src/tsdb/tombstones/file.ts";
import { blockDir, readAll } from "../tsdb/block-dir.ts";
import { bitsOf, chunkSource } from "../tsdb/chunk-series.ts";
import { exampleText, hexExample } from "./hex-example.ts";

const ulid = "01M7ZBX8RD2222222222222222";
const first: [number, number][] = [
  [1000, 1],
  [16000, 1],
  [31000, 0],
  [46010, 1.5],
];
const second: [number, number][] = [[1000, 1]];
const noTombstones = hexExample("tombstones.md", "tombstones").slice(0, 5);

test("the pages' bytes read as the pages say", () => {
  const fs = new MemFs();
  const env = blockDir(fs);
  fs.makeDir(`data/${ulid}/chunks`);
  fs.open(`data/${ulid}/chunks/000001`, "create").writeAt(hexExample("chunks.md", "chunks"), 0);
  fs.open(`data/${ulid}/index`, "create").writeAt(hexExample("index.md", "index"), 0);
  fs.open(`data/${ulid}/meta.json`, "create").writeAt(
    Buffer.from(exampleText("block.md", "json", "meta")),
    0,
  );
  const block = Block.open(env, `data/${ulid}`);
  expect(block.meta).toMatchObject({
    ulid,
    minTime: 0,
    maxTime: 7200000,
    stats: { numSamples: 5, numSeries: 2 },
  });
  const withBits = (samples: [number, number][]) => samples.map(([t, v]) => [t, bitsOf(v)]);
  expect(readAll(block.querier(), [new Matcher("=", "__name__", "up")])).toEqual({
    'up{job="a"}': withBits(first),
    'up{job="b"}': withBits(second),
  });
  const { index } = block.acquire();
  expect([...index.postings("job", "b")]).toEqual([5]);
  expect(index.series(3, 0, Infinity)?.chunks).toEqual([1000, 46010, 8]);
});

test("we write the pages' bytes", () => {
  const fs = new MemFs();
  fs.makeDir("data");
  const env = { fs, clock: { nowMs: () => 1795275268877 }, random: { u32: () => 0x12345678 } };
  const source = chunkSource([
    { labels: { __name__: "up", job: "a" }, samples: first },
    { labels: { __name__: "up", job: "b" }, samples: second },
  ]);
  expect(writeBlock(env, "data", source, { mint: 0, maxt: 7200000 })?.ulid).toBe(ulid);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const written = (name: string) => fs.readFile(`data/${ulid}/${name}`);
  expect(hex(written("chunks/000001"))).toBe(hex(hexExample("chunks.md", "chunks")));
  expect(hex(written("index"))).toBe(hex(hexExample("index.md", "index")));
  expect(hex(written("tombstones"))).toBe(`${hex(noTombstones)}00000000`);
  expect(Buffer.from(written("meta.json")).toString()).toBe(exampleText("block.md", "json", "meta"));
});

test("the tombstones read and are written as their page says", () => {
  const bytes = hexExample("tombstones.md", "tombstones");
  const tombstones = decodeTombstones(bytes, "tombstones.md");
  expect(tombstones.entries()).toEqual([
    [
      2,
      [
        { mint: 1000, maxt: 1999 },
        { mint: 5000, maxt: 5000 },
      ],
    ],
    [300, [{ mint: -1, maxt: 0 }]],
  ]);
  expect(encodeTombstones(tombstones)).toEqual(bytes);
});

import { expect, test } from "vitest";
import { Labels } from "../../model/labels.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { encodeMeta } from "../../tsdb/block/meta.ts";
import { IndexWriter } from "../../tsdb/index/writer.ts";
import { BlockStatsReader } from "./block-stats.ts";

const ulids = ["01HX0000000000000000000001", "01HX0000000000000000000002"];

function addBlock(fs: MemFs, ulid: string, minTime: number, chunkBytes: number): number {
  const dir = `/data/${ulid}`;
  const compaction = { level: 1, sources: [ulid], deletable: false, parents: [], failed: false, hints: [] };
  const stats = {
    ...{ numSamples: 1, numFloatSamples: 1, numHistogramSamples: 0 },
    ...{ numSeries: 1, numChunks: 1, numTombstones: 0 },
  };
  const meta = encodeMeta({ ulid, minTime, maxTime: minTime + 10, stats, compaction, version: 1 });
  fs.makeDir(`${dir}/chunks`);
  write(fs, `${dir}/meta.json`, meta);
  write(fs, `${dir}/chunks/000001`, new Uint8Array(chunkBytes));
  return meta.length + chunkBytes;
}

function write(fs: MemFs, path: string, bytes: Uint8Array): void {
  const file = fs.open(path, "replace");
  file.writeAt(bytes, 0);
  file.close();
}

test("blocks are counted, measured and dated; what is no block is not", () => {
  const fs = new MemFs();
  fs.makeDir("/data/wal");
  const reader = new BlockStatsReader(fs, "/data");
  expect(reader.read()).toEqual({
    ...{ blocksLoaded: 0, blocksBytes: 0, blocksSymbolBytes: 0 },
    blocksMinTime: Number.POSITIVE_INFINITY,
  });
  const first = addBlock(fs, ulids[0], 5000, 100);
  const second = addBlock(fs, ulids[1], 3000, 50);
  fs.makeDir("/data/01HX0000000000000000000003");
  expect(reader.read()).toMatchObject({ blocksLoaded: 2, blocksBytes: first + second, blocksMinTime: 3000 });
  fs.removeDir(`/data/${ulids[1]}`);
  expect(reader.read()).toMatchObject({ blocksLoaded: 1, blocksBytes: first, blocksMinTime: 5000 });
});

test("symbol tables are measured in the index files", () => {
  const fs = new MemFs();
  addBlock(fs, ulids[0], 5000, 100);
  const index = new IndexWriter(fs, `/data/${ulids[0]}/index`);
  index.addSeries(Labels.of({ __name__: "up", job: "a" }), [0, 1, 8]);
  index.finish();
  // A count of four bytes, then "__name__", "a", "job", "up", "" with a length byte each.
  const reader = new BlockStatsReader(fs, "/data");
  expect(reader.read()["blocksSymbolBytes"]).toBe(4 + 9 + 2 + 4 + 3 + 1);
  write(fs, `/data/${ulids[0]}/index`, new Uint8Array(100));
  expect(new BlockStatsReader(fs, "/data").read()).toMatchObject({ blocksLoaded: 1, blocksSymbolBytes: 0 });
});

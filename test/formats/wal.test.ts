// The examples in docs/formats/{wal,wbl,checkpoint,head-chunks}.md: they read as the pages say, and are written so.
import { expect, test } from "vitest";
import { ByteWriter } from "../../src/base/bytes.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import { XorAppender } from "../../src/chunkenc/xor.ts";
import { Labels } from "../../src/model/labels.ts";
import { MemFs } from "../../src/testkit/mem-fs.ts";
import { HeadChunkReader } from "../../src/tsdb/chunks/head-chunk-reader.ts";
import { HeadChunkWriter } from "../../src/tsdb/chunks/head-chunk-writer.ts";
import { headChunkRef } from "../../src/tsdb/chunks/head-chunks.ts";
import { decodeMmapMarkers, encodeMmapMarkers } from "../../src/tsdb/record/mmap-markers.ts";
import { writeCheckpoint } from "../../src/tsdb/wal/checkpoint.ts";
import { pageBytes } from "../../src/tsdb/wal/segment.ts";
import { Wal } from "../../src/tsdb/wal/wal.ts";
import { WalLog } from "../../src/tsdb/wal/wal-log.ts";
import { ReplayedWal, walWorld } from "../tsdb/wal-world.ts";
import { hexExample } from "./hex-example.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const up = Labels.of({ __name__: "up", job: "a" });
const metadata = { walRef: 7, metadata: { type: "gauge", unit: "", help: "h" } };
const exemplar = { walRef: 7, t: 900, value: 0.5, labels: Labels.of({ id: "x" }) };
const deletion = { walRef: 7, mint: 0, maxt: 999 };

function open(fs: MemFs) {
  const world = walWorld(fs);
  const replayed = new ReplayedWal();
  const options = { quarantineDir: "quarantine", compression: "none", segmentBytes: pageBytes } as const;
  return { ...world, replayed, wal: Wal.open(world, "wal", options, replayed) };
}

test("wal.md reads as it says", () => {
  const fs = new MemFs();
  fs.makeDir("wal");
  fs.open("wal/00000000", "create").writeAt(hexExample("wal.md", "wal"), 0);
  const { replayed, logger } = open(fs);
  expect(logger.lines).toEqual([]);
  expect([...replayed.labels].map(([walRef, labels]) => [walRef, String(labels)])).toEqual([
    [7, '{__name__="up", job="a"}'],
  ]);
  expect(replayed.sampleLines).toEqual(["7 1000 3ff0000000000000", "7 16000 7ff0000000000002"]);
  expect(replayed.metadataEntries).toEqual([metadata]);
  expect(replayed.exemplarEntries).toEqual([exemplar]);
  expect(replayed.tombstoneEntries).toEqual([deletion]);
});

test("we write the bytes of wal.md and checkpoint.md", () => {
  const fs = new MemFs();
  const { wal, ...world } = open(fs);
  const log = new WalLog(wal);
  const values = new Float64Array(BigUint64Array.of(0x3ff0000000000000n, 0x7ff0000000000002n).buffer);
  log.logSeries({ n: 1, walRefs: Float64Array.of(7), labels: () => up });
  log.logMetadata([metadata]);
  log.logSamples(Float64Array.of(7, 7), Float64Array.of(1000, 16_000), values, 2);
  log.logExemplars([exemplar]);
  log.flush();
  log.logTombstones([deletion]);
  expect(hex(fs.readFile("wal/00000000"))).toBe(hex(hexExample("wal.md", "wal")));
  wal.planCheckpoint();
  writeCheckpoint(world, "wal", { from: 0, to: 0 }, { mint: 10_000, keep: () => true, compression: "none" });
  const want = new Uint8Array(pageBytes);
  want.set(hexExample("checkpoint.md", "checkpoint"));
  expect(hex(fs.readFile("wal/checkpoint.00000000/00000000"))).toBe(hex(want));
});

test("head-chunks.md reads as it says, and we write it", () => {
  const example = hexExample("head-chunks.md", "head-chunks");
  const fs = new MemFs();
  fs.makeDir("theirs");
  fs.open("theirs/000001", "create").writeAt(example, 0);
  const appender = new XorAppender();
  appender.append(15_000, Float64Array.of(1), 0);
  const chunk = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, "theirs").read(headChunkRef(1, 8));
  expect({ ...chunk, bytes: hex(chunk.bytes) }).toEqual({
    walRef: 7,
    mint: 15_000,
    maxt: 15_000,
    encoding: 1,
    outOfOrder: false,
    bytes: hex(appender.bytes()),
  });
  const writer = HeadChunkWriter.open({ fs }, "ours");
  expect(writer.append(7, 15_000, 15_000, 1, appender.bytes())).toBe(headChunkRef(1, 8));
  writer.flush();
  expect(hex(fs.readFile("ours/000001"))).toBe(hex(example));
});

test("the marker of wbl.md is read and written as it says", () => {
  const markers = [{ walRef: 7, chunkRef: headChunkRef(1, 8) }];
  const bytes = hexExample("wbl.md", "marker");
  expect(decodeMmapMarkers(bytes)).toEqual(markers);
  const out = new ByteWriter();
  encodeMmapMarkers(markers, out);
  expect(hex(out.bytes())).toBe(hex(bytes));
});

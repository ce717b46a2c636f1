// The samples of a real Prometheus's WAL, appended to our head, give the chunks that Prometheus itself had cut and the
// blocks that it had written from them: the same series, the same samples in each chunk, the same bytes.
import { expect, test } from "vitest";
import { PageCache } from "../../src/base/page-cache.ts";
import { Encoding } from "../../src/chunkenc/encoding.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import type { ChunkSource } from "../../src/tsdb/chunks/chunk.ts";
import { HeadReplay } from "../../src/tsdb/head/replay.ts";
import { ReplayChunks } from "../../src/tsdb/head/replay-chunks.ts";
import { RecordType, recordType } from "../../src/tsdb/record/record-type.ts";
import { decodeSamples, SampleBatch } from "../../src/tsdb/record/samples.ts";
import { SeriesCursor } from "../../src/tsdb/record/series.ts";
import { listSegments } from "../../src/tsdb/wal/segment.ts";
import { sharedData } from "../peers/find.ts";
import { recordsOf } from "../tsdb/wal-world.ts";
import { testHead } from "./fixture.ts";

const title = "chunks of a real Prometheus";
const crashed = sharedData(title, "data/prometheus-3.5.3-crashed");
/** That server's `--storage.tsdb.min-block-duration`. */
const chunkRangeMs = 180_000;

/** The float chunks of a source: "mint-maxt bytes" by labels. */
function chunksOf(source: ChunkSource): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { labels, chunks } of source.series()) {
    const lines: string[] = [];
    for (const { encoding, mint, maxt, bytes } of chunks()) {
      if (encoding === Encoding.xor) lines.push(`${mint}-${maxt} ${Buffer.from(bytes).toString("hex")}`);
    }
    if (lines.length > 0) all.set(labels.key, lines);
  }
  return all;
}

test.skipIf(crashed === undefined)("a head fed with the WAL gives the blocks' chunks", () => {
  const { head, reader } = testHead({ chunkRangeMs }, { pages: 2048 });
  const replay = new HeadReplay(head, -Infinity, new ReplayChunks(-Infinity));
  const batch = new SampleBatch();
  for (const record of recordsOf(nodeFs, listSegments(nodeFs, `${crashed}/wal`))) {
    const type = recordType(record);
    if (type === RecordType.series) {
      const cursor = new SeriesCursor(record);
      while (cursor.next()) replay.series(cursor.walRef, cursor.labels());
    } else if (type === RecordType.samples) {
      decodeSamples(record, batch);
      replay.samples(batch.walRefs, batch.t, batch.v, batch.n);
    }
  }
  replay.finish();
  let compared = 0;
  for (const ulid of ["01M7ZC5GGBMRWBNDTTFAVK8XZ3", "01M7ZC89V1PS6A7YNFGBZYN18F"]) {
    const block = Block.open({ fs: nodeFs, cache: new PageCache(1 << 22) }, `${crashed}/${ulid}`);
    const { minTime, maxTime } = block.meta;
    const source = block.chunkSource();
    const theirs = chunksOf(source);
    source.close();
    const ours = chunksOf(reader.chunkSource(minTime, maxTime - 1));
    expect(ours.size).toBe(theirs.size);
    for (const [labels, chunks] of theirs) {
      expect(ours.get(labels), labels).toEqual(chunks);
      compared += chunks.length;
    }
  }
  expect(compared).toBeGreaterThan(5000);
});

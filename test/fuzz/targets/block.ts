/** The files of a block: each decoder alone, and whole blocks with one file broken, opened, queried and read to the end. */
import { readFileSync } from "node:fs";
import { PageCache } from "../../../src/base/page-cache.ts";
import { Matcher, type MatchType } from "../../../src/model/matcher.ts";
import { Engine } from "../../../src/promql/engine.ts";
import type { Querier } from "../../../src/storage/querier.ts";
import { SampleColumns } from "../../../src/storage/sample-columns.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { Block } from "../../../src/tsdb/block/block.ts";
import { decodeMeta, encodeMeta } from "../../../src/tsdb/block/meta.ts";
import { SegmentReader } from "../../../src/tsdb/chunks/segment-reader.ts";
import { postingsForMatchers } from "../../../src/tsdb/index/match.ts";
import { IndexReader } from "../../../src/tsdb/index/reader.ts";
import { decodeTombstones, encodeTombstones } from "../../../src/tsdb/tombstones/file.ts";
import { noHints, unlimited } from "../../tsdb/chunk-series.ts";
import { sharedFiles } from "../shared-seeds.ts";
import { check, type FuzzTarget, isExpected } from "../target.ts";
import {
  type BlockFiles,
  blockPath,
  chunkRefsOf,
  indexV1,
  sealChunks,
  sealIndex,
  sealTombstones,
  smallBlock,
  writeFiles,
} from "./block-files.ts";

const whole = smallBlock();

const matchers = (
  [
    ["=~", "__name__", ".*"],
    ["=", "__name__", "a_total"],
    ["!~", "instance", "host:1.*"],
    ["=~", "instance", "host:1|host:2|"],
    ["!=", "zone", ""],
    ["=", "missing", ""],
  ] as const satisfies readonly [MatchType, string, string][]
).map(([type, name, value]) => [new Matcher(type, name, value)]);

/** Runs parts of a test one by one, each of which may meet an expected error. */
class Attempts {
  failed = 0;

  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.failed++;
    }
  }
}

/** Everything that the index can be asked. */
function readIndex(bytes: Uint8Array): boolean {
  const attempts = new Attempts();
  const fs = new MemFs();
  fs.open("index", "create").writeAt(bytes, 0);
  const cache = new PageCache(1 << 20);
  const index = IndexReader.open(cache.open(fs, "index"));
  for (const name of index.labelNames()) {
    attempts.attempt(() => {
      let values = 0;
      index.forEachValue(name, "", (value, handle) => {
        attempts.attempt(() => index.postingsAt(handle));
        if (values++ % 8 === 0) attempts.attempt(() => index.postings(name, value));
        return true;
      });
      check(values <= bytes.length, "more values than the file has room for");
    });
  }
  attempts.attempt(() => {
    for (const ref of index.postings("", "")) {
      attempts.attempt(() => {
        const series = index.series(ref, -Infinity, Infinity);
        const { length } = series?.chunks ?? [];
        check(length % 3 === 0, "half a chunk");
        index.labelValue(ref, "instance");
      });
    }
  });
  for (const some of matchers) attempts.attempt(() => postingsForMatchers(unlimited, index, some));
  index.close();
  check(cache.usedBytes === 0, "a closed index keeps pages");
  return attempts.failed === 0;
}

const goodRefs = chunkRefsOf(whole["chunks/000001"]);
const chunksRead = 12;

/** Chunks at places where some were, and wherever the first bytes point to. */
function readChunks(bytes: Uint8Array): boolean {
  const attempts = new Attempts();
  const fs = new MemFs();
  fs.makeDir("chunks");
  fs.open("chunks/000001", "create").writeAt(bytes, 0);
  const segments = SegmentReader.open(fs, new PageCache(1 << 20), "chunks");
  for (const ref of goodRefs.slice(0, chunksRead)) {
    attempts.attempt(() => check(segments.chunk(ref).length > 0, "a chunk without an encoding"));
  }
  const elsewhere = new Attempts();
  for (let at = 8; at + 4 <= Math.min(bytes.length, 24); at += 4) {
    const ref = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
    for (const odd of [ref, ref % bytes.length, ref * 2 ** 16]) elsewhere.attempt(() => segments.chunk(odd));
  }
  segments.close();
  return attempts.failed === 0;
}

function readMeta(bytes: Uint8Array): boolean {
  const meta = decodeMeta(bytes, "meta.json");
  const again = decodeMeta(encodeMeta(meta), "meta.json");
  const same = JSON.stringify({ ...again, version: meta.version }) === JSON.stringify(meta);
  check(same, "meta.json changes when it is written");
  return true;
}

function readTombstones(bytes: Uint8Array): boolean {
  const decoded = decodeTombstones(bytes, "tombstones");
  const again = decodeTombstones(encodeTombstones(decoded), "tombstones");
  check(again.total === decoded.total, "tombstones change when they are written");
  return true;
}

const engine = new Engine({
  clock: { nowMs: () => 0, monotonicMs: () => performance.now(), after: () => ({ cancel() {} }) },
  lookbackMs: 300_000,
  samplesMax: 1_000_000,
  bytesMax: 2 ** 25,
  timeoutMs: 500,
  noStepSubqueryIntervalMs: () => 60_000,
});

const queries = [
  "sum by (zone) (rate(a_total[5m]))",
  'count by (__name__) (last_over_time({__name__=~".+"}[5m]))',
];

/** Whether everything that a server does with a block came to an end without an error. */
function readBlock(files: BlockFiles): boolean {
  const attempts = new Attempts();
  const cache = new PageCache(1 << 20);
  attempts.attempt(() => {
    const block = Block.open({ fs: writeFiles(files), cache }, blockPath);
    const querier = block.querier();
    for (const some of matchers) attempts.attempt(() => readSeries(querier, some));
    attempts.attempt(() => {
      for (const name of querier.labelNames(unlimited, [], 0)) {
        querier.labelValues(unlimited, name, [], 0);
        querier.labelValues(unlimited, name, matchers[1], 3);
      }
    });
    attempts.attempt(() => querier.labelNames(unlimited, matchers[3], 0));
    const source = block.chunkSource();
    attempts.attempt(() => {
      for (const { chunks } of source.series())
        for (const chunk of chunks()) check(chunk.maxt >= chunk.mint, "a chunk ends before it begins");
    });
    source.close();
    const { minTime, maxTime } = block.meta;
    const end = Math.min(maxTime, minTime + 3_600_000);
    for (const query of queries) attempts.attempt(() => engine.range(block, query, minTime, end, 60_000));
    querier.close();
    block.retire();
  });
  check(cache.usedBytes === 0, "a closed block keeps pages");
  return attempts.failed === 0;
}

function readSeries(querier: Querier, some: readonly Matcher[]): void {
  const out = new SampleColumns(16);
  for (const series of querier.select(unlimited, some, -Infinity, Infinity, noHints, true)) {
    out.clear();
    series.read(out, -Infinity, Infinity);
    for (let i = 1; i < out.n; i++) check(out.t[i] >= out.t[i - 1], "samples are not in order");
    check(`${series.labels}` !== "", "labels cannot be printed");
  }
}

const shared = (name: RegExp) =>
  sharedFiles("data/prometheus-old-blocks/index_format_v1", name).map(
    (path) => new Uint8Array(readFileSync(path)),
  );

const indexSeeds = () => [whole.index, indexV1(["b", "a_total", "ä"], goodRefs)];
const indexWords = ["__name__", "a_total", "instance", "host:1", "\x02"];

const decoders: readonly FuzzTarget[] = [
  {
    name: "index",
    share: 1,
    seeds: () => [...indexSeeds(), ...shared(/^index$/)],
    dictionary: indexWords,
    seal: sealIndex,
    run: readIndex,
  },
  {
    name: "chunk-segment",
    share: 1,
    seeds: () => [whole["chunks/000001"]],
    seal: sealChunks,
    run: readChunks,
  },
  {
    name: "meta-json",
    share: 1,
    seeds: () => [whole["meta.json"], ...shared(/^meta.json$/)],
    dictionary: [
      '"version": 1',
      '"minTime": ',
      '"compaction": {',
      "null",
      "[]",
      "{}",
      '"sources": [',
      "1e999",
      '"__proto__": ',
    ],
    run: readMeta,
  },
  {
    name: "tombstones",
    share: 1,
    seeds: () => [whole.tombstones, ...shared(/^tombstones$/)],
    seal: sealTombstones,
    run: readTombstones,
  },
];

const blocks: readonly FuzzTarget[] = [
  {
    name: "block-with-index",
    share: 0.1,
    seeds: indexSeeds,
    dictionary: indexWords,
    seal: sealIndex,
    run: (index) => readBlock({ ...whole, index }),
  },
  {
    name: "block-with-chunks",
    share: 0.1,
    seeds: () => [whole["chunks/000001"]],
    seal: sealChunks,
    run: (bytes) => readBlock({ ...whole, "chunks/000001": bytes }),
  },
  {
    name: "block-with-meta-json",
    share: 0.1,
    seeds: () => [whole["meta.json"]],
    run: (bytes) => readBlock({ ...whole, "meta.json": bytes }),
  },
  {
    name: "block-with-tombstones",
    share: 0.1,
    seeds: () => [whole.tombstones],
    seal: sealTombstones,
    run: (tombstones) => readBlock({ ...whole, tombstones }),
  },
];

export const blockTargets: readonly FuzzTarget[] = [...decoders, ...blocks];

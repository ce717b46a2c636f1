/** The files of a block, each broken in turn while the others are whole: opened, queried and read to the end. */
import { readFileSync } from "node:fs";
import { PageCache } from "../../../src/base/page-cache.ts";
import { Matcher, type MatchType } from "../../../src/model/matcher.ts";
import { Engine } from "../../../src/promql/engine.ts";
import type { Querier } from "../../../src/storage/querier.ts";
import { SampleColumns } from "../../../src/storage/sample-columns.ts";
import { Block } from "../../../src/tsdb/block/block.ts";
import { decodeMeta, encodeMeta } from "../../../src/tsdb/block/meta.ts";
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
  let isSound = true;
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (error) {
      if (!isExpected(error)) throw error;
      isSound = false;
    }
  };
  const cache = new PageCache(1 << 20);
  attempt(() => {
    const block = Block.open({ fs: writeFiles(files), cache }, blockPath);
    const querier = block.querier();
    for (const some of matchers) attempt(() => readSeries(querier, some));
    attempt(() => {
      for (const name of querier.labelNames(unlimited, [], 0)) {
        querier.labelValues(unlimited, name, [], 0);
        querier.labelValues(unlimited, name, matchers[1], 3);
      }
    });
    attempt(() => querier.labelNames(unlimited, matchers[3], 0));
    const source = block.chunkSource();
    attempt(() => {
      for (const { chunks } of source.series())
        for (const chunk of chunks()) check(chunk.maxt >= chunk.mint, "a chunk ends before it begins");
    });
    source.close();
    const { minTime, maxTime } = block.meta;
    const end = Math.min(maxTime, minTime + 3_600_000);
    for (const query of queries) attempt(() => engine.range(block, query, minTime, end, 60_000));
    querier.close();
    block.retire();
  });
  check(cache.usedBytes === 0, "a closed block keeps pages");
  return isSound;
}

function readSeries(querier: Querier, some: readonly Matcher[]): void {
  const out = new SampleColumns(16);
  for (const series of querier.select(unlimited, some, -Infinity, Infinity, noHints, true)) {
    out.clear();
    series.read(out, -Infinity, Infinity);
    check(out.n <= out.t.length && out.n <= out.v.length, "more samples than there is room");
    check(`${series.labels}` !== "", "labels cannot be printed");
  }
}

const readers = (name: keyof BlockFiles) => (bytes: Uint8Array) => readBlock({ ...whole, [name]: bytes });

const shared = (name: RegExp) =>
  sharedFiles("data/prometheus-old-blocks/index_format_v1", name).map(
    (path) => new Uint8Array(readFileSync(path)),
  );

function decodeMetaTwice(bytes: Uint8Array): boolean {
  const meta = decodeMeta(bytes, "meta.json");
  const again = decodeMeta(encodeMeta(meta), "meta.json");
  check(
    JSON.stringify({ ...again, version: meta.version }) === JSON.stringify(meta),
    "meta.json changes when it is written",
  );
  return readBlock({ ...whole, "meta.json": bytes });
}

function decodeTombstonesTwice(bytes: Uint8Array): boolean {
  const { total } = decodeTombstones(bytes, "tombstones");
  const decoded = decodeTombstones(bytes, "tombstones");
  check(
    decodeTombstones(encodeTombstones(decoded), "tombstones").total === total,
    "tombstones change when they are written",
  );
  return readBlock({ ...whole, tombstones: bytes });
}

export const blockTargets: readonly FuzzTarget[] = [
  {
    name: "block-index",
    seeds: () => [whole.index, indexV1(["b", "a_total", "ä"], chunkRefsOf(whole["chunks/000001"]))],
    dictionary: ["__name__", "a_total", "instance", "host:1", "\x02"],
    seal: sealIndex,
    run: readers("index"),
  },
  {
    name: "block-chunks",
    seeds: () => [whole["chunks/000001"]],
    seal: sealChunks,
    run: readers("chunks/000001"),
  },
  {
    name: "block-meta",
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
    run: decodeMetaTwice,
  },
  {
    name: "block-tombstones",
    seeds: () => [whole.tombstones, ...shared(/^tombstones$/)],
    seal: sealTombstones,
    run: decodeTombstonesTwice,
  },
];

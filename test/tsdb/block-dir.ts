/** Blocks in a file system of their own, and what a query finds in them. */

import type { Fs } from "../../src/base/fs.ts";
import { PageCache } from "../../src/base/page-cache.ts";
import type { Matcher } from "../../src/model/matcher.ts";
import type { Querier } from "../../src/storage/querier.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import { SeededRandom } from "../../src/testkit/seeded-random.ts";
import type { BlockMeta } from "../../src/tsdb/block/meta.ts";
import type { ChunkSource } from "../../src/tsdb/chunks/chunk.ts";
import { type WriteBlockOptions, writeBlock } from "../../src/tsdb/compact/write-block.ts";
import { seriesText } from "../series-text.ts";
import { noHints, unlimited } from "./chunk-series.ts";

export interface BlockDir {
  readonly fs: Fs;
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly cache: PageCache;
  readonly logger: RecordingLogger;
  readonly dir: string;
  write(source: ChunkSource, mint: number, maxt: number, options?: WriteBlockOptions): BlockMeta;
}

/** An empty data directory "data"; each block that is written is a millisecond younger than the one before. */
export function blockDir(fs: Fs): BlockDir {
  const env = {
    fs,
    clock: new ManualClock(),
    random: new SeededRandom(1),
    cache: new PageCache(1 << 20),
    logger: new RecordingLogger(),
  };
  fs.makeDir("data");
  return {
    ...env,
    dir: "data",
    write(source, mint, maxt, options) {
      env.clock.advance(1);
      const meta = writeBlock(env, "data", source, { mint, maxt }, options);
      if (meta === undefined) throw new Error("the block is empty");
      return meta;
    },
  };
}

/** Series as text → time and bits of each sample. Series without samples in the range are left out. */
export function readAll(
  querier: Querier,
  matchers: readonly Matcher[],
  mint = -Infinity,
  maxt = Infinity,
  hints = noHints,
): Record<string, [number, bigint][]> {
  const columns = new SampleColumns(1);
  const result: Record<string, [number, bigint][]> = {};
  for (const series of querier.select(unlimited, matchers, mint, maxt, hints, true)) {
    columns.clear();
    series.read(columns, mint, maxt);
    const bits = new BigUint64Array(columns.v.buffer);
    const samples = Array.from({ length: columns.n }, (_, i): [number, bigint] => [columns.t[i], bits[i]]);
    if (samples.length > 0) result[seriesText(series.labels)] = samples;
  }
  return result;
}

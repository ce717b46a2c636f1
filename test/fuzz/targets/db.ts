/**
 * A data directory with a broken file: the database opens, shows what is left, takes new samples, and shows the same
 * after the next start.
 */
import { silentLogger } from "../../../src/base/env.ts";
import { PageCache } from "../../../src/base/page-cache.ts";
import { Matcher } from "../../../src/model/matcher.ts";
import { Outcome } from "../../../src/storage/appender.ts";
import { ManualClock } from "../../../src/testkit/manual-clock.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { HeadChunkReader } from "../../../src/tsdb/chunks/head-chunk-reader.ts";
import { Db, type DbOptions } from "../../../src/tsdb/db.ts";
import { HeadReader } from "../../../src/tsdb/head/head-reader.ts";
import { HeadMemory } from "../../../src/tsdb/head/memory.ts";
import { append, noContext, type Row, stage } from "../../head/fixture.ts";
import { codecs } from "../../tsdb/wal-world.ts";
import { check, type FuzzTarget, isExpected } from "../target.ts";
import { headChunkFile, sealHeadChunks, sharedHeadChunks } from "./chunks.ts";
import { readHead } from "./head-contents.ts";
import { sealSegment, segments } from "./wal.ts";

const dir = "data";
const walPath = `${dir}/wal/00000000`;
const chunksPath = `${dir}/chunks_head/000001`;
const start = 1_700_000_000_000;

const options: DbOptions = {
  blockRangeMs: 7_200_000,
  samplesPerChunk: 8,
  walSegmentBytes: 1 << 20,
  walCompression: "none",
  walSync: "segment",
  exemplarsMax: 100,
};

const open = (fs: MemFs) =>
  new Db(
    { fs, codecs, clock: new ManualClock(), random: new SeededRandom(1), logger: silentLogger },
    dir,
    options,
  );

/** A directory with chunk files and a log, as a killed server leaves it. */
function directory(): MemFs {
  const fs = new MemFs();
  const { appender } = open(fs);
  for (let k = 0; k < 30; k++) {
    const rows = ["a", "b", "c"].map(
      (name, i): Row => [{ __name__: name, i: `${i}` }, start + k * 15_000, k * i],
    );
    append(appender, k % 5 === 0 ? rows : rows.slice(1));
  }
  return fs;
}

const whole = directory();
const marker = { __name__: "marker" };

/** Starts on a copy of the directory with `bytes` in place of one of its files. */
function startWith(path: string, bytes: Uint8Array): boolean {
  const fs = whole.clone();
  fs.open(path, "replace").writeAt(bytes, 0);
  const first = open(fs);
  contents(fs, first);
  const { head, appender } = first;
  const t = head.isInitialized ? Math.max(head.maxTime, start) : start;
  const isUsual = Math.abs(t) < 2 ** 52;
  if (isUsual) {
    check(stage(appender, [[marker, t, 1]])[0] === Outcome.ok, `a new sample at ${t} is refused`);
    appender.commit();
  }
  const before = contents(fs, first);
  check(!isUsual || before.includes(`"marker"} ${t}:1`), `a new sample at ${t} does not show in ${before}`);
  first.close();
  const second = open(fs);
  const after = contents(fs, second);
  check(after === before, `after the next start there is ${after}, before there was ${before}`);
  second.close();
  return !fs.list(dir).includes("quarantine");
}

/** All that queries find, metric by metric: some may not be readable. */
function contents(fs: MemFs, { head }: Db): string {
  const store = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, `${dir}/chunks_head`);
  const reader = new HeadReader(HeadMemory.attach(head.handle), store);
  const querier = reader.querier(-Infinity, Infinity);
  const names = ["", ...querier.labelValues(noContext, "__name__", [], 0)];
  querier.labelNames(noContext, [], 0);
  querier.close();
  const parts = names.map((name) => {
    try {
      return readHead(reader, [new Matcher("=", "__name__", name)]);
    } catch (error) {
      if (!isExpected(error)) throw error;
      return `${name}: ${(error as Error).name}`;
    }
  });
  store.close();
  return parts.join("\n");
}

export const dbTargets: readonly FuzzTarget[] = [
  {
    name: "db-with-wal",
    share: 0.1,
    seeds: () => [whole.readFile(walPath), ...segments()],
    seal: sealSegment,
    run: (bytes) => startWith(walPath, bytes),
  },
  {
    name: "db-with-head-chunks",
    share: 0.1,
    seeds: () => [whole.readFile(chunksPath), headChunkFile(), ...sharedHeadChunks()],
    seal: sealHeadChunks,
    run: (bytes) => startWith(chunksPath, bytes),
  },
];

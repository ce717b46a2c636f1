/**
 * The storage as a whole, through long lives: batches, blocks cut from the head, checkpoints, queries in between, clean
 * and unclean ends at every point. What was acknowledged is there, each sample once, and nothing else is.
 */
import { describe, expect, test } from "vitest";
import { stage } from "../../test/head/fixture.ts";
import { readAll } from "../../test/tsdb/block-dir.ts";
import { codecs } from "../../test/tsdb/wal-world.ts";
import type { Fs } from "../base/fs.ts";
import { PageCache } from "../base/page-cache.ts";
import { Matcher } from "../model/matcher.ts";
import { mergeQueriers } from "../storage/merge.ts";
import { faultFs } from "../testkit/fault-fs.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { RecordingLogger } from "../testkit/recording-logger.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { traceFs } from "../testkit/trace-fs.ts";
import { BlockSet } from "./block/block-set.ts";
import { HeadChunkReader } from "./chunks/head-chunk-reader.ts";
import { writeBlock } from "./compact/write-block.ts";
import { Db, type DbOptions } from "./db.ts";
import { HeadReader } from "./head/head-reader.ts";
import { liveWalRefs } from "./head/head-status.ts";
import { HeadMemory } from "./head/memory.ts";
import { writeCheckpoint } from "./wal/checkpoint.ts";

const dir = "data";
const t0 = 1_700_000_000_000;
const every = [new Matcher("=~", "i", ".+")];

const options: DbOptions = {
  blockRangeMs: 1000,
  samplesPerChunk: 4,
  walSegmentBytes: 1 << 15,
  walCompression: "none",
  walSync: "always",
  exemplarsMax: 0,
};

interface Row {
  readonly i: string;
  readonly t: number;
  readonly v: number;
}

/** What was acknowledged, and the batch of which nobody knows yet. */
interface Known {
  readonly acknowledged: readonly Row[];
  readonly pending: readonly Row[];
}

/** One start of the storage. */
class Life {
  readonly db: Db;
  readonly env;
  readonly acknowledged: Row[];
  pending: readonly Row[] = [];
  readonly #blocks: BlockSet;
  readonly #reader: HeadReader;

  constructor(fs: Fs, random: SeededRandom, acknowledged: Row[]) {
    this.acknowledged = acknowledged;
    this.env = { fs, codecs, clock: new ManualClock(), random, logger: new RecordingLogger() };
    this.db = new Db(this.env, dir, options);
    const cache = new PageCache(1 << 20);
    this.#blocks = BlockSet.open({ ...this.env, cache }, dir);
    const store = new HeadChunkReader({ fs, cache }, `${dir}/chunks_head`);
    this.#reader = new HeadReader(HeadMemory.attach(this.db.head.handle), store, 1);
  }

  append(rows: readonly Row[]): void {
    const { appender } = this.db;
    const outcomes = stage(
      appender,
      rows.map(({ i, t, v }) => [{ i }, t, v]),
    );
    this.pending = rows.filter((_, k) => outcomes[k] === 0);
    appender.commit();
    this.acknowledged.push(...this.pending);
    this.pending = [];
  }

  /** As a query thread reads: the head first, then the blocks. */
  read(): Record<string, [number, bigint][]> {
    const head = this.#reader.querier(-Infinity, Infinity);
    this.#blocks.reload();
    const querier = mergeQueriers([...this.#blocks.queriers(-Infinity, Infinity), head]);
    const all = readAll(querier, every);
    querier.close();
    return all;
  }

  /** A round of maintenance; `between` is called wherever batches and queries may come in. */
  maintain(between: () => void): void {
    const { db, env } = this;
    let cutTo: number | undefined;
    for (let range = db.headCompactionDue(); range !== undefined; range = db.headCompactionDue()) {
      const { mint, maxt } = range;
      between();
      env.clock.advance(1);
      writeBlock(env, dir, this.#reader.chunkSource(mint, maxt), { mint, maxt: maxt + 1 });
      between();
      cutTo = maxt + 1;
      while (db.truncateHead(cutTo, () => true) !== "done") between();
    }
    if (cutTo === undefined) return;
    const job = db.planCheckpoint(cutTo);
    between();
    if (job === undefined) return;
    const needed = liveWalRefs(db.head.memory, 1);
    for (const walRef of job.kept) needed.add(walRef);
    const keep = (walRef: number) => needed.has(walRef);
    writeCheckpoint(env, `${dir}/wal`, job.plan, { mint: job.mint, keep });
    between();
    db.finishCheckpoint(job.mint);
  }
}

const bits = new BigUint64Array(1);
const double = new Float64Array(bits.buffer);
const line = (i: string, t: number, value: bigint) => `${i} ${t} ${value.toString(16)}`;

function lineOf({ i, t, v }: Row): string {
  double[0] = v;
  return line(`{i="${i}"}`, t, bits[0]);
}

/** Throws unless what is found is what is known. */
function check(
  found: Record<string, [number, bigint][]>,
  { acknowledged, pending }: Known,
  what: string,
): void {
  const lines = Object.entries(found).flatMap(([i, samples]) => samples.map(([t, v]) => line(i, t, v)));
  const shown = new Set(lines);
  expect(shown.size, `${what}: each sample once`).toBe(lines.length);
  const missing = acknowledged.map(lineOf).filter((one) => !shown.has(one));
  expect(missing, `${what}: missing`).toEqual([]);
  const known = new Set([...acknowledged, ...pending].map(lineOf));
  expect(
    lines.filter((one) => !known.has(one)),
    `${what}: nobody wrote`,
  ).toEqual([]);
}

/** A disk as it was before a call, and what was known then. */
interface Picture extends Known {
  readonly line: string;
  readonly disk: MemFs;
}

/** Batches whose series come and go, some for longer than a block. */
function batch(random: SeededRandom, t: number): Row[] {
  const phase = Math.floor((t - t0) / 1700);
  const rows: Row[] = [];
  for (let i = 0; i < 8; i++) {
    const lives = i < 3 || ((phase + i) * 2654435761) % 3 === 0;
    if (lives && random.below(10) > 0) rows.push({ i: `${i}`, t: t + i, v: random.below(1000) / 3 });
  }
  return rows;
}

describe.each([1, 2])("seed %i", (seed) => {
  test("what was acknowledged is there, at every moment and after an end at any moment", () => {
    const random = new SeededRandom(seed);
    const coin = new SeededRandom(seed + 100);
    const disk = new MemFs();
    const acknowledged: Row[] = [];
    const pictures: Picture[] = [];
    let life: Life | undefined;
    const fs = traceFs(disk, dir, (call) => {
      if (coin.below(150) > 0) return;
      const pending = life?.pending ?? [];
      pictures.push({ line: call, disk: disk.clone(), acknowledged: [...acknowledged], pending });
    });
    let t = t0;
    for (let start = 0; start < 4; start++) {
      life = new Life(fs, random, acknowledged);
      const { append, read } = { append: life.append.bind(life), read: life.read.bind(life) };
      check(read(), { acknowledged, pending: [] }, `start ${start}`);
      for (let k = 0; k < 120; k++) {
        append(batch(random, (t += 40)));
        if (k % 20 === 19)
          life.maintain(() => {
            if (random.below(4) === 0) append(batch(random, (t += 40)));
            if (random.below(8) === 0) check(read(), { acknowledged, pending: [] }, `batch ${k}`);
          });
      }
      if (start % 2 === 0) life.db.close();
    }
    expect(pictures.length).toBeGreaterThan(5);
    for (const { line: call, disk: before, ...known } of pictures.slice(0, 8)) {
      for (const after of [before.clone(), before.crash(coin)]) {
        const next = new Life(after, random, [...known.acknowledged]);
        check(next.read(), known, `ended before ${call}`);
        const more = [...next.acknowledged, ...known.pending];
        next.append(batch(random, t + 5000));
        next.db.close();
        const last = new Life(after, random, [...next.acknowledged]);
        check(last.read(), { acknowledged: next.acknowledged, pending: more }, `a start later, ${call}`);
      }
    }
  });
});

test("a series that went and came back: start after start finds its chunks in order", () => {
  const random = new SeededRandom(1);
  const disk = new MemFs();
  const acknowledged: Row[] = [];
  let life = new Life(disk, random, acknowledged);
  let t = t0;
  const run = (batches: number, ids: readonly string[]) => {
    for (let k = 0; k < batches; k++) {
      t += 40;
      life.append(ids.map((i) => ({ i, t, v: k })));
      life.maintain(() => {});
    }
  };
  run(20, ["a", "b"]);
  run(50, ["b"]);
  expect(life.db.head.stats.seriesRemoved).toBe(1);
  run(20, ["a", "b"]);
  for (let start = 1; start <= 5; start++) {
    life = new Life(disk, random, acknowledged);
    expect(life.env.logger.at("warn"), `start ${start}`).toEqual([]);
    check(life.read(), { acknowledged, pending: [] }, `start ${start}`);
    run(7, ["a", "b"]);
  }
});

test("a disk that is full for a while: what is acknowledged meanwhile and afterwards is there", () => {
  for (let seed = 1; seed <= 2; seed++) {
    const random = new SeededRandom(seed);
    const disk = new MemFs();
    let full = false;
    const fs = faultFs(disk, ({ operation }) =>
      full && ["write", "create", "replace", "makeDir"].includes(operation)
        ? { code: "ENOSPC", writtenBytes: random.below(200) }
        : undefined,
    );
    const life = new Life(fs, random, []);
    const { acknowledged } = life;
    let t = t0;
    let refusals = 0;
    const attempt = (action: () => void) => {
      try {
        action();
      } catch (error) {
        expect(String((error as Error).cause ?? error)).toContain("ENOSPC");
        refusals++;
      }
    };
    const go = () => attempt(() => life.append(batch(random, (t += 40))));
    for (let k = 0; k < 300; k++) {
      full = k % 75 >= 40 && k % 75 < 60;
      go();
      if (k % 10 === 9) attempt(() => life.maintain(() => random.below(3) === 0 && go()));
    }
    expect(refusals).toBeGreaterThan(40);
    check(life.read(), { acknowledged, pending: [] }, `seed ${seed}`);
    // Nothing waits any more, and the storage is in shape again.
    expect(life.db.head.cuts.waiting).toBe(0);
    expect(life.db.headCompactionDue()).toBeUndefined();
    expect(disk.list(dir).filter((name) => name.includes("tmp"))).toEqual([]);
    const next = new Life(disk.clone(), random, [...acknowledged]);
    check(next.read(), { acknowledged, pending: [] }, `seed ${seed}, next start`);
    expect(next.env.logger.at("warn")).toEqual([]);
  }
});

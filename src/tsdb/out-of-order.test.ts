/** The storage with an out-of-order window: whatever comes in whatever order, what was acknowledged is there, once. */
import { expect, test } from "vitest";
import { check, Knowledge, type Row } from "../../test/crash/knowledge.ts";
import { blockRangeMs, dir, Life, t0 } from "../../test/crash/life.ts";
import { Outcome } from "../storage/appender.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { traceFs } from "../testkit/trace-fs.ts";

const windowMs = 3000;
const seed = Number(process.env.SEED ?? Date.now() % 1e6);

function begin(...args: ConstructorParameters<typeof Life>): Life {
  const life = new Life(...args);
  life.db.outOfOrderWindowMs = windowMs;
  return life;
}

/** Times that no series had yet, most of them late. */
class Times {
  readonly #used = new Set<string>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  rows(now: number): Row[] {
    const rows: Row[] = [];
    const count = 1 + this.#random.below(12);
    for (let k = 0; k < count; k++) {
      const i = `${this.#random.below(5)}`;
      const t = this.#random.below(3) === 0 ? now + k : now - this.#random.below(windowMs - 200);
      if (this.#used.has(`${i} ${t}`)) continue;
      this.#used.add(`${i} ${t}`);
      rows.push({ i, t, v: this.#random.below(1000) / 3 });
    }
    return rows;
  }
}

test(`any order, blocks cut, ends of every kind (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  const coin = new SeededRandom(seed + 1);
  const times = new Times(random);
  const disk = new MemFs();
  const known = new Knowledge();
  const pictures: { line: string; disk: MemFs; known: Knowledge }[] = [];
  const fs = traceFs(disk, dir, (line) => {
    if (coin.below(200) === 0) pictures.push({ line, disk: disk.clone(), known: known.copy() });
  });
  let now = t0;
  for (let start = 0; start < 5; start++) {
    const life = begin(fs, random, known);
    check(life.read(), known, "whole", `start ${start}`);
    for (let k = 0; k < 150; k++) {
      life.append(times.rows((now += 37)));
      if (k % 10 === 9) check(life.read(), known, "whole", `start ${start}, batch ${k}`);
      if (k % 25 === 24) {
        life.maintain(() => {
          if (random.below(4) === 0) life.append(times.rows((now += 5)));
          if (random.below(6) === 0) check(life.read(), known, "whole", `compaction, batch ${k}`);
        });
        life.compactBlocks();
        check(life.read(), known, "whole", `compacted, batch ${k}`);
      }
    }
    expect(life.db.head.stats.lateAppended).toBeGreaterThan(100);
    if (start % 2 === 0) life.close();
  }
  for (const picture of pictures.slice(0, 12)) {
    for (const after of [picture.disk.clone(), picture.disk.crash(coin)]) {
      const next = begin(after, random, picture.known.copy());
      check(next.read(), next.known, "whole", `ended before ${picture.line}`);
      next.close();
    }
  }
});

test("what is too old, and what is there already", () => {
  const life = begin(new MemFs(), new SeededRandom(1));
  const { appender, head } = life.db;
  life.append([{ i: "a", t: t0, v: 1 }]);
  const ref = appender.series(head.labels(1));
  const put = (t: number, v: number) => {
    const outcomes = new Uint8Array(1);
    appender.append(Uint32Array.of(ref), Float64Array.of(t), Float64Array.of(v), 1, outcomes);
    appender.commit();
    return outcomes[0];
  };
  expect(put(t0 - windowMs, 2)).toBe(Outcome.ok);
  expect(put(t0 - windowMs - 1, 2)).toBe(Outcome.tooOld);
  expect(put(t0, 1)).toBe(Outcome.duplicate);
  expect(put(t0, 2)).toBe(Outcome.duplicateTimestamp);
  // Within out-of-order data the first one stays, silently.
  expect(put(t0 - windowMs, 3)).toBe(Outcome.ok);
  expect(head.stats).toMatchObject({ tooOld: 1, lateAppended: 1 });
  const [samples] = Object.values(life.read());
  expect(samples.map(([t]) => t)).toEqual([t0 - windowMs, t0]);
  expect(samples[0][1]).toBe(0x4000000000000000n);
});

test("without a window late samples are refused; those of before stay", () => {
  const disk = new MemFs();
  const life = begin(disk, new SeededRandom(1));
  life.append([{ i: "a", t: t0, v: 1 }]);
  life.append([{ i: "a", t: t0 - 5, v: 2 }]);
  life.db.outOfOrderWindowMs = 0;
  life.append([{ i: "a", t: t0 - 6, v: 2 }]);
  expect(life.db.head.stats.outOfOrder).toBe(1);
  const next = new Life(disk, new SeededRandom(1), life.known);
  check(next.read(), next.known, "whole", "next start");
});

test("a marker counts only while its own chunk is there", () => {
  const disk = new MemFs();
  const life = begin(disk, new SeededRandom(1), new Knowledge(), { outOfOrderWindowMs: windowMs });
  for (const i of ["a", "b"]) life.append([{ i, t: t0, v: 1 }]);
  // The fifth is in a new chunk: the log has a marker of the one before, which the power cut takes.
  for (let k = 1; k <= 5; k++) life.append([{ i: "a", t: t0 - k, v: k, isLate: true }]);
  const cut = disk.crash("lost");
  const next = begin(cut, new SeededRandom(1), life.known, { outOfOrderWindowMs: windowMs });
  // A later chunk, of another series, in the next file.
  for (let k = 1; k <= 5; k++) next.append([{ i: "b", t: t0 - k, v: k, isLate: true }]);
  check(new Life(cut, new SeededRandom(1), life.known).read(), life.known, "whole", "third start");
});

test("what is called, in which order: late samples appended, made into a block", () => {
  const fs = traceFs(new MemFs(), dir);
  const options = { outOfOrderWindowMs: windowMs, walSync: "segment" } as const;
  const life = begin(fs, new SeededRandom(1), new Knowledge(), options);
  life.append([{ i: "a", t: t0, v: 1 }]);
  fs.takeTrace();
  // The fifth is in a new chunk: first the chunk, then the log with its marker.
  for (let k = 1; k <= 5; k++) life.append([{ i: "a", t: t0 - k, v: k, isLate: true }]);
  expect(fs.takeTrace()).toEqual([
    "write wbl/00000000 0+34",
    "write wbl/00000000 34+34",
    "write wbl/00000000 68+34",
    "write wbl/00000000 102+34",
    "replace chunks_head/000001",
    "write chunks_head/000001 0+8",
    "syncDir chunks_head",
    "write chunks_head/000001 8+53",
    "write wbl/00000000 136+58",
  ]);
  life.compactLate();
  // What it takes to write a block: compact/write-block.test.ts.
  const lines = fs.takeTrace().map((line) => line.replace(/\b[0-9A-Z]{26}\b/g, "BLOCK"));
  expect(lines.filter((line) => !/^\w+ BLOCK\.tmp-for-creation(\/\S+)?( \d+\+\d+)?$/.test(line))).toEqual([
    "write chunks_head/000001 61+46",
    "write wbl/00000000 194+32574",
    "create wbl/00000001",
    "syncDir wbl",
    "sync wal/00000000",
    "sync wbl/00000000",
    "rename BLOCK.tmp-for-creation -> BLOCK",
    "syncDir data",
    "removeFile wbl/00000000",
    "sync wal/00000000",
    "sync wbl/00000001",
    "sync chunks_head/000001",
    "removeFile chunks_head/000001",
  ]);
});

test("files are freed once blocks have what they held", () => {
  const disk = new MemFs();
  const life = begin(disk, new SeededRandom(1));
  for (let k = 0; k < 100; k++) {
    life.append([{ i: "a", t: t0 + 10 * k, v: k }]);
    life.append([{ i: "a", t: t0 + 10 * k - 5, v: k }]);
  }
  expect(disk.list(`${dir}/wbl`)).toEqual(["00000000"]);
  life.compactLate();
  expect(disk.list(`${dir}/wbl`)).toEqual(["00000001"]);
  expect(life.db.head.late.isEmpty).toBe(true);
  life.blocks.reload();
  expect(life.blocks.blocks.map(({ meta }) => [meta.minTime % blockRangeMs, meta.compaction.hints])).toEqual(
    life.blocks.blocks.map(() => [0, ["from-out-of-order"]]),
  );
  check(life.read(), life.known, "whole", "compacted");
});

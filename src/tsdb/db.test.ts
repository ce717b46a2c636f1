/**
 * The storage as a whole, through long lives: batches, blocks cut from the head, checkpoints, queries in between, clean
 * and unclean ends at every point. What was acknowledged is there, each sample once, and nothing else is.
 */
import { describe, expect, test } from "vitest";
import { check, Knowledge } from "../../test/crash/knowledge.ts";
import { batch, dir, Life, t0 } from "../../test/crash/life.ts";
import { faultFs } from "../testkit/fault-fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { traceFs } from "../testkit/trace-fs.ts";

/** A disk as it was before a call, and what was known then. */
interface Picture {
  readonly line: string;
  readonly disk: MemFs;
  readonly known: Knowledge;
}

describe.each([1, 2])("seed %i", (seed) => {
  test("what was acknowledged is there, at every moment and after an end at any moment", () => {
    const random = new SeededRandom(seed);
    const coin = new SeededRandom(seed + 100);
    const disk = new MemFs();
    const known = new Knowledge();
    const pictures: Picture[] = [];
    const fs = traceFs(disk, dir, (line) => {
      if (coin.below(150) === 0) pictures.push({ line, disk: disk.clone(), known: known.copy() });
    });
    let t = t0;
    for (let start = 0; start < 4; start++) {
      const life = new Life(fs, random, known);
      const { append, read } = { append: life.append.bind(life), read: life.read.bind(life) };
      check(read(), known, "whole", `start ${start}`);
      for (let k = 0; k < 120; k++) {
        append(batch(random, (t += 40)));
        if (k % 20 === 19)
          life.maintain(() => {
            if (random.below(4) === 0) append(batch(random, (t += 40)));
            if (random.below(8) === 0) check(read(), known, "whole", `batch ${k}`);
          });
      }
      if (start % 2 === 0) life.db.close();
    }
    expect(pictures.length).toBeGreaterThan(5);
    for (const picture of pictures.slice(0, 8)) {
      for (const after of [picture.disk.clone(), picture.disk.crash(coin)]) {
        const next = new Life(after, random, picture.known.copy());
        check(next.read(), next.known, "whole", `ended before ${picture.line}`);
        next.known.doubtful.push(...next.known.pending);
        next.append(batch(random, t + 5000));
        next.db.close();
        const last = new Life(after, random, next.known);
        check(last.read(), next.known, "whole", `a start later, ${picture.line}`);
      }
    }
  });
});

test("a series that went and came back: start after start finds its chunks in order", () => {
  const random = new SeededRandom(1);
  const disk = new MemFs();
  let life = new Life(disk, random);
  const { known } = life;
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
    life = new Life(disk, random, known);
    expect(life.env.logger.at("warn"), `start ${start}`).toEqual([]);
    check(life.read(), known, "whole", `start ${start}`);
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
    const life = new Life(fs, random);
    const { known } = life;
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
    // What was refused is not in the log either.
    known.doubtful.length = 0;
    check(life.read(), known, "whole", `seed ${seed}`);
    // Nothing waits any more, and the storage is in shape again.
    expect(life.db.head.cuts.waiting).toBe(0);
    expect(life.db.headCompactionDue()).toBeUndefined();
    expect(disk.list(dir).filter((name) => name.includes("tmp"))).toEqual([]);
    const next = new Life(disk.clone(), random, known);
    check(next.read(), known, "whole", `seed ${seed}, next start`);
    expect(next.env.logger.at("warn")).toEqual([]);
  }
});

test("in rushed mode, and with many stale series, the head is cut before a whole range has gathered", () => {
  const life = new Life(new MemFs(), new SeededRandom(1));
  const { db } = life;
  const begin = Math.ceil(t0 / 1000) * 1000;
  for (let k = 0; k <= 12; k++) life.append([{ i: "a", t: begin + k * 100, v: k }]);
  const due = { mint: begin, maxt: begin + 624, early: true };
  expect(db.headCompactionDue()).toBeUndefined();
  // A limit that leaves nothing, and one that leaves everything.
  expect(db.judgeMemory(1)).toBe(true);
  expect(db.headCompactionDue()).toEqual(due);
  expect(db.judgeMemory(65_000)).toBe(true);
  expect(db.headCompactionDue()).toBeUndefined();
  db.head.stats.staleSeries = 1;
  expect(db.headCompactionDue()).toBeUndefined();
  db.staleSeriesThreshold = 0.5;
  expect(db.headCompactionDue()).toEqual(due);
  db.head.stats.staleSeries = 0;
  expect(db.headCompactionDue()).toBeUndefined();
  db.judgeMemory(1);
  life.maintain(() => {});
  // As far as samples may still come.
  expect(db.head.minTime).toBe(begin + 700);
  check(life.read(), life.known, "whole", "after the early cut");
});

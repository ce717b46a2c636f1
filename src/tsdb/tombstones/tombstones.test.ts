import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CorruptionError } from "../../base/errors.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { decodeTombstones, encodeTombstones, readTombstones, writeTombstones } from "./file.ts";
import { covers, type Interval, mergeIntervals, removeDeleted } from "./intervals.ts";
import { Tombstones } from "./tombstones.ts";

const interval = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.nat(10))
  .map(([mint, length]): Interval => ({ mint, maxt: mint + length }));
const someIntervals = fc.array(interval, { maxLength: 8 });
const inside = (intervals: readonly Interval[], t: number) =>
  intervals.some(({ mint, maxt }) => mint <= t && t <= maxt);

describe("intervals", () => {
  test("hold the same milliseconds as what was added, in order and apart", () => {
    fc.assert(
      fc.property(someIntervals, (added) => {
        const tombstones = new Tombstones();
        for (const one of added) tombstones.add(1, one);
        expect(tombstones.get(1)).toEqual(mergeIntervals(added));
        const kept = mergeIntervals(added);
        for (let t = -1; t < 55; t++) expect(inside(kept, t), `at ${t}`).toBe(inside(added, t));
        for (let i = 1; i < kept.length; i++) expect(kept[i].mint).toBeGreaterThan(kept[i - 1].maxt + 1);
      }),
    );
  });

  test("cover a range where one of them does", () => {
    fc.assert(
      fc.property(someIntervals, interval, (added, { mint, maxt }) => {
        const kept = mergeIntervals(added);
        const all = Array.from({ length: maxt - mint + 1 }, (_, i) => inside(kept, mint + i)).every(Boolean);
        expect(covers(kept, mint, maxt)).toBe(all);
      }),
    );
  });

  test("take samples out and keep the bits of the others", () => {
    fc.assert(
      fc.property(someIntervals, fc.uniqueArray(fc.nat(55)), fc.nat(3), (added, drawn, from) => {
        const times = drawn.sort((a, b) => a - b);
        const columns = new SampleColumns(64);
        const bits = new BigUint64Array(columns.v.buffer);
        times.forEach((t, i) => {
          columns.t[i] = t;
          bits[i] = 0x7ff0000000000002n + BigInt(t);
        });
        columns.n = times.length;
        removeDeleted(columns, Math.min(from, times.length), mergeIntervals(added));
        const want = times.filter((t, i) => i < from || !inside(added, t));
        expect([...columns.t.subarray(0, columns.n)]).toEqual(want);
        expect([...bits.subarray(0, columns.n)]).toEqual(want.map((t) => 0x7ff0000000000002n + BigInt(t)));
      }),
    );
  });

  test("reach to the ends of time", () => {
    const all = { mint: -(2 ** 63), maxt: 2 ** 63 };
    expect(mergeIntervals([{ mint: 3, maxt: 4 }, all])).toEqual([all]);
    expect(mergeIntervals([all, { mint: 3, maxt: 4 }])).toEqual([all]);
  });

  test("that end before they begin hold nothing", () => {
    expect(mergeIntervals([{ mint: 4, maxt: 3 }])).toEqual([]);
    const tombstones = new Tombstones();
    tombstones.add(1, { mint: 4, maxt: 3 });
    expect(tombstones.entries()).toEqual([]);
  });
});

describe("file", () => {
  const tombstones = new Tombstones();
  tombstones.add(300, { mint: 1_700_000_000_000, maxt: 1_700_000_000_999 });
  tombstones.add(7, { mint: -5, maxt: 5 });
  tombstones.add(7, { mint: 20, maxt: 30 });
  tombstones.add(2 ** 40, { mint: -(2 ** 63), maxt: 2 ** 63 - 1 });

  test("comes back as it was written", () => {
    const fs = new MemFs();
    fs.makeDir("block");
    expect(readTombstones(fs, "block")).toEqual({ tombstones: new Tombstones(), sizeBytes: 0 });
    writeTombstones(fs, "block", tombstones);
    const read = readTombstones(fs, "block");
    expect(read.tombstones.entries()).toEqual(tombstones.entries());
    expect(read.sizeBytes).toBe(fs.stat("block/tombstones")?.sizeBytes);
    expect(read.tombstones.total).toBe(4);
    expect(read.tombstones.get(7)).toEqual([
      { mint: -5, maxt: 5 },
      { mint: 20, maxt: 30 },
    ]);
    expect(fs.list("block")).toEqual(["tombstones"]);
    expect(fs.crash("lost").list("block")).toEqual(["tombstones"]);
  });

  test("without entries it is what Prometheus writes", () => {
    expect(Buffer.from(encodeTombstones(new Tombstones())).toString("hex")).toBe("0130ba300100000000");
  });

  test("every damaged byte is noticed", () => {
    const good = encodeTombstones(tombstones);
    for (let at = 0; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] ^= 1 << (at % 8);
      expect(() => decodeTombstones(bytes, "f"), `byte ${at}`).toThrow(CorruptionError);
      expect(() => decodeTombstones(good.subarray(0, at), "f"), `cut at ${at}`).toThrow(CorruptionError);
    }
  });
});

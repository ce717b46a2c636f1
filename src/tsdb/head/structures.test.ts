// The parts that everything else stands on, each against the plainest model: arena, series index, posting lists, hash.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testHead } from "../../../test/head/fixture.ts";
import { PageKind, Pair, Purpose, pageWords, Root } from "../../kernels/head-layout.ts";
import { hashBytes, hashHigh } from "../../kernels/label-hash.ts";
import { Labels } from "../../model/labels.ts";
import { pairHeader, seriesRecord } from "./memory.ts";
import { appendPosting, PostingsCompaction } from "./postings.ts";
import { endOfPostings, PostingsCursor } from "./postings-cursor.ts";
import { WalRefMap } from "./wal-ref-map.ts";

test("the arena never gives out the same words twice, counts what is in use, and takes runs back", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 2048 }), fc.integer({ min: 2049, max: 90_000 }));
  const step = fc.oneof({ arbitrary: size, weight: 3 }, { arbitrary: fc.constant(0), weight: 2 });
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat()), { maxLength: 80 }), (steps) => {
      const { head, memory } = testHead({}, { pages: 400, poison: false });
      const { arena } = head;
      const before = arena.bytesInUse(Purpose.staging);
      const held: { at: number; size: number; mark: number }[] = [];
      steps.forEach(([count, pick], i) => {
        if (count > 0) {
          const at = arena.alloc(count, Purpose.staging);
          expect(arena.sizeOf(at)).toBeGreaterThanOrEqual(count);
          const one = { at, size: arena.sizeOf(at), mark: i + 1 };
          memory.words.fill(one.mark, at, at + one.size);
          held.push(one);
        } else if (held.length > 0) {
          const [one] = held.splice(pick % held.length, 1);
          expect(memory.words.subarray(one.at, one.at + one.size).every((word) => word === one.mark)).toBe(
            true,
          );
          arena.free(one.at, Purpose.staging);
        }
      });
      const inUse = held.reduce((sum, one) => sum + one.size, 0);
      expect(arena.bytesInUse(Purpose.staging) - before).toBe(inUse * 4);
      for (const one of held) {
        expect(memory.words.subarray(one.at, one.at + one.size).every((word) => word === one.mark)).toBe(
          true,
        );
        arena.free(one.at, Purpose.staging);
      }
      expect(arena.bytesInUse(Purpose.staging)).toBe(before);
      // Free runs that touch are one again: the longest stretch between the pages that size classes keep can be taken.
      let longest = 0;
      for (let page = memory.firstArenaPage, length = 0; page < memory.pageCount; page++) {
        length = memory.words[Root.end + page] === PageKind.free ? length + 1 : 0;
        longest = Math.max(longest, length);
      }
      const at = arena.alloc(longest * pageWords, Purpose.staging);
      expect(arena.sizeOf(at)).toBe(longest * pageWords);
      arena.free(at, Purpose.staging);
    }),
    { numRuns: 40 },
  );
});

test("the series index finds what was inserted and not what was removed, also where hashes collide", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.boolean()), { maxLength: 500 }), (steps) => {
      const { head } = testHead({}, { pages: 256 });
      const { series } = head;
      const live = new Map<number, number>();
      const bytes = (i: number) =>
        Uint8Array.from(Buffer.from(`\n\x0b\n\x01a\x12\x06${String(100_000 + i)}`, "latin1"));
      for (const [i, add] of steps) {
        const label = bytes(i);
        const found = series.find(label, 0, label.length);
        expect(found).toBe(live.get(i) ?? 0);
        if (add && found === 0) live.set(i, series.create(label, 0, label.length, i + 1));
        else if (!add && found !== 0) {
          series.kill(found);
          live.delete(i);
        }
      }
      expect(series.index.count).toBe(live.size);
      for (const [i, ref] of live) expect(series.find(bytes(i), 0, bytes(i).length)).toBe(ref);
    }),
    { numRuns: 30 },
  );
});

test("series of one segment with one hash position are told apart and removed in any order", () => {
  const { head, memory } = testHead({}, { pages: 256 });
  const { words } = memory;
  const refs = Array.from({ length: 200 }, (_, i) => {
    const label = Buffer.from(`\n\x0b\n\x01a\x12\x06${String(100_000 + i)}`, "latin1");
    const ref = head.series.create(label, 0, label.length, i + 1);
    head.series.index.remove(ref);
    words[seriesRecord(words, ref)] = 14 + (i % 3);
    words[seriesRecord(words, ref) + 1] = 0x42000000 + i;
    head.series.index.insert(ref, 14 + (i % 3), 0x42000000 + i);
    return ref;
  });
  for (let i = 0; i < refs.length; i += 2) head.series.index.remove(refs[(i * 7) % 200]);
  expect(head.series.index.count).toBe(100);
  for (let i = 1; i < refs.length; i += 2) head.series.index.remove(refs[(i * 7) % 200]);
  expect(head.series.index.count).toBe(0);
});

describe("posting lists", () => {
  const lists = fc.record({
    steps: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4000 }),
    dead: fc.integer({ min: 2, max: 40 }),
    seeks: fc.array(fc.nat(20_000), { maxLength: 60 }),
  });

  test("append, go along, seek, remove the dead, append again", () => {
    fc.assert(
      fc.property(lists, ({ steps, dead, seeks }) => {
        const { head, memory } = testHead({}, { pages: 256 });
        const { words } = memory;
        head.series.find(new Uint8Array(0), 0, 0);
        const label = Buffer.from("\n\x06\n\x01a\x12\x01b", "latin1");
        head.series.create(label, 0, label.length, 1);
        const pair = words[seriesRecord(words, 1) + 4];
        let ref = 1;
        let refs = [1];
        for (const step of steps) {
          ref += step;
          refs.push(ref);
          appendPosting(words, head.arena, pair, ref);
        }
        const check = () => {
          const lastRef = refs[Math.floor(refs.length * 0.9)] ?? 0;
          const visible = refs.filter((one) => one <= lastRef);
          const cursor = new PostingsCursor(words, pair, lastRef);
          const seen: number[] = [];
          for (; cursor.ref !== endOfPostings; cursor.next()) seen.push(cursor.ref);
          expect(seen).toEqual(visible);
          const out = new Uint32Array(visible.length + 1);
          expect(new PostingsCursor(words, pair, lastRef).drain(out, 0)).toBe(visible.length);
          expect([...out.subarray(0, visible.length)]).toEqual(visible);
          const seeking = new PostingsCursor(words, pair, lastRef);
          for (const target of [...seeks].sort((a, b) => a - b)) {
            expect(seeking.seek(target)).toBe(visible.find((one) => one >= target) ?? endOfPostings);
          }
        };
        check();
        const isDead = (one: number) => one % dead === 0 || (dead > 35 && one < 9000);
        const compaction = new PostingsCompaction(words, head.arena, head.retired, pair, isDead);
        refs = refs.filter((one) => !isDead(one));
        do {
          ref += 3;
          while (isDead(ref)) ref++;
          appendPosting(words, head.arena, pair, ref);
          refs.push(ref);
        } while (compaction.step());
        head.publish();
        check();
        expect(words[pairHeader(words, pair) + Pair.length]).toBe(refs.length);
        const all = new PostingsCompaction(words, head.arena, head.retired, pair, () => true);
        while (all.step());
        expect(all.isEmpty).toBe(true);
        expect(new PostingsCursor(words, pair, 0xfffffffe).ref).toBe(endOfPostings);
      }),
      { numRuns: 30 },
    );
  });
});

test("the hash depends on every byte, on the length and on the seed", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 7);
  const seen = new Set<string>();
  const add = (start: number, end: number, seed: number) => {
    const low = hashBytes(bytes, start, end, seed);
    seen.add(`${low},${hashHigh}`);
  };
  let count = 0;
  for (let length = 0; length < 30; length++, count++) add(5, 5 + length, 1);
  for (let seed = 2; seed < 50; seed++, count++) add(5, 20, seed);
  for (let i = 5; i < 34; i++) {
    for (let bit = 0; bit < 8; bit++, count++) {
      bytes[i] ^= 1 << bit;
      add(5, 34, 1);
      bytes[i] ^= 1 << bit;
    }
  }
  expect(seen.size).toBe(count);
});

test("equal bytes have equal hashes at any alignment, and segments fill evenly", () => {
  const text = Buffer.from(Labels.of({ __name__: "http_requests_total", code: "200" }).key);
  const hashes = Array.from({ length: 9 }, (_, shift) => {
    const bytes = new Uint8Array(text.length + 20).fill(shift);
    bytes.set(text, shift);
    return `${hashBytes(bytes, shift, shift + text.length, 3)},${hashHigh}`;
  });
  expect(new Set(hashes).size).toBe(1);
  const counts = new Uint32Array(256);
  for (let i = 0; i < 25_600; i++) {
    const bytes = Buffer.from(`series-${i}`);
    hashBytes(bytes, 0, bytes.length, 0);
    counts[hashHigh >>> 24]++;
  }
  expect(Math.max(...counts)).toBeLessThan(160);
  expect(Math.min(...counts)).toBeGreaterThan(55);
});

test("WAL refs, dense and far apart", () => {
  const map = new WalRefMap();
  const refs = [1, 2, 63, 64, 65, 2 ** 40, 2 ** 53 - 1];
  refs.forEach((walRef, i) => {
    expect(map.get(walRef)).toBe(0);
    map.set(walRef, i + 1);
    expect(map.get(walRef)).toBe(i + 1);
  });
  expect(refs.map((walRef) => map.get(walRef))).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { interceptFs } from "../testkit/intercept-fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { CorruptionError } from "./errors.ts";
import { PageCache } from "./page-cache.ts";

const page = 8 * 1024;
const size = 20 * page + 100;
const content = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);

function setUp(budgetBytes: number) {
  const memory = new MemFs();
  const file = memory.open("f", "create");
  file.writeAt(content, 0);
  let reads = 0;
  const fs = interceptFs(memory, (call, run) => {
    if (call.operation === "read") reads++;
    return run();
  });
  const cache = new PageCache(budgetBytes);
  return { cache, file: cache.open(fs, "f"), fs, reads: () => reads };
}

test("any range reads what is in the file, within the budget", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(fc.nat(size), fc.oneof(fc.nat(300), fc.nat(size))), { maxLength: 40 }),
      (pages, ranges) => {
        const { cache, file } = setUp(pages * page);
        for (const [offset, wanted] of ranges) {
          const length = Math.min(wanted, size - offset);
          expect(Buffer.compare(file.view(offset, length), content.subarray(offset, offset + length))).toBe(
            0,
          );
          expect(cache.usedBytes).toBeLessThanOrEqual(pages * page);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a page is read once while it stays; a page in use survives the sweep of others", () => {
  const { file, reads } = setUp(3 * page);
  for (let i = 0; i < 10; i++) file.view(10, 20);
  expect(reads()).toBe(1);
  for (let at = 1; at < 7; at++) {
    file.view(0, 1);
    file.view(at * page, 1);
  }
  expect(reads()).toBe(7);
  file.view(page, 1);
  expect(reads()).toBe(8);
});

test("long ranges pass by the cache", () => {
  const { cache, file } = setUp(100 * page);
  file.view(5, 17 * page);
  expect(cache.usedBytes).toBe(0);
});

test("ranges outside the file are refused, also where the file became shorter", () => {
  const { file, fs } = setUp(page);
  const ranges: [number, number][] = [
    [size, 1],
    [size - 1, 2],
    [-1, 1],
    [0, -1],
    [2 ** 60, 1],
    [0, 2 ** 60],
    [Number.NaN, 1],
    [0, Number.NaN],
  ];
  for (const [offset, length] of ranges) {
    expect(() => file.view(offset, length), `${offset}+${length}`).toThrow(CorruptionError);
  }
  expect(file.view(size, 0).length).toBe(0);
  fs.open("f", "write").truncate(page);
  expect(() => file.view(2 * page, 1)).toThrow(/8192 bytes expected, 0 read/);
});

test("a closed file gives its pages back", () => {
  const { cache, file, fs } = setUp(10 * page);
  const other = cache.open(fs, "f");
  for (const each of [file, other]) for (let at = 0; at < 3; at++) each.view(at * page, 1);
  file.close();
  file.close();
  expect(cache.usedBytes).toBe(3 * page);
  expect(other.view(page, 1)[0]).toBe(content[page]);
});

test("a growing file: views see what was appended, also within a page that was read before", () => {
  const fs = new MemFs();
  const file = fs.open("f", "create");
  const cache = new PageCache(3 * page);
  const paged = cache.openGrowing(fs, "f");
  expect(() => paged.view(0, 1)).toThrow(CorruptionError);
  for (let length = 0; length < size; ) {
    const step = Math.min(size - length, 1 + ((length * 7) % 9000));
    file.writeAt(content.subarray(length, length + step), length);
    length += step;
    const from = Math.max(0, length - 5000);
    expect(Buffer.compare(paged.view(from, length - from), content.subarray(from, length))).toBe(0);
    expect(() => paged.view(length, 1)).toThrow(CorruptionError);
    expect(cache.usedBytes).toBeLessThanOrEqual(3 * page);
  }
  paged.close();
  expect(cache.usedBytes).toBeLessThanOrEqual(3 * page);
});

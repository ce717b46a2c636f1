import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { hashBytes } from "./label-hash.ts";
import { ScrapeCache } from "./scrape-cache.ts";
import { Control, Kind, keyLengthMax } from "./scrape-layout.ts";
import { ScrapeMemory } from "./scrape-memory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("memory", () => {
  test("blocks do not overlap, keep their content when resized, and are used again", () => {
    const memory = new ScrapeMemory(1);
    const random = new SeededRandom(1);
    const blocks = new Map<number, number>();
    for (let i = 0; i < 100; i++) {
      const size = 1 + random.below(5000);
      const address = memory.allocate(size);
      for (const [other, otherSize] of blocks)
        expect(address + size <= other || other + otherSize <= address).toBe(true);
      blocks.set(address, size);
      memory.u8.fill(i & 0xff, address, address + size);
    }
    const [[first, size]] = blocks;
    const moved = memory.resize(first, size, size * 8);
    expect(memory.u8.subarray(moved, moved + size).every((byte) => byte === 0)).toBe(true);
    const before = memory.sizeBytes;
    memory.release(moved, size * 8);
    expect(memory.allocate(size * 8)).toBe(moved);
    expect(memory.sizeBytes).toBe(before);
  });

  test("more than there can be is refused, and what is there stays usable", () => {
    const memory = new ScrapeMemory(1);
    expect(() => memory.allocate(2 ** 33)).toThrow("No memory for the series of another scrape target");
    expect(memory.allocate(100)).toBeGreaterThan(0);
  });
});

test("a cache against a Map: inserts, removals, iterations", () => {
  const memory = new ScrapeMemory(7);
  const cache = new ScrapeCache(memory);
  const random = new SeededRandom(2);
  const model = new Map<string, number>();
  for (let round = 0; round < 15; round++) {
    cache.begin();
    const seen = new Set<string>();
    for (let i = random.below(300); i > 0; i--) {
      const key = `key_${random.below(450)}{${"x".repeat(random.below(40))}}`;
      const known = model.get(key);
      let slot = cache.find(bytes(key));
      expect(slot).toBe(known ?? 0);
      if (slot === 0) slot = cache.insert(bytes(key), Kind.series);
      model.set(key, slot);
      expect(cache.see(slot)).toBe(!seen.has(key));
      seen.add(key);
    }
    const complete = random.chance(0.7);
    cache.end(complete);
    if (complete) for (const key of model.keys()) if (!seen.has(key)) model.delete(key);
    expect(cache.count).toBe(model.size);
    for (const [key, slot] of model) {
      expect(cache.find(bytes(key))).toBe(slot);
      expect(new TextDecoder().decode(cache.key(slot))).toBe(key);
    }
    expect(new Set(model.values()).size).toBe(model.size);
  }
  cache.close();
  cache.close();
  expect(memory.usedBytes).toBe(0);
});

test("keys with the same hash are told apart", () => {
  const memory = new ScrapeMemory(3);
  const cache = new ScrapeCache(memory);
  const byHash = new Map<number, string>();
  const colliding: string[] = [];
  for (let i = 0; colliding.length < 4; i++) {
    const key = `k${String(i).padStart(8, "0")}`;
    const hash = hashBytes(bytes(key), 0, key.length, 3);
    const other = byHash.get(hash);
    if (other !== undefined) colliding.push(other, key);
    byHash.set(hash, key);
  }
  cache.begin();
  const slots = colliding.map((key) => cache.insert(bytes(key), Kind.series));
  expect(colliding.map((key) => cache.find(bytes(key)))).toEqual(slots);
  cache.remove(slots[0]);
  expect(colliding.map((key) => cache.find(bytes(key)))).toEqual([0, ...slots.slice(1)]);
});

test("comments outlive ten scrapes, series none", () => {
  const cache = new ScrapeCache(new ScrapeMemory(1));
  cache.begin();
  cache.see(cache.insert(bytes("# TYPE a gauge\n"), Kind.comment));
  cache.see(cache.insert(bytes("a"), Kind.series));
  cache.end(true);
  for (let i = 0; i < 10; i++) {
    cache.begin();
    cache.end(true);
    expect(cache.count).toBe(1);
  }
  cache.begin();
  cache.end(true);
  expect(cache.count).toBe(0);
});

test("empty and endless keys are not remembered", () => {
  const memory = new ScrapeMemory(1);
  const cache = new ScrapeCache(memory);
  cache.begin();
  for (const key of [new Uint8Array(0), new Uint8Array(keyLengthMax + 1)]) {
    expect(cache.insert(key, Kind.series)).toBe(0);
    expect(cache.find(key)).toBe(0);
  }
  expect(memory.control(Control.seen)).toBe(0);
});

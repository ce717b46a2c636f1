// What a pinned reader found stays as it was until it unpins; without the guard it does not.
import { describe, expect, test } from "vitest";
import { append, type Row, type TestHead, testHead } from "../../../test/head/fixture.ts";
import { Pair, poisonWord, Root, Series, Slot } from "../../kernels/head-layout.ts";
import { Labels } from "../../model/labels.ts";
import { Collection } from "./collection.ts";
import { ReaderPin, releaseOwner } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import { pairHeader, seriesRecord } from "./memory.ts";
import { PairStrings } from "./pair-strings.ts";
import { endOfPostings, PostingsCursor } from "./postings-cursor.ts";

const t0 = 1_700_000_000_000;

/** 60 series of one job; after collection only every third lives. */
function world(unguarded: boolean): TestHead {
  const world = testHead({ chunkRangeMs: 100_000, samplesPerChunk: 8 }, { pages: 512, unguarded });
  const rows = (t: number, from: number, step: number): Row[] => {
    const all: Row[] = [];
    for (let i = from; i < 60; i += step) all.push([{ job: "x", i: `${i}` }, t, i]);
    return all;
  };
  append(world.appender, rows(t0, 0, 1));
  for (let k = 1; k <= 30; k++) append(world.appender, rows(t0 + k * 10_000, 0, 3));
  return world;
}

function pairOf({ memory }: TestHead, name: string, value: string): number {
  const pin = ReaderPin.open(memory);
  const id = new HeadIndex(memory, new PairStrings(memory), pin.state).find(name, value);
  pin.close();
  return id;
}

/** Reads something, lets the writer go on, and tells whether it is the same afterwards. */
type Scene = (world: TestHead) => boolean;

const scenes: Record<string, Scene> = {
  "posting blocks": (world) => {
    const { memory, head } = world;
    const collection = Collection.truncation(head, t0 + 200_000);
    collection.step(() => true);
    const pin = ReaderPin.open(memory);
    const cursor = new PostingsCursor(memory.words, pairOf(world, "job", "x"), pin.state.lastRef);
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) {
      seen.push(cursor.ref);
      cursor.next();
    }
    while (collection.step(() => true) !== "done");
    for (; cursor.ref !== endOfPostings && seen.length < 100; cursor.next()) seen.push(cursor.ref);
    pin.close();
    return seen.every((ref, i) => ref === i + 1) && seen.length === 60;
  },
  "open chunks": (world) => {
    const { memory, appender } = world;
    const { words } = memory;
    const pin = ReaderPin.open(memory);
    const slab = words[seriesRecord(words, 1) + Series.open];
    const before = words.slice(slab + 1, slab + 4).join();
    for (let k = 31; k < 60; k++) append(appender, [[{ job: "x", i: "0" }, t0 + k * 10_000, Math.PI * k]]);
    const same = words.slice(slab + 1, slab + 4).join() === before;
    pin.close();
    return same;
  },
  "chunk lists": (world) => {
    const { memory, appender } = world;
    const { words } = memory;
    const pin = ReaderPin.open(memory);
    const list = words[seriesRecord(words, 1) + Series.chunkList];
    const before = words.slice(list + 1, list + 10).join();
    for (let k = 31; k < 120; k++) append(appender, [[{ job: "x", i: "0" }, t0 + k * 10_000, 1]]);
    const same = words.slice(list + 1, list + 10).join() === before;
    pin.close();
    return same;
  },
  "the pair table": (world) => {
    const { memory, appender } = world;
    const { words } = memory;
    const pin = ReaderPin.open(memory);
    const table = words[Root.pairTable];
    const before = words.slice(table + 2, table + 514);
    for (let i = 0; i < 500; i++) appender.series(Labels.of({ other: `${i}` }));
    appender.commit();
    // New pairs may have come to it before it was replaced: what was there must be there.
    const same = before.every((word, i) => word === 0 || i % 2 === 0 || words[table + 2 + i] === word);
    pin.close();
    return same;
  },
  "strings and headers of pairs": (world) => {
    const { memory, head, appender } = world;
    const { words } = memory;
    const collection = Collection.truncation(head, t0 + 200_000);
    collection.step(() => true);
    const pin = ReaderPin.open(memory);
    const pair = pairOf(world, "i", "1");
    const strings = new PairStrings(memory);
    while (collection.step(() => true) !== "done");
    appender.series(Labels.of({ new: "pair" }));
    appender.commit();
    const same = words[pairHeader(words, pair) + Pair.hash] !== poisonWord && strings.value(pair) === "1";
    pin.close();
    return same;
  },
};

describe("with the guard", () => {
  test.each(Object.entries(scenes))("%s stay", (_, scene) => {
    const guarded = world(false);
    expect(scene(guarded)).toBe(true);
    guarded.head.publish();
    expect(guarded.head.retired.waiting).toBe(0);
  });
});

describe("without the guard", () => {
  test.each(Object.entries(scenes))("%s do not stay", (_, scene) => {
    let stayed = true;
    try {
      stayed = scene(world(true));
    } catch {
      stayed = false;
    }
    expect(stayed).toBe(false);
  });
});

test("collection waits for queries that were opened before, pinned or not", () => {
  const { head, reader } = world(false);
  const before = reader.querier(t0, t0 + 10 ** 9);
  before.doneSelecting();
  const collection = Collection.truncation(head, t0 + 200_000);
  expect(collection.step(() => false)).toBe("waiting");
  const after = reader.querier(t0, t0 + 10 ** 9);
  expect(after.state.minTime).toBe(t0 + 200_000);
  expect(collection.step(() => false)).toBe("waiting");
  before.close();
  expect(collection.step(() => false)).toBe("done");
  after.close();
  expect(head.stats.series).toBe(20);
});

test("the slots of a thread that died are released", () => {
  const { memory } = world(false);
  for (let i = 0; i < 5; i++) ReaderPin.open(memory, 7);
  const mine = ReaderPin.open(memory, 8);
  expect(releaseOwner(memory, 7)).toBe(5);
  expect(releaseOwner(memory, 7)).toBe(0);
  expect(mine.isPinned).toBe(true);
});

test.each([
  ["after it claimed its slot", (words: Uint32Array, slot: number) => words.fill(0, slot, slot + Slot.owner)],
  ["before it pinned", (words: Uint32Array, slot: number) => words.fill(0, slot, slot + Slot.opened)],
  ["after it unpinned", (words: Uint32Array, slot: number) => words.fill(0, slot, slot + Slot.opened)],
])("a thread that died %s holds nothing up once it is released", (_, die) => {
  const { head, memory } = world(false);
  ReaderPin.open(memory, 7);
  die(memory.words, Root.slots);
  expect(releaseOwner(memory, 7)).toBe(1);
  expect([...memory.words.subarray(Root.slots, Root.slots + 3)]).toEqual([0, 0, 0]);
  const collection = Collection.truncation(head, t0 + 200_000);
  expect(collection.step(() => false)).toBe("done");
});

test("there are 256 slots", () => {
  const { memory } = world(false);
  const pins = Array.from({ length: 256 }, () => ReaderPin.open(memory));
  expect(() => ReaderPin.open(memory)).toThrow("more than 256 queries");
  pins[100].close();
  ReaderPin.open(memory);
});

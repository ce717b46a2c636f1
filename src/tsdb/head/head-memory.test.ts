// The worked example of docs/formats/head-memory.md, and that the page's tables and the layout agree.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { append, testHead } from "../../../test/head/fixture.ts";
import { classWords, Pair, Root, Series } from "../../kernels/head-layout.ts";
import { pairHeader, seriesRecord } from "./memory.ts";
import { copyChunkData } from "./open-chunk.ts";

const page = readFileSync(new URL("../../../docs/formats/head-memory.md", import.meta.url), "utf8");

test("the example of the page", () => {
  const { memory, appender } = testHead({}, { hashSeed: 0 });
  append(appender, [[{ a: "b" }, 15000, 1]]);
  const { words } = memory;
  const hex = (at: number, count: number) =>
    [...words.subarray(at, at + count)]
      .map((word) => word.toString(16).toUpperCase().padStart(8, "0"))
      .join(" ");
  const string = (pair: number) => {
    const at = words[pairHeader(words, pair) + Pair.string];
    const bytes = new Uint8Array(words.slice(at + 1, at + 4).buffer).slice(0, words[at]);
    return `${hex(at, 1)}  ${[...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ")}`;
  };
  const pair = words[seriesRecord(words, 1) + Series.pairs];
  const name = words[pairHeader(words, pair) + Pair.name];
  const header = pairHeader(words, pair);
  const record = seriesRecord(words, 1);
  const open = words[record + Series.open];
  const bytes = new Uint8Array(16);
  copyChunkData(words, open, 4, 1, bytes, 0);
  const lines = [
    `pair ${name} (name "a")        string: ${string(name)}`,
    `pair ${pair} (a="b")           string: ${string(pair)}`,
    `  header words 5, 6, 7:  ${hex(header + 5, 3)}`,
    `  posting block:         ${hex(header + Pair.block, 6)}`,
    `  words 2–4:             ${hex(record + 2, 3)}`,
    `  words 17–19:           ${hex(record + 17, 3)}`,
    `  words 28, 30, 31:      ${hex(record + 28, 1)} ${hex(record + 30, 2)}`,
    `  words 0–4:             ${hex(open, 5)}`,
    `  data:                  ${hex(open + 5, 4)}`,
    `  as bytes, count put in: ${[...bytes.subarray(0, 13)].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ")}`,
  ];
  const example = page.slice(page.indexOf(". Example")).split("\n");
  for (const line of lines) expect(example).toContain(line);
});

test("size classes: of the page, and the size of a slab told from its offset", () => {
  expect(page).toContain(`\n\`${classWords.join(" ")}\`\n`);
  const { memory, head } = testHead();
  for (const size of [1, 4, 5, 12, 13, 100, 1024, 1025, 2048]) {
    const at = head.arena.alloc(size, 5);
    expect(head.arena.sizeOf(at)).toBe(classWords.find((words) => words >= size));
    head.arena.free(at, 5);
  }
  expect(memory.words[Root.wordsInUse + 5]).toBe(0);
});

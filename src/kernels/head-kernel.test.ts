import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as headLayout from "./head-layout.ts";
import { Judgement } from "./head-stage.ts";
import * as writeLayout from "./write-layout.ts";

const layout = { ...headLayout, ...writeLayout };
const files = ["head-layout", "write-layout"];

/** `SERIES_LAST_TIME` → 22 … as assembly/ has them. */
function assemblyConstants(): Map<string, number> {
  const text = files
    .map((name) => readFileSync(new URL(`../../assembly/${name}.ts`, import.meta.url), "utf8"))
    .join("");
  const constants = new Map<string, number>();
  for (const [, name, expression] of text.matchAll(/export const (\w+): u(?:32|8) = ([^;]+);/g)) {
    const value = expression
      .split("+")
      .map((term) => constants.get(term.trim()) ?? Number(term.trim()))
      .reduce((a, b) => a + b);
    constants.set(name, value);
  }
  return constants;
}

const groups: Record<string, Readonly<Record<string, number>>> = {
  ROOT: layout.Root,
  CLASS: layout.Class,
  PURPOSE: layout.Purpose,
  PAIR: layout.Pair,
  SERIES: layout.Series,
  FLAG: layout.SeriesFlag,
  BITS: layout.Bits,
  CHUNK: layout.Chunk,
  PART: layout.ChunkPart,
  NOTE: layout.Note,
  SEGMENT: layout.Segment,
  APPEND: layout.Append,
  CUT: layout.Cut,
  STATUS: layout.AppendStatus,
  SCAN: layout.Scan,
  UNKNOWN: layout.Unknown,
  SCANSTATUS: layout.ScanStatus,
  STAGE: layout.Stage,
  JUDGEMENT: Judgement,
};

function ourConstant(name: string): number | undefined {
  const [, prefix, rest] = /^([A-Z]+)_(\w+)$/.exec(name) ?? [];
  const member = rest?.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const camel = name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return groups[prefix]?.[member] ?? (layout as unknown as Record<string, number>)[camel];
}

test("both layouts have the same numbers", () => {
  const theirs = assemblyConstants();
  expect(theirs.size).toBeGreaterThan(60);
  expect(Object.fromEntries(theirs)).toEqual(
    Object.fromEntries([...theirs.keys()].map((name) => [name, ourConstant(name)])),
  );
});

test("both have the same slab classes", () => {
  const text = readFileSync(new URL("../../assembly/head-layout.ts", import.meta.url), "utf8");
  const list = /SLAB_WORDS: StaticArray<u32> = \[([^\]]+)\]/.exec(text)?.[1] ?? "";
  expect(
    list
      .split(",")
      .map((n) => n.trim())
      .filter((n) => n !== "")
      .map(Number),
  ).toEqual([...layout.classWords]);
});

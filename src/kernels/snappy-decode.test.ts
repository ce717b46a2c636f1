// The decoders against the package, which is Prometheus's format as everybody else has it.
import { readFileSync } from "node:fs";
import { compressSync, uncompressSync } from "snappy";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { headKernel } from "./head-kernel.ts";
import { headTwin } from "./head-twin.ts";
import { snappySlackBytes } from "./snappy-decode.ts";

const seed = Number(process.env.NARTHEX_SEED ?? 1);
const wasm = new Uint8Array(readFileSync(new URL("./head.wasm", import.meta.url)));
const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536, shared: true });
const words = new Uint32Array(memory.buffer);
const bytes = new Uint8Array(memory.buffer);
const decoders = {
  kernel: headKernel(wasm, memory),
  twin: headTwin(words, new Float64Array(memory.buffer)),
};
const source = 1 << 16;
const target = 1 << 20;
const canary = 0xa5;

/** What a decoder makes of a block with room for `room` bytes; undefined where it is refused. */
function decode(which: keyof typeof decoders, block: Uint8Array, room: number): Buffer | undefined {
  bytes.set(block, source * 4);
  bytes.fill(canary, target * 4 - 64, target * 4 + room + 2 * snappySlackBytes);
  const length = decoders[which].snappyDecode(source, block.length, target, room);
  expect(length).toBeLessThanOrEqual(room);
  const outside = [
    ...bytes.subarray(target * 4 - 64, target * 4),
    ...bytes.subarray(target * 4 + room + snappySlackBytes, target * 4 + room + 2 * snappySlackBytes),
  ];
  expect(outside.every((byte) => byte === canary)).toBe(true);
  return length < 0 ? undefined : Buffer.from(bytes.slice(target * 4, target * 4 + length));
}

function byPackage(block: Uint8Array): Buffer | undefined {
  try {
    return uncompressSync(block as Buffer, { asBuffer: true }) as Buffer;
  } catch {
    return undefined;
  }
}

function randomText(random: SeededRandom, length: number): Uint8Array {
  const text = new Uint8Array(length);
  const alphabet = 1 + random.below(200);
  for (let at = 0; at < length; ) {
    const from = random.below(at + 1);
    const run = 1 + random.below(random.chance(0.2) ? 100 : 12);
    const isCopy = at > 0 && random.chance(0.6);
    for (let i = 0; i < run && at < length; i++, at++) {
      text[at] = isCopy ? text[from + i] : random.below(alphabet);
    }
  }
  return text;
}

const kinds = ["kernel", "twin"] as const;

describe.each(kinds)("%s", (which) => {
  test("what was compressed comes back", () => {
    const random = new SeededRandom(seed);
    for (let i = 0; i < 150; i++) {
      const text = randomText(random, random.below(i % 10 === 0 ? 150_000 : 600));
      const block = compressSync(text as Buffer);
      const back = decode(which, block, text.length);
      expect(back !== undefined && Buffer.compare(back, text) === 0, `text ${i}`).toBe(true);
      if (text.length > 0) expect(decode(which, block, text.length - 1)).toBeUndefined();
    }
  });

  test.each([
    ["nothing", [], undefined],
    ["no bytes", [0], ""],
    ["no bytes, but some follow", [0, 0, 97], undefined],
    ["a length without an end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], undefined],
    ["a literal", [3, 8, 97, 98, 99], "abc"],
    ["its length in a byte", [3, 60 << 2, 2, 97, 98, 99], "abc"],
    ["in two", [3, 61 << 2, 2, 0, 97, 98, 99], "abc"],
    ["in three", [3, 62 << 2, 2, 0, 0, 97, 98, 99], "abc"],
    ["in four", [3, 63 << 2, 2, 0, 0, 0, 97, 98, 99], "abc"],
    ["of 2^32", [3, 63 << 2, 255, 255, 255, 255, 97, 98, 99], undefined],
    ["a literal cut short", [3, 8, 97, 98], undefined],
    ["its length cut short", [3, 61 << 2, 2], undefined],
    ["too long for what was declared", [2, 8, 97, 98, 99], undefined],
    ["shorter than declared", [4, 8, 97, 98, 99], undefined],
    ["a copy that overlaps itself", [6, 0, 97, 0b000_001_01, 1], "aaaaaa"],
    ["a copy with 16 bits", [6, 4, 97, 98, (3 << 2) | 2, 2, 0], "ababab"],
    ["a copy with 32 bits", [6, 4, 97, 98, (3 << 2) | 3, 2, 0, 0, 0], "ababab"],
    ["a copy of nothing before", [6, 0, 97, 0b000_001_01, 2], undefined],
    ["an offset of 0", [6, 0, 97, 0b000_001_01, 0], undefined],
    ["an offset cut short", [6, 4, 97, 98, (3 << 2) | 2, 2], undefined],
    ["an offset of 2^32 - 1", [6, 4, 97, 98, (3 << 2) | 3, 255, 255, 255, 255], undefined],
    ["a copy too long", [5, 4, 97, 98, (3 << 2) | 2, 2, 0], undefined],
  ] as const)("%s", (_, block, text) => {
    expect(decode(which, Uint8Array.from(block), 64)?.toString("latin1")).toBe(text);
    expect(byPackage(Uint8Array.from(block))?.toString("latin1")).toBe(text);
  });
});

test("10,000 mutated blocks are read as by the package, or refused as by it", () => {
  const random = new SeededRandom(seed);
  let accepted = 0;
  for (let i = 0; i < 10_000; i++) {
    const text = randomText(random, 1 + random.below(300));
    const block = Uint8Array.from(compressSync(text as Buffer));
    for (let k = random.below(3); k >= 0; k--) block[random.below(block.length)] = random.below(256);
    const cut = random.chance(0.1) ? block.subarray(0, random.below(block.length + 1)) : block;
    const results = kinds.map((which) => decode(which, cut, 1024)?.toString("hex"));
    const theirs = declared(cut) <= 1024 ? byPackage(cut)?.toString("hex") : undefined;
    expect(results, Buffer.from(cut).toString("hex")).toEqual([theirs, theirs]);
    if (theirs !== undefined) accepted++;
  }
  expect(accepted).toBeGreaterThan(300);
});

/** The package would allocate what a length of up to 4 GiB says. */
function declared(block: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < block.length && i < 5; i++) {
    length += (block[i] & 0x7f) * 128 ** i;
    if (block[i] < 0x80) return length;
  }
  return Number.POSITIVE_INFINITY;
}

// Numbers as the scanners read them: bit for bit what JavaScript's own conversion gives.
import { expect, test } from "vitest";
import { kernel } from "../../test/scrape/ingest-fixture.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { ScrapeCache } from "./scrape-cache.ts";
import { Control, Format, formatShift, Kind, markFlag, valueColumn } from "./scrape-layout.ts";
import { ScrapeMemory } from "./scrape-memory.ts";
import { readPage } from "./scrape-reader.ts";

const scanners = [
  ["TypeScript", undefined],
  ["WebAssembly", kernel()],
] as const;

/** Values' bits as read from `key NUMBER TIME` lines, and how many numbers were left to the caller. */
function read(instantiate: (typeof scanners)[number][1], numbers: readonly string[]) {
  const memory = new ScrapeMemory(1, instantiate);
  const cache = new ScrapeCache(memory);
  cache.setRef(
    cache.insert(new TextEncoder().encode("k"), Kind.series | (Format.text << formatShift) | markFlag),
    1,
  );
  cache.begin();
  memory.setControl(Control.format, Format.text);
  memory.setControl(Control.honorTimestamps, 1);
  const bits: bigint[] = [];
  let left = 0;
  const page = new TextEncoder().encode(numbers.map((number) => `k ${number} 1\n`).join(""));
  readPage(memory, cache, page, {
    drain() {
      const n = memory.control(Control.samples);
      bits.push(...new BigUint64Array(memory.f64.slice(valueColumn >> 3, (valueColumn >> 3) + n).buffer));
    },
    line: (offset) => {
      if (offset !== page.length) throw new Error(`line ${offset} was not read`);
      return -1;
    },
    number: (start, end, out) => {
      left++;
      out[0] = Number(new TextDecoder().decode(page.subarray(start, end)));
      return true;
    },
  });
  return { bits, left };
}

const bitsOf = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0];

function expectExact(numbers: readonly string[]): void {
  const want = numbers.map((text) => bitsOf(Number(text)));
  for (const [name, instantiate] of scanners) {
    const { bits } = read(instantiate, numbers);
    const wrong = numbers.filter((_, i) => bits[i] !== want[i]);
    expect(wrong, name).toEqual([]);
  }
}

test("numbers where rounding is hard", () => {
  expectExact([
    "0", "-0", "+0", "00", "0.0e5", "1", "-1", "+1", "1.", ".5", "-.5e1",
    "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740993e-5", "9007199254740993e5",
    "9007199254740992.5", "9007199254740994.5", "1e22", "1e23", "123e22", "1e-22", "1e-23", "8.5e-23",
    "6929495644600919.5", "3.5844466002796428e+298", "1.7976931348623157e308", "1.7976931348623158e308",
    "2.2250738585072014e-308", "2.2250738585072011e-308", "4.9e-324", "2.4e-324", "5e-324", "1e-400", "1e-999",
    "18446744073709551615", "18446744073709551616", "9999999999999999999", "99999999999999999999",
    "0.00000000000000000000000000000000000000000001", "0.000000000000000000000000000000000000000000019",
    "100000000000000000000000000000000000000000", "1e0000000005", "2e00000000000000000000000000000005",
    "9214843084008499", "1.0000000000000002", "0.1", "0.2", "0.30000000000000004", "7.3177701707893310e+15",
    "9355950000000000000.00", "1.152921504606846976e18", "72057594037927928.0", "72057594037927936.0",
  ]); // biome-ignore format: a table
});

test("random doubles, in every notation", () => {
  const random = new SeededRandom(5);
  const words = new Uint32Array(2);
  const value = new Float64Array(words.buffer);
  const numbers: string[] = [];
  while (numbers.length < 8000) {
    words[0] = random.u32();
    words[1] = random.u32();
    if (!Number.isFinite(value[0])) continue;
    numbers.push(String(value[0]), value[0].toExponential(random.below(20)));
    if (Math.abs(value[0]) < 1e21) numbers.push(value[0].toFixed(random.below(20)));
  }
  expectExact(numbers);
});

test("random digits: up to 19 of them, any point, any exponent", () => {
  const random = new SeededRandom(6);
  const numbers = Array.from({ length: 8000 }, () => {
    const digits = Array.from({ length: 1 + random.below(19) }, () => random.below(10)).join("");
    const point = random.below(digits.length + 1);
    return `${digits.slice(0, point)}.${digits.slice(point)}e${random.below(640) - 330}`;
  }).filter((text) => Number.isFinite(Number(text)));
  expectExact(numbers);
  expect(read(scanners[1][1], numbers).left).toBeLessThan(numbers.length / 20);
});

test("NaN and the infinities; others spellings are the caller's", () => {
  for (const [, instantiate] of scanners) {
    const { bits, left } = read(instantiate, ["NaN", "+Inf", "Inf", "-Inf", "nan"]);
    expect(bits).toEqual([
      0x7ff8000000000001n,
      bitsOf(1 / 0),
      bitsOf(1 / 0),
      bitsOf(-1 / 0),
      0x7ff8000000000001n,
    ]);
    expect(left).toBe(1);
  }
});

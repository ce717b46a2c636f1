import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../base/crc32c.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import { loadCodecs } from "./codecs.ts";

const codecs = await loadCodecs();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe.each(["snappy", "zstd"] as const)("%s", (name) => {
  const codec = codecs[name];

  test("what is compressed comes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat(50), (bytes, repeat) => {
        const plain = new Uint8Array(bytes.length * (repeat + 1));
        for (let i = 0; i <= repeat; i++) plain.set(bytes, i * bytes.length);
        expect(crc32c(codec.decompress(codec.compress(plain), plain.length))).toBe(crc32c(plain));
      }),
      { numRuns: 50 },
    );
  });

  test("the results are plain bytes of their own, not views of a pool", () => {
    const plain = new Uint8Array(100).fill(7);
    const compressed = codec.compress(plain);
    const back = codec.decompress(compressed, 100);
    for (const bytes of [compressed, back]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      const copy = bytes.slice();
      bytes.fill(0);
      expect(copy).not.toEqual(bytes);
    }
  });

  test("more than is allowed is refused by what the header says", () => {
    const compressed = codec.compress(new Uint8Array(1000));
    expect(() => codec.decompress(compressed, 999)).toThrow(
      "1000 bytes decompressed, at most 999 are allowed",
    );
    expect(codec.decompress(compressed, 1000)).toHaveLength(1000);
  });

  test("damaged bytes give an error or other bytes, never more than allowed", () => {
    const random = new SeededRandom(1);
    const plain = Uint8Array.from({ length: 400 }, (_, i) => (i % 7 === 0 ? random.u32() : 65));
    const compressed = codec.compress(plain);
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const bytes = compressed.slice(0, random.chance(0.3) ? random.below(compressed.length) : undefined);
      for (let k = random.below(3); k >= 0 && bytes.length > 0; k--)
        bytes[random.below(bytes.length)] = random.u32();
      let length = 0;
      try {
        length = codec.decompress(bytes, 1000).length;
      } catch {
        refused++;
      }
      expect(length).toBeLessThanOrEqual(1000);
    }
    expect(refused).toBeGreaterThan(500);
  });

  test("nothing, and nothing that makes sense", () => {
    for (const bytes of [[], [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [1, 2, 3]]) {
      expect(() => codec.decompress(Uint8Array.from(bytes), 1e6), hex(Uint8Array.from(bytes))).toThrow();
    }
  });
});

test("a few bytes of snappy that claim to hold a lot are refused before anything is allocated", () => {
  // A length of 200 MB in front of nothing.
  const bytes = Uint8Array.of(0x80, 0x84, 0xaf, 0x5f, 0);
  expect(() => codecs.snappy.decompress(bytes, 2 ** 31)).toThrow("5 bytes of snappy cannot hold 200000000");
});

test("snappy as everybody writes it", () => {
  // From the format's description: length 5, a literal of 5 bytes; length 10, "ab" and a copy of it.
  expect(Buffer.from(codecs.snappy.decompress(bytesOf("0510 68656c6c6f"), 5)).toString()).toBe("hello");
  expect(Buffer.from(codecs.snappy.decompress(bytesOf("0a04 6162 1102"), 10)).toString()).toBe("ababababab");
});

test("zstd as the zstd program writes it, with and without the content size", () => {
  const text = "narthex narthex narthex";
  const withSize = codecs.zstd.compress(Buffer.from(text));
  expect(Buffer.from(codecs.zstd.decompress(withSize, 100)).toString()).toBe(text);
  // A raw block of 3 bytes, last, without single segment: magic, descriptor 0, window, block header, content.
  const withoutSize = bytesOf("28b52ffd 00 58 190000 616263");
  expect(Buffer.from(codecs.zstd.decompress(withoutSize, 100)).toString()).toBe("abc");
});

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

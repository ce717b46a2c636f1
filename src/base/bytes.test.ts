import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from "./bytes.ts";
import { CorruptionError } from "./errors.ts";

test("integers of every width survive the round trip", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.maxSafeNat(),
      fc.maxSafeInteger(),
      fc.string({ unit: "binary" }),
      (small, natural, integer, text) => {
        const out = new ByteWriter(1);
        out.u32(small);
        out.u64(natural);
        out.i64(integer);
        out.uvarint(natural);
        out.varint(integer);
        out.string(text);
        const back = new ByteReader(out.bytes());
        const read = [back.u32(), back.u64(), back.i64(), back.uvarint(), back.varint(), back.string()];
        expect(read).toEqual([small, natural, integer, natural, integer, decodeUtf8(encodeUtf8(text))]);
        expect(back.remaining).toBe(0);
      },
    ),
  );
});

test("the int64 limits, which tombstones use, come back as the nearest double", () => {
  for (const limit of [-(2 ** 63), 2 ** 63]) {
    const out = new ByteWriter();
    out.varint(limit);
    out.i64(limit);
    const back = new ByteReader(out.bytes());
    expect(back.varint()).toBe(limit);
    expect(back.i64()).toBe(limit);
  }
});

test.each([
  ["a cut-off varint", [0x80]],
  ["a varint of eleven bytes", new Array(11).fill(0x80)],
  ["a varint of 65 bits", [...new Array(9).fill(0xff), 2]],
])("%s is refused", (_, bytes) => {
  expect(() => new ByteReader(new Uint8Array(bytes)).uvarint()).toThrow(CorruptionError);
});

test("a signalling NaN passes through bit by bit", () => {
  const stale = new Float64Array(new Uint32Array([2, 0x7ff00000]).buffer);
  const out = new ByteWriter();
  out.f64(stale, 0);
  expect([...out.bytes()]).toEqual([0x7f, 0xf0, 0, 0, 0, 0, 0, 2]);
  const back = new Float64Array(1);
  new ByteReader(out.bytes()).f64(back, 0);
  expect([...new Uint32Array(back.buffer)]).toEqual([2, 0x7ff00000]);
});

test("strings in shared memory can be decoded", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(64));
  shared.set(encodeUtf8("grüße, long enough for the decoder"));
  expect(decodeUtf8(shared.subarray(0, 36))).toBe("grüße, long enough for the decoder");
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptionError } from "../base/errors.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { Encoding, encodingName, isChunkEncoding, isHistogramEncoding, sampleCount } from "./encoding.ts";
import { decodeXor, maxSamplesPerChunk, XorAppender } from "./xor.ts";

/** The encoder written once more, plainly, over a string of bits: what the fast one is compared with. */
function naiveEncode(times: readonly number[], bits: readonly bigint[]): Uint8Array {
  let out = times.length.toString(2).padStart(16, "0");
  const put = (value: bigint, n: number) => {
    out += BigInt.asUintN(n, value).toString(2).padStart(n, "0");
  };
  const uvarint = (value: bigint) => {
    for (; value >= 0x80n; value >>= 7n) put((value & 0x7fn) | 0x80n, 8);
    put(value, 8);
  };
  let window: [number, number] | undefined;
  times.forEach((time, i) => {
    const t = BigInt(time);
    if (i === 0) {
      uvarint(BigInt.asUintN(64, (t << 1n) ^ (t >> 63n)));
      put(bits[0], 64);
      return;
    }
    const delta = t - BigInt(times[i - 1]);
    if (i === 1) uvarint(delta);
    else {
      const dod = delta - BigInt(times[i - 1] - times[i - 2]);
      const size = [14, 17, 20].find((n) => dod > -(1n << BigInt(n - 1)) && dod <= 1n << BigInt(n - 1));
      if (dod === 0n) out += "0";
      else if (size === undefined) {
        out += "1111";
        put(dod, 64);
      } else {
        out += { 14: "10", 17: "110", 20: "1110" }[size];
        put(dod, size);
      }
    }
    const xor = bits[i] ^ bits[i - 1];
    if (xor === 0n) {
      out += "0";
      return;
    }
    const text = xor.toString(2).padStart(64, "0");
    const leading = Math.min(text.indexOf("1"), 31);
    const trailing = 63 - text.lastIndexOf("1");
    if (window !== undefined && leading >= window[0] && trailing >= window[1]) out += "10";
    else {
      window = [leading, trailing];
      out += "11";
      put(BigInt(leading), 5);
      put(BigInt(64 - leading - trailing), 6);
    }
    out += text.slice(window[0], 64 - window[1]);
  });
  out = out.padEnd(Math.ceil(out.length / 8) * 8, "0");
  return Uint8Array.from(out.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function valuesFromBits(bits: readonly bigint[]): Float64Array {
  return new Float64Array(BigUint64Array.from(bits).buffer);
}

function bitsOf(values: Float64Array, n: number): bigint[] {
  return [...new BigUint64Array(values.slice(0, n).buffer)];
}

function encode(times: readonly number[], bits: readonly bigint[], appender = new XorAppender()): Uint8Array {
  const values = valuesFromBits(bits);
  appender.reset();
  times.forEach((t, i) => {
    appender.append(t, values, i);
  });
  return appender.bytes().slice();
}

function decode(bytes: Uint8Array, mint = -Infinity, maxt = Infinity): { times: number[]; bits: bigint[] } {
  const out = new SampleColumns(1);
  const added = decodeXor(bytes, 0, bytes.length, out, mint, maxt);
  expect(added).toBe(out.n);
  return { times: [...out.t.subarray(0, out.n)], bits: bitsOf(out.v, out.n) };
}

const special = [
  0x7ff0000000000002n,
  0x7ff8000000000001n,
  0n,
  1n << 63n,
  0x7ff0000000000000n,
  (1n << 64n) - 1n,
];
const interesting = fc.oneof(
  fc.constantFrom(...special),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat(1000).map((v) => new BigUint64Array(Float64Array.of(v).buffer)[0]),
  fc.tuple(fc.nat(63), fc.nat(255)).map(([shift, v]) => BigInt.asUintN(64, BigInt(v) << BigInt(shift))),
);
const step = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 30_000 }),
  fc.constantFrom(
    1,
    8192,
    8193,
    16384,
    23191,
    23192,
    23193,
    65536,
    80535,
    80536,
    80537,
    539287,
    539288,
    539289,
  ),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const chunk = fc.record({
  start: fc.oneof(fc.integer({ min: -(2 ** 45), max: 2 ** 45 }), fc.constantFrom(0, -1, 1, 1.8e12)),
  samples: fc.array(fc.tuple(step, interesting), { minLength: 1, maxLength: 150 }),
});

function unfold({ start, samples }: { start: number; samples: [number, bigint][] }) {
  let t = start;
  return { times: samples.map(([delta]) => (t += delta)), bits: samples.map(([, v]) => v) };
}

test("encodes as the naive encoder does, and decodes what it encoded", () => {
  const appender = new XorAppender();
  fc.assert(
    fc.property(chunk, (drawn) => {
      const { times, bits } = unfold(drawn);
      const bytes = encode(times, bits, appender);
      expect(bytes).toEqual(naiveEncode(times, bits));
      expect(sampleCount(bytes)).toBe(times.length);
      expect(decode(bytes)).toEqual({ times, bits });
    }),
    { numRuns: 300 },
  );
});

test("every boundary of the delta of deltas", () => {
  for (const size of [14, 17, 20, 33, 50]) {
    for (const edge of [-(2 ** (size - 1)), 2 ** (size - 1)]) {
      for (const dod of [edge - 1, edge, edge + 1]) {
        const times = [0, 2 ** 51, 2 ** 52 + dod];
        const bits = [0n, 0n, 0n];
        const bytes = encode(times, bits);
        expect(bytes, `dod ${dod}`).toEqual(naiveEncode(times, bits));
        expect(decode(bytes), `dod ${dod}`).toEqual({ times, bits });
      }
    }
  }
});

test("every window of leading and trailing zeros", () => {
  for (let high = 0; high < 64; high++) {
    for (let low = 0; low <= high; low++) {
      const v = (1n << BigInt(high)) | (1n << BigInt(low));
      const times = [0, 1, 2, 3];
      const bits = [0n, v, 0n, 1n << BigInt(high)];
      const bytes = encode(times, bits);
      expect(bytes).toEqual(naiveEncode(times, bits));
      expect(decode(bytes)).toEqual({ times, bits });
    }
  }
});

test("only the samples of the range, and only the first ones of a growing chunk", () => {
  const times = [10, 20, 30, 40, 50];
  const bits = [1n, 2n, 3n, 4n, 5n];
  const bytes = encode(times, bits);
  expect(decode(bytes, 20, 40)).toEqual({ times: [20, 30, 40], bits: [2n, 3n, 4n] });
  expect(decode(bytes, 21, 29).times).toEqual([]);
  expect(decode(bytes, 51).times).toEqual([]);
  const out = new SampleColumns(1);
  expect(decodeXor(bytes, 0, bytes.length, out, 0, 100, 2)).toBe(2);
  expect(decodeXor(bytes, 0, bytes.length, out, 45, 100)).toBe(1);
  expect([...out.t.subarray(0, out.n)]).toEqual([10, 20, 50]);
});

test("a full chunk holds 65535 samples and takes no more", () => {
  const appender = new XorAppender();
  const values = new Float64Array(1);
  for (let i = 0; i < maxSamplesPerChunk; i++) appender.append(i, values, 0);
  expect(decode(appender.bytes()).times.length).toBe(65535);
  expect(() => appender.append(65535, values, 0)).toThrow(/BUG/);
});

test("damaged data is refused", () => {
  const good = encode([1000, 2000, 3000, 4001], [1n << 62n, 3n << 60n, 0n, 7n]);
  for (let cut = 0; cut < good.length; cut++) {
    const out = new SampleColumns(1);
    expect(() => decodeXor(good, 0, cut, out, 0, 1e15), `cut at ${cut}`).toThrow(CorruptionError);
    expect(out.n).toBe(0);
  }
  const cases: [string, number[]][] = [
    ["time does not increase", [0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["more samples than bytes", [255, 255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]],
    ["endless varint", [0, 1, ...Array(11).fill(0x80), ...Array(8).fill(0)]],
    ["time beyond 2^53", [0, 1, ...Array(9).fill(0xff), 1, ...Array(8).fill(0)]],
    [
      "window wider than 64 bits",
      [0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0b11111111, 0b11111000, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
  ];
  for (const [name, bytes] of cases) {
    expect(() => decode(Uint8Array.from(bytes)), name).toThrow(CorruptionError);
  }
});

test("hostile bytes end in samples in order or in an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(300), (tail, count) => {
      const bytes = Uint8Array.from([count >>> 8, count & 255, ...tail]);
      const out = new SampleColumns(1);
      try {
        decodeXor(bytes, 0, bytes.length, out, -Infinity, Infinity);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        expect(out.n).toBe(0);
      }
      for (let i = 1; i < out.n; i++) expect(out.t[i]).toBeGreaterThan(out.t[i - 1]);
    }),
    { numRuns: 2000 },
  );
});

test("the encodings and their names", () => {
  expect(encodingName(Encoding.xor)).toBe("XOR");
  expect(encodingName(Encoding.floatHistogramST)).toBe("floathistogramST");
  expect(encodingName(9)).toBe("unknown (9)");
  expect([0, 1, 2, 3, 4, 5, 6, 7].filter(isChunkEncoding)).toEqual([1, 2, 3, 4, 5, 6]);
  expect([0, 1, 2, 3, 4, 5, 6, 7].filter(isHistogramEncoding)).toEqual([2, 3, 5, 6]);
});

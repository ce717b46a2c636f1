import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptionError } from "../base/errors.ts";
import { Histogram, ResetHint } from "../model/histogram.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { BitWriter } from "./bit-writer.ts";
import { decodeChunk } from "./decode-chunk.ts";
import { chunkSamples, Encoding } from "./encoding.ts";
import { writeLayout } from "./histogram-layout.ts";
import { FloatHistogramState, IntegerHistogramState } from "./histogram-state.ts";
import { StartTimes } from "./start-times.ts";
import { decodeXor2, Xor2Appender } from "./xor2.ts";

const stale = 0x7ff0000000000002n;
const bitsOf = (value: number) => new BigUint64Array(Float64Array.of(value).buffer)[0];
const value = fc.oneof(
  fc.constantFrom(
    stale,
    0x7ff8000000000001n,
    bitsOf(-0),
    bitsOf(1),
    bitsOf(1.5),
    bitsOf(Number.POSITIVE_INFINITY),
  ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const step = fc.oneof(
  fc.constantFrom(15_000, 15_000, 15_000, 15_001, 14_999),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const samples = fc.array(fc.tuple(step, value, fc.constantFrom(0, 0, 1000, 2000)), {
  minLength: 1,
  maxLength: 200,
});

function encode(drawn: readonly (readonly [number, bigint, number])[], first: number, withStarts: boolean) {
  const appender = new Xor2Appender();
  const bits = BigUint64Array.from(drawn, ([, one]) => one);
  const times: number[] = [];
  let t = first;
  drawn.forEach(([delta, , start], i) => {
    if (i > 0) t += delta;
    appender.append(t, new Float64Array(bits.buffer), i, withStarts ? start : 0);
    times.push(t);
  });
  return { appender, bits, times };
}

test("decodes what it encoded, bit by bit, with and without start timestamps", () => {
  fc.assert(
    fc.property(
      samples,
      fc.constantFrom(0, -(2 ** 41), 1_700_000_000_000),
      fc.boolean(),
      (drawn, first, starts) => {
        const { appender, bits, times } = encode(drawn, first, starts);
        const bytes = appender.bytes();
        const out = new SampleColumns(1);
        decodeXor2(bytes, 0, bytes.length, out, -Infinity, Infinity);
        expect([...out.t.subarray(0, out.n)]).toEqual(times);
        expect([...new BigUint64Array(out.v.buffer).subarray(0, out.n)]).toEqual([...bits]);
        const [mint, maxt] = [times[times.length >> 2], times[times.length >> 1]];
        out.clear();
        decodeChunk(Encoding.xor2, bytes, 0, bytes.length, out, mint, maxt);
        expect([...out.t.subarray(0, out.n)]).toEqual(times.filter((t) => t >= mint && t <= maxt));
      },
    ),
    { numRuns: 300 },
  );
});

test("an appender that is reset begins anew", () => {
  const { appender } = encode(
    [
      [1, 5n, 7],
      [15, 6n, 8],
      [15, 6n, 9],
    ],
    100,
    true,
  );
  appender.reset();
  appender.append(5, Float64Array.of(2), 0);
  const fresh = new Xor2Appender();
  fresh.append(5, Float64Array.of(2), 0);
  expect(appender.bytes()).toEqual(fresh.bytes());
});

test("a chunk by hand: regular times, one value, one staleness marker", () => {
  // t0 = 1000: varint 2000; delta 10; the value does not change: a 0. Then 0, and 11111.
  const appender = new Xor2Appender();
  const values = new Float64Array(new BigUint64Array([bitsOf(1), bitsOf(1), bitsOf(1), stale]).buffer);
  for (let i = 0; i < 4; i++) appender.append(1000 + 10 * i, values, i);
  expect(Buffer.from(appender.bytes()).toString("hex")).toBe("000400d00f3ff00000000000000a3e");
});

test("hostile bytes end in samples in order or in an error", () => {
  const { appender } = encode(
    [
      [1, 5n, 7],
      [15, 6n, 8],
      [15, stale, 9],
      [2 ** 30, 9n, 0],
    ],
    100,
    true,
  );
  const good = appender.bytes();
  for (let at = 0; at < good.length; at++) {
    for (const change of [1, 0x10, 0xff]) {
      const bytes = good.slice();
      bytes[at] ^= change;
      const out = new SampleColumns(1);
      try {
        decodeXor2(bytes, 0, bytes.length, out, -Infinity, Infinity);
        for (let i = 1; i < out.n; i++) expect(out.t[i]).toBeGreaterThan(out.t[i - 1]);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        expect(out.n).toBe(0);
      }
    }
  }
});

test.each([
  Encoding.histogramST,
  Encoding.floatHistogramST,
])("histograms with start timestamps, encoding %i", (encoding) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(9), fc.constantFrom(0, 0, 500, 900)), { minLength: 1, maxLength: 140 }),
      (drawn) => {
        const isFloat = encoding === Encoding.floatHistogramST;
        const histograms = drawn.map(
          ([more]) =>
            new Histogram({
              isFloat,
              resetHint: ResetHint.gauge,
              count: 3 * more,
              sum: more / 3,
              positiveSpans: [{ offset: 1, length: 2 }],
              positiveBuckets: Float64Array.of(more, 2 * more),
            }),
        );
        const out = new BitWriter(3);
        const state = isFloat ? new FloatHistogramState() : new IntegerHistogramState();
        const starts = new StartTimes();
        writeLayout(out, histograms[0]);
        histograms.forEach((one, i) => {
          state.write(out, 1000 + 10 * i, one, i);
          starts.write(out, i, 1000 + 10 * i, 990 + 10 * i, drawn[i][1]);
        });
        out.setByte(0, 0xc0 | (drawn.length >> 8));
        out.setByte(1, drawn.length);
        out.setByte(2, starts.header);
        const bytes = out.bytes();
        expect(chunkSamples(encoding, bytes)).toBe(drawn.length);
        const columns = new SampleColumns();
        decodeChunk(encoding, bytes, 0, bytes.length, columns, -Infinity, Infinity);
        expect(columns.histograms).toEqual(histograms);
        expect(columns.t[columns.n - 1]).toBe(1000 + 10 * (drawn.length - 1));
      },
    ),
  );
});

// Start timestamps in chunks of the encodings 4 to 6. The rows of samples are those of Prometheus's own tests; the bytes
// beside them are what the encoder of Prometheus 3.14 makes of them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Histogram, ResetHint, staleHistogram } from "../model/histogram.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { decodeChunk } from "./decode-chunk.ts";
import { encodingsLike, plainEncodings, SampleEncoder } from "./encode-samples.ts";
import { chunkSamples, Encoding } from "./encoding.ts";
import { HistogramAppender } from "./histogram.ts";
import { Xor2Appender } from "./xor2.ts";

/** Start, time, value. */
type Row = readonly [number, number, number];
const stale = new Float64Array(BigUint64Array.of(0x7ff0000000000002n).buffer);
const marker = -1;

/** As a column of values, in which -1 stands for a staleness marker. */
function columnOf(rows: readonly Row[]): Float64Array {
  const values = Float64Array.from(rows, ([, , v]) => v);
  rows.forEach(([, , v], i) => {
    if (v === marker) values.set(stale, i);
  });
  return values;
}

function encodeFloats(rows: readonly Row[]): Uint8Array {
  const appender = new Xor2Appender();
  const values = columnOf(rows);
  rows.forEach(([start, t], i) => {
    appender.append(t, values, i, start);
  });
  return appender.bytes();
}

/** A gauge histogram with two buckets. */
function gauge(isFloat: boolean, count: number): Histogram {
  return new Histogram({
    isFloat,
    resetHint: ResetHint.gauge,
    count,
    sum: count / 2,
    positiveSpans: [{ offset: 1, length: 2 }],
    positiveBuckets: Float64Array.of(count / 3, (2 * count) / 3),
  });
}

/** Its count is 3 times the value. */
function encodeHistograms(encoding: number, rows: readonly Row[], resumed = rows.length - 1): Uint8Array {
  const isFloat = encoding === Encoding.floatHistogramST;
  let appender = new HistogramAppender(encoding);
  for (const [i, [start, t, v]] of rows.entries()) {
    const histogram = gauge(isFloat, 3 * v);
    if (i > 0 && i === resumed) appender = HistogramAppender.resume(encoding, appender.bytes().slice());
    if (i === 0) appender.begin(t, histogram, start);
    else expect(appender.append(t, histogram, start).chunk).toBe("same");
  }
  return appender.bytes();
}

function decode(encoding: number, bytes: Uint8Array, mint = -Infinity, maxt = Infinity): SampleColumns {
  const columns = new SampleColumns(1, true);
  decodeChunk(encoding, bytes, 0, bytes.length, columns, mint, maxt);
  return columns;
}

const startsOf = (columns: SampleColumns) => [...(columns.starts ?? [])].slice(0, columns.n);
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the bytes that Prometheus makes", () => {
  const every = (times: readonly number[]) => times.map((t): Row => [0, t, 1]);
  const floats: readonly (readonly [string, readonly Row[], string])[] = [
    [
      "no start times",
      [1, 2, 3, 4, 5].map((v): Row => [0, 1000 * v, v]),
      "000500d00f3ff0000000000000e807c12fffd603ab0bad06",
    ],
    [
      "staleness markers",
      [1, 2, marker, 4, marker, 6].map((v, i): Row => [0, 1000 * (i + 1), v]),
      "000600d00f3ff0000000000000e807c12ffffe001fd603",
    ],
    [
      "a staleness marker at an odd time",
      [
        [0, 1000, 1],
        [0, 2000, 2],
        [0, 3050, marker],
        [0, 4050, 4],
        [0, 5050, 5],
      ],
      "000500d00f3ff0000000000000e807c12fffe0197dfce800d683",
    ],
    [
      "odd times",
      every([1000, 2000, 3000, 3050, 4050, 5050, 105050, 205050, 305050, 306050]),
      "000a00d00f3ff0000000000000e80737129876c70c15c0ee7d4800",
    ],
    ["a jump", every([0, 1000, 2000, 1050576]), "000400003ff0000000000000e8073c00000000001ff830"],
    [
      "a jump of both",
      [
        [0, 0, 1],
        [900, 1000, 2],
        [1000, 2000, 3],
        [1047576, 1050576, 4],
      ],
      "000401003ff0000000000000e807c12ffffb1f2b01f8e13c00000000001ff8319617fbe01770",
    ],
    [
      "small differences",
      [
        [0, 1000, 1],
        [1990, 2000, 1],
        [2986, 3000, 1],
        [3954, 4000, 1],
        [4698, 5000, 1],
      ],
      "000501d00f3ff0000000000000e8077b0894681d00",
    ],
    [
      "a later change",
      [
        [0, 1000, 1],
        [0, 2000, 1],
        [1500, 3000, 1],
        [2500, 4001, 1],
        [3497, 5003, 1],
        [4467, 6004, 1],
        [5212, 7007, 1],
        [5915, 8008, 1],
      ],
      "000802d00f3ff0000000000000e8073c3e980026000a9bffed060013a01bffcf0960",
    ],
    [
      "always the same",
      [
        [500, 1000, 1],
        [500, 2000, 2],
        [500, 3000, 2],
        [500, 4050, 2],
        [500, 5100, 3],
      ],
      "000580d00f3ff0000000000000e807e807c12fffb00c9580c0",
    ],
    [
      "one that comes and stays",
      [
        [0, 1000, 1],
        [500, 2000, 2],
        [500, 3000, 3],
        [500, 4000, 4],
      ],
      "000401d00f3ff0000000000000e807c12ffff87d2b01f8fa2ac2fc7d00",
    ],
    [
      "one for each sample",
      [
        [0, 1000, 1],
        [0, 2000, 2],
        [1500, 3000, 3],
        [2500, 4000, 4],
        [3497, 5000, 5],
        [4466, 6000, 6],
        [5211, 7000, 7],
      ],
      "000702d00f3ff0000000000000e807c12fffd603f0fa5585ab41ceb02f3f1e7f80",
    ],
  ];
  test.each(floats)("XOR2, %s", (_, rows, wanted) => {
    const bytes = encodeFloats(rows);
    expect(hexOf(bytes)).toBe(wanted);
    const columns = decode(Encoding.xor2, bytes);
    expect(startsOf(columns)).toEqual(rows.map(([start]) => start));
    expect([...new BigUint64Array(columns.v.buffer)].slice(0, columns.n)).toEqual([
      ...new BigUint64Array(columnOf(rows).buffer),
    ]);
  });

  const rows: readonly Row[] = [
    [100, 1000, 1],
    [100, 2000, 2],
    [200, 3000, 2],
    [0, 4000, 3],
    [300, 5000, 4],
  ];
  test.each([
    [
      Encoding.histogramST,
      "c0058200465178fa263ff80000000000008c6203bc7d13612fffc62a97bf9c2136b13631f258094f15e0",
    ],
    [
      Encoding.floatHistogramST,
      "c0058200465178fa100200000000000000000000000000000ffe0000000000000ffc00000000000010000000000000002203bc7d1ac1b097fff097fff58303ce10d42f5ac4dd80f603f25822a5d617a83fe2bc",
    ],
  ])("histograms, encoding %i", (encoding, wanted) => {
    expect(hexOf(encodeHistograms(encoding, rows))).toBe(wanted);
    expect(startsOf(decode(encoding, encodeHistograms(encoding, rows)))).toEqual([100, 100, 200, 0, 300]);
  });
});

/** Up to four samples a second apart, each with every start time that Prometheus tries. */
function* allStarts(): Generator<readonly Row[]> {
  function* from(rows: readonly Row[]): Generator<readonly Row[]> {
    yield rows;
    const i = rows.length;
    if (i === 4) return;
    for (let start = 0; start <= 1000 * (i + 1); start += 500)
      yield* from([...rows, [start, 1000 * (i + 1), i + 1]]);
  }
  yield* from([]);
}

test("up to four samples with every combination of start times, the last one appended after a pause", () => {
  let cases = 0;
  for (const rows of allStarts()) {
    if (rows.length === 0) continue;
    cases++;
    const wanted = rows.map(([start]) => start);
    if (startsOf(decode(Encoding.xor2, encodeFloats(rows))).join() !== wanted.join())
      expect.fail(`floats ${JSON.stringify(rows)}`);
    for (const encoding of [Encoding.histogramST, Encoding.floatHistogramST]) {
      const bytes = encodeHistograms(encoding, rows);
      if (startsOf(decode(encoding, bytes)).join() !== wanted.join())
        expect.fail(`encoding ${encoding} ${JSON.stringify(rows)}`);
    }
  }
  expect(cases).toBe(3 + 3 * 5 + 3 * 5 * 7 + 3 * 5 * 7 * 9);
});

test.each([
  ["none", () => 0],
  ["one for the last", (i: number) => (i === 129 ? 1290 : 0)],
  ["one for all", () => 500],
  ["one from 128 on", (i: number) => (i < 128 ? 0 : 100)],
])("more than 127 samples: %s", (_, startOf) => {
  const rows = Array.from({ length: 130 }, (_, i): Row => [startOf(i), 10 * i + 1, 1.5 * i]);
  const starts = rows.map(([start]) => start);
  expect(startsOf(decode(Encoding.xor2, encodeFloats(rows)))).toEqual(starts);
  const whole = rows.map(([start, t, v]): Row => [start, t, 2 * v]);
  for (const encoding of [Encoding.histogramST, Encoding.floatHistogramST])
    expect(startsOf(decode(encoding, encodeHistograms(encoding, whole, 128)))).toEqual(starts);
});

test("a chunk of histograms that is encoded anew keeps them, and so do staleness markers", () => {
  for (const encoding of [Encoding.histogramST, Encoding.floatHistogramST]) {
    const isFloat = encoding === Encoding.floatHistogramST;
    const counter = (length: number, count: number) =>
      new Histogram({
        isFloat,
        count: length * count,
        sum: count,
        positiveSpans: [{ offset: 0, length }],
        positiveBuckets: new Float64Array(length).fill(count),
      });
    const first = new HistogramAppender(encoding);
    first.begin(1000, counter(2, 1), 100);
    const grown = first.append(2000, counter(3, 2), 200);
    expect(grown.chunk).toBe("recoded");
    expect(grown.appender.append(3000, staleHistogram(isFloat), 300).chunk).toBe("same");
    const chunk = grown.appender.append(4000, staleHistogram(isFloat), 0);
    const columns = decode(encoding, chunk.appender.bytes());
    expect(startsOf(columns)).toEqual([100, 200, 300, 0]);
    expect(columns.histograms?.map((one) => one?.isStale)).toEqual([false, false, true, true]);
    // The counter was reset: the flags are in the first byte, the count is beside them.
    const reset = grown.appender.append(5000, counter(2, 1).with({ resetHint: ResetHint.reset }), 4500);
    expect(reset.chunk).toBe("new");
    const bytes = reset.appender.bytes();
    expect(bytes[0] & 0xc0).toBe(0x80);
    expect(chunkSamples(encoding, bytes)).toBe(1);
    expect(startsOf(decode(encoding, bytes))).toEqual([4500]);
  }
});

test("a chunk takes 16383 histograms with start times, and no more", () => {
  const appender = new HistogramAppender(Encoding.histogramST);
  appender.begin(0, gauge(false, 3), 1);
  for (let i = 1; i < 16383; i++) appender.append(i, gauge(false, 3), i);
  expect(chunkSamples(Encoding.histogramST, appender.bytes())).toBe(16383);
  expect(() => appender.append(16383, gauge(false, 3), 1)).toThrow("at most 16383");
});

const row = fc.tuple(
  fc.integer({ min: 1, max: 40_000 }),
  fc.oneof(fc.constantFrom(0, 0, 500, 900), fc.integer({ min: -(2 ** 40), max: 2 ** 41 })),
  fc.oneof(fc.constantFrom("float", "integer", "floats"), fc.constant("float")),
);

test("samples of any kinds and start times come out of the chunks as they went in", () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 150 }),
      fc.constantFrom(plainEncodings, encodingsLike(Encoding.xor2), encodingsLike(Encoding.histogramST)),
      fc.integer({ min: 1, max: 130 }),
      (drawn, encodings, samplesMax) => {
        const samples = new SampleColumns(1, true);
        let t = 0;
        for (const [step, start, kind] of drawn) {
          t += step;
          if (kind === "float") {
            samples.reserve(1);
            samples.t[samples.n] = t;
            samples.v[samples.n] = step / 3;
            (samples.starts as Float64Array)[samples.n++] = start;
          } else samples.pushHistogram(t, gauge(kind === "floats", 3 * step), start);
        }
        const decoded = new SampleColumns(1, true);
        for (const { encoding, mint, maxt, bytes } of new SampleEncoder().encode(
          samples,
          0,
          samples.n,
          encodings,
          samplesMax,
        )) {
          const before = decoded.n;
          decodeChunk(encoding, bytes, 0, bytes.length, decoded, -Infinity, Infinity);
          expect(decoded.n - before).toBeLessThanOrEqual(samplesMax);
          expect([decoded.t[before], decoded.t[decoded.n - 1]]).toEqual([mint, maxt]);
          if (encodings.floats === "xor2") expect(encoding).not.toBe(Encoding.xor);
          if (encodings.histogramStarts) expect([1, 4, 5, 6]).toContain(encoding);
        }
        expect(startsOf(decoded)).toEqual(startsOf(samples));
        expect([...decoded.t.subarray(0, decoded.n)]).toEqual([...samples.t.subarray(0, samples.n)]);
        for (let i = 0; i < samples.n; i++) {
          const histogram = samples.histograms?.[i];
          expect(decoded.histograms?.[i]?.count).toBe(histogram?.count);
          if (histogram === undefined) expect(decoded.v[i]).toBe(samples.v[i]);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("without start times the plain encodings stay", () => {
  const samples = new SampleColumns(2, true);
  for (let i = 0; i < 2; i++) samples.pushHistogram(i, gauge(false, 3));
  const [chunk] = new SampleEncoder().encode(samples, 0, 2, plainEncodings);
  expect(chunk.encoding).toBe(Encoding.histogram);
  // A part of a chunk has the start times of that part.
  const rows: readonly Row[] = [
    [5, 10, 1],
    [5, 20, 2],
    [15, 30, 3],
  ];
  expect(startsOf(decode(Encoding.xor2, encodeFloats(rows), 20, 30))).toEqual([5, 15]);
});

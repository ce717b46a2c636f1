import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CorruptionError } from "../base/errors.ts";
import { customBucketsSchema, Histogram, ResetHint, staleHistogram } from "../model/histogram.ts";
import { bucketIndices, spansOf } from "../model/spans.ts";
import { BitReader } from "./bit-reader.ts";
import { BitWriter } from "./bit-writer.ts";
import { Encoding } from "./encoding.ts";
import { decodeHistograms, HistogramAppender } from "./histogram.ts";

const encodingOf = (isFloat: boolean) => (isFloat ? Encoding.floatHistogram : Encoding.histogram);

/** Buckets by index on the positive side, on the negative one after it. */
function make(
  positive: Record<number, number>,
  {
    negative = {},
    ...fields
  }: Partial<ConstructorParameters<typeof Histogram>[0]> & { negative?: Record<number, number> } = {},
): Histogram {
  const side = (buckets: Record<number, number>) => {
    const indices = Object.keys(buckets)
      .map(Number)
      .sort((a, b) => a - b);
    return { spans: spansOf(indices), buckets: Float64Array.from(indices, (i) => buckets[i]) };
  };
  const up = side(positive);
  const down = side(negative);
  const zeroCount = fields.zeroCount ?? 0;
  const count = [...up.buckets, ...down.buckets].reduce((sum, one) => sum + one, zeroCount);
  return new Histogram({
    isFloat: false,
    zeroThreshold: 2 ** -128,
    count,
    sum: count * 1.5,
    positiveSpans: up.spans,
    positiveBuckets: up.buckets,
    negativeSpans: down.spans,
    negativeBuckets: down.buckets,
    ...fields,
  });
}

function decode(appender: HistogramAppender): [number, Histogram][] {
  const decoded: [number, Histogram][] = [];
  const bytes = appender.bytes();
  decodeHistograms(appender.encoding, bytes, 0, bytes.length, -Infinity, Infinity, (t, one) =>
    decoded.push([t, one]),
  );
  return decoded;
}

/** Encodes histograms a second apart into as many chunks as it takes. */
function encode(histograms: readonly Histogram[]): { chunks: HistogramAppender[]; kinds: string[] } {
  const chunks: HistogramAppender[] = [];
  const kinds: string[] = [];
  for (const [i, histogram] of histograms.entries()) {
    const last = chunks.at(-1);
    const t = 1_700_000_000_000 + i * 1000 + (i % 3);
    if (last === undefined) {
      const first = new HistogramAppender(encodingOf(histogram.isFloat));
      first.begin(t, histogram);
      chunks.push(first);
      kinds.push("new");
      continue;
    }
    const { chunk, appender } = last.append(t, histogram);
    kinds.push(chunk);
    if (chunk === "new") chunks.push(appender);
    else chunks[chunks.length - 1] = appender;
  }
  return { chunks, kinds };
}

/** What a histogram counts, whatever empty buckets it tells of. */
function content(histogram: Histogram): unknown {
  const side = (spans: Histogram["positiveSpans"], buckets: Float64Array) =>
    [...bucketIndices(spans)].map((index, i) => [index, buckets[i]]).filter(([, count]) => count !== 0);
  const { isStale, isFloat, count, zeroCount, schema, zeroThreshold, customBounds } = histogram;
  if (isStale) return { isStale, isFloat };
  return {
    isFloat,
    count,
    zeroCount,
    schema,
    zeroThreshold,
    customBounds: [...customBounds],
    sum: histogram.sum,
    positive: side(histogram.positiveSpans, histogram.positiveBuckets),
    negative: side(histogram.negativeSpans, histogram.negativeBuckets),
  };
}

const header = (appender: HistogramAppender) => appender.bytes()[2];

describe("when a chunk ends", () => {
  const base = { 0: 1, 1: 2, 5: 3 };
  const cases: readonly (readonly [string, Histogram, Histogram, string, number])[] = [
    ["more of the same", make(base), make({ 0: 2, 1: 2, 5: 3 }), "same", 0],
    ["a bucket appears", make(base), make({ ...base, 3: 1 }), "recoded", 0],
    ["an empty bucket vanishes", make({ ...base, 3: 0 }), make(base), "same", 0],
    ["one vanishes, another appears", make({ ...base, 3: 0 }), make({ ...base, 8: 1 }), "recoded", 0],
    ["a bucket loses", make(base), make({ 0: 0, 1: 9, 5: 3 }), "new", 0x80],
    ["a bucket with observations vanishes", make(base), make({ 0: 9, 1: 9 }), "new", 0x80],
    ["the count falls", make(base), make({ 0: 1 }), "new", 0x80],
    [
      "the zero bucket loses",
      make(base, { zeroCount: 5 }),
      make({ 0: 9, 1: 2, 5: 3 }, { zeroCount: 4 }),
      "new",
      0x80,
    ],
    ["another schema", make(base), make(base, { schema: 1 }), "new", 0],
    ["another zero threshold", make(base), make(base, { zeroThreshold: 0.5 }), "new", 0],
    ["a hint of a reset", make(base), make(base, { resetHint: ResetHint.reset }), "new", 0x80],
    ["a gauge after a counter", make(base), make(base, { resetHint: ResetHint.gauge }), "new", 0xc0],
    ["a counter after a gauge", make(base, { resetHint: ResetHint.gauge }), make(base), "new", 0x40],
    [
      "a gauge loses",
      make(base, { resetHint: ResetHint.gauge }),
      make({ 1: 1 }, { resetHint: ResetHint.gauge }),
      "same",
      0xc0,
    ],
    [
      "a gauge gets a bucket",
      make(base, { resetHint: ResetHint.gauge }),
      make({ 9: 1 }, { resetHint: ResetHint.gauge }),
      "recoded",
      0xc0,
    ],
    ["a staleness marker", make(base), staleHistogram(false), "same", 0],
    ["something after a staleness marker", staleHistogram(false), make(base), "new", 0],
    [
      "negative buckets",
      make({}, { negative: { 1: 1 } }),
      make({}, { negative: { 1: 1, 2: 1 } }),
      "recoded",
      0,
    ],
    [
      "other custom bounds",
      make({ 0: 1 }, { schema: customBucketsSchema, zeroThreshold: 0, customBounds: Float64Array.of(1, 2) }),
      make({ 0: 1 }, { schema: customBucketsSchema, zeroThreshold: 0, customBounds: Float64Array.of(1, 3) }),
      "new",
      0x80,
    ],
  ];

  test.each(cases)("%s", (_, first, second, kind, flags) => {
    const { chunks, kinds } = encode([first, second]);
    expect([kinds[1], header(chunks[chunks.length - 1])]).toEqual([kind, flags]);
    expect(chunks.flatMap(decode).map(([, one]) => content(one))).toEqual([first, second].map(content));
  });

  test("the chunk that follows another one by the clock says whether there was a reset", () => {
    const begin = (isFloat: boolean, next: Histogram, before: Histogram) => {
      const old = new HistogramAppender(encodingOf(isFloat));
      old.begin(1, before.with({ isFloat }));
      const young = new HistogramAppender(encodingOf(isFloat));
      young.begin(2, next.with({ isFloat }), 0, old);
      return header(young);
    };
    for (const isFloat of [false, true]) {
      expect(begin(isFloat, make({ 0: 2 }), make({ 0: 1 }))).toBe(0x40);
      expect(begin(isFloat, make({ 0: 1 }), make({ 0: 2 }))).toBe(0x80);
      expect(begin(isFloat, make({ 0: 2 }, { schema: 3 }), make({ 0: 1 }))).toBe(isFloat ? 0x40 : 0);
      expect(begin(isFloat, make({ 0: 2 }, { resetHint: ResetHint.gauge }), make({ 0: 1 }))).toBe(0xc0);
    }
  });
});

const bucketCounts = fc.dictionary(fc.integer({ min: -3, max: 9 }).map(String), fc.nat(4), { maxKeys: 6 });
const someHistogram = fc.record({
  positive: bucketCounts,
  negative: bucketCounts,
  zeroCount: fc.nat(3),
  schema: fc.constantFrom(0, 0, 0, 3),
  kind: fc.constantFrom("plain", "plain", "plain", "plain", "reset", "stale"),
  scale: fc.constantFrom(1, 1000, 2 ** 40),
});

function histogramsOf(
  drawn: readonly (typeof someHistogram extends fc.Arbitrary<infer T> ? T : never)[],
  isFloat: boolean,
  isGauge: boolean,
): Histogram[] {
  const total: Record<string, Record<number, number>> = { positive: {}, negative: {} };
  return drawn.map(({ positive, negative, zeroCount, schema, kind, scale }) => {
    if (kind === "stale") return staleHistogram(isFloat);
    for (const [name, side] of [
      ["positive", positive],
      ["negative", negative],
    ] as const) {
      for (const [index, more] of Object.entries(side)) {
        const before = isGauge || kind === "reset" ? 0 : (total[name][Number(index)] ?? 0);
        total[name][Number(index)] = before + more * scale + (isFloat ? 0.25 : 0);
      }
    }
    return make(
      { ...total["positive"] },
      {
        negative: { ...total["negative"] },
        zeroCount: zeroCount * scale,
        schema,
        isFloat,
        resetHint: isGauge ? ResetHint.gauge : ResetHint.unknown,
      },
    );
  });
}

test("what was appended is decoded, in any order of growing, vanishing, resetting and going stale", () => {
  fc.assert(
    fc.property(
      fc.array(someHistogram, { minLength: 1, maxLength: 25 }),
      fc.boolean(),
      fc.boolean(),
      (drawn, isFloat, isGauge) => {
        const histograms = histogramsOf(drawn, isFloat, isGauge);
        const { chunks } = encode(histograms);
        const decoded = chunks.flatMap(decode);
        expect(decoded.map(([, one]) => content(one))).toEqual(histograms.map(content));
        expect(decoded.map(([t]) => t)).toEqual(
          histograms.map((_, i) => 1_700_000_000_000 + i * 1000 + (i % 3)),
        );
        for (const chunk of chunks) {
          // A growing chunk is decoded up to a count, and within a range.
          const all = decode(chunk);
          const bytes = chunk.bytes();
          const seen: number[] = [];
          const [mint, maxt] = [all[0][0] + 1, all[all.length - 1][0] - 1];
          decodeHistograms(
            chunk.encoding,
            bytes,
            0,
            bytes.length,
            mint,
            maxt,
            (t) => seen.push(t),
            Math.ceil(all.length / 2),
          );
          expect(seen).toEqual(
            all
              .slice(0, Math.ceil(all.length / 2))
              .map(([t]) => t)
              .filter((t) => t >= mint && t <= maxt),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a chunk that is taken up again goes on as if it had never been left", () => {
  fc.assert(
    fc.property(fc.array(someHistogram, { minLength: 2, maxLength: 12 }), fc.boolean(), (drawn, isFloat) => {
      const histograms = histogramsOf(drawn, isFloat, false);
      const { chunks } = encode(histograms);
      for (const chunk of chunks) {
        const resumed = HistogramAppender.resume(chunk.encoding, chunk.bytes());
        expect(resumed.bytes()).toEqual(chunk.bytes());
        const [last, next] = [decode(chunk).at(-1) as [number, Histogram], histograms[histograms.length - 1]];
        const a = chunk.append(last[0] + 1000, next);
        const b = resumed.append(last[0] + 1000, next);
        expect(b.chunk).toBe(a.chunk);
        expect(decode(b.appender).map(([, one]) => content(one))).toEqual(
          decode(a.appender).map(([, one]) => content(one)),
        );
      }
    }),
  );
});

test("damaged chunks are refused or give other histograms, and nothing else happens", () => {
  const { chunks } = encode([make({ 0: 1, 3: 5 }), make({ 0: 2, 3: 5, 7: 1 }), staleHistogram(false)]);
  for (const chunk of chunks) {
    const good = chunk.bytes();
    for (let at = 0; at < good.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const bytes = good.slice();
        bytes[at] ^= change;
        try {
          decodeHistograms(chunk.encoding, bytes, 0, bytes.length, -Infinity, Infinity, () => {});
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptionError);
        }
      }
      expect(() => decodeHistograms(chunk.encoding, good, 0, at, -Infinity, Infinity, () => {}, 3)).toThrow(
        CorruptionError,
      );
    }
  }
});

test("varbit numbers at the borders of every size", () => {
  const numbers = [0, 1, 2 ** 53 - 1];
  for (const bits of [3, 6, 9, 12, 18, 25, 53]) {
    for (const near of [-1, 0, 1]) numbers.push(2 ** (bits - 1) + near, 2 ** bits + near);
  }
  const exact = numbers.filter((one) => Number.isSafeInteger(one));
  const out = new BitWriter(0);
  for (const one of exact) {
    out.unsignedVarbit(one);
    out.varbit(one);
    out.varbit(-one);
  }
  const from = new BitReader(out.bytes(), 0, out.length, 0, "test");
  for (const one of exact) {
    expect(from.unsignedVarbit()).toBe(one);
    expect(from.varbit()).toBe(one);
    expect(from.varbit() + 0).toBe(0 - one);
  }
});

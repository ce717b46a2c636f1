import { describe, expect, test } from "vitest";
import { customBucketsSchema, Histogram, ResetHint, staleHistogram } from "../../src/model/histogram.ts";
import { histogramProblem } from "../../src/model/validate-histogram.ts";
import { readHistograms } from "../../src/remote/request-histograms.ts";
import { WriteRequest } from "../../src/remote/write-request.ts";
import { encodeHistogramMessage } from "./histogram-messages.ts";

/** A request with one series that has these histograms. */
function request(histograms: readonly Histogram[]): WriteRequest {
  const field = (number: number, content: Buffer) => {
    const length = content.length;
    return Buffer.concat([Buffer.from([number * 8 + 2, (length & 127) | 128, length >> 7]), content]);
  };
  const label = Buffer.from([0x0a, 8, ...Buffer.from("__name__"), 0x12, 1, 0x68]);
  const series = [
    field(1, label),
    ...histograms.map((one, i) => field(4, encodeHistogramMessage(1000 + i, one))),
  ];
  const decoded = new WriteRequest();
  decoded.decode(field(1, Buffer.concat(series)));
  return decoded;
}

const plain = {
  isFloat: false,
  schema: 3,
  zeroThreshold: 2 ** -128,
  zeroCount: 4,
  count: 24,
  sum: -1.5,
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 3, length: 1 },
  ],
  positiveBuckets: Float64Array.of(5, 1, 7),
  negativeSpans: [{ offset: 1, length: 2 }],
  negativeBuckets: Float64Array.of(3, 4),
};

const histograms: readonly (readonly [string, Histogram])[] = [
  ["integer", new Histogram(plain)],
  ["float", new Histogram({ ...plain, isFloat: true, count: 24.5, zeroCount: 0.25 })],
  ["gauge", new Histogram({ ...plain, resetHint: ResetHint.gauge })],
  [
    "custom buckets",
    new Histogram({
      isFloat: false,
      schema: customBucketsSchema,
      count: 6,
      sum: 1,
      positiveSpans: [{ offset: 0, length: 3 }],
      positiveBuckets: Float64Array.of(1, 2, 3),
      customBounds: Float64Array.of(0.1, 2.5),
    }),
  ],
  ["empty", new Histogram({ isFloat: false, sum: 0 })],
  ["stale", staleHistogram(false)],
  ["stale float", staleHistogram(true)],
];

test.each(histograms)("%s", (_, histogram) => {
  const [read, more] = readHistograms(request([histogram, histogram]), 0);
  expect([read.t, more.t]).toEqual([1000, 1001]);
  expect(read.histogram).toEqual(histogram);
  expect(histogramProblem(histogram)).toBe("");
});

test("finer buckets than can be stored are joined", () => {
  const fine = new Histogram({
    ...plain,
    schema: 10,
    negativeSpans: [],
    negativeBuckets: undefined,
    count: 17,
  });
  const [{ histogram }] = readHistograms(request([fine]), 0);
  // -2, -1 and 3, a quarter of that: up to 0, 0, 1.
  expect(histogram).toMatchObject({ schema: 8, positiveSpans: [{ offset: 0, length: 2 }] });
  expect([...histogram.positiveBuckets]).toEqual([6, 7]);
});

describe("what is not valid", () => {
  test.each<[string, Partial<ConstructorParameters<typeof Histogram>[0]>]>([
    [
      "23 observations found in buckets, but the Count field is 24: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
      { zeroCount: 3 },
    ],
    [
      "25 observations found in buckets, but the Count field is 24: histogram's observation count should be at least the number of observations found in the buckets",
      { zeroCount: 5, sum: Number.NaN },
    ],
    [
      "positive side: spans need 2 buckets, have 3 buckets: histogram spans specify different number of buckets than provided",
      { positiveSpans: [{ offset: 0, length: 2 }] },
    ],
    [
      "negative side: span number 2 with offset -1: histogram has a span whose offset is negative",
      {
        negativeSpans: [
          { offset: 0, length: 1 },
          { offset: -1, length: 1 },
        ],
      },
    ],
    [
      "positive side: bucket number 2 has observation count of -1: histogram has a bucket whose observation count is negative",
      { positiveBuckets: Float64Array.of(5, -1, 7) },
    ],
    [
      "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema -5",
      { schema: -5 },
    ],
    ["histogram with exponential schema must not have custom bounds", { customBounds: Float64Array.of(1) }],
    [
      "custom buckets: must not have negative spans",
      {
        schema: customBucketsSchema,
        zeroCount: 0,
        zeroThreshold: 0,
        positiveSpans: [{ offset: 0, length: 3 }],
        customBounds: Float64Array.of(1, 2),
      },
    ],
    [
      "custom buckets: only 1 custom bounds defined which is insufficient to cover total span length of 3: histogram custom bounds are too few",
      {
        schema: customBucketsSchema,
        positiveSpans: [{ offset: 0, length: 3 }],
        customBounds: Float64Array.of(1),
      },
    ],
    [
      "custom buckets: previous bound is 2.000000 and current is 1.000000: histogram custom bounds must be in strictly increasing order",
      { schema: customBucketsSchema, customBounds: Float64Array.of(2, 1) },
    ],
  ])("%s", (problem, fields) => {
    expect(histogramProblem(new Histogram({ ...plain, ...fields }))).toBe(problem);
  });
});

test("spans that claim more buckets than there are cost no memory, whatever the schema", () => {
  const hostile = new Histogram({
    ...plain,
    schema: 20,
    positiveSpans: [{ offset: 0, length: 4_000_000_000 }],
  });
  const [{ histogram }] = readHistograms(request([hostile]), 0);
  expect(histogramProblem(histogram)).toMatch(
    /^positive side: spans need 4000000000 buckets, have 3 buckets/,
  );
});

test("integer counts beyond what chunks keep exactly are refused, floats are not", () => {
  const counts = { ...plain, negativeSpans: [], negativeBuckets: new Float64Array(0), zeroCount: 0 };
  const large = (isFloat: boolean, count: number) =>
    histogramProblem(
      new Histogram({
        ...counts,
        isFloat,
        count,
        positiveSpans: [{ offset: 0, length: 1 }],
        positiveBuckets: Float64Array.of(count),
      }),
    );
  expect(large(false, 2 ** 50)).toBe("");
  expect(large(false, 2 ** 50 + 1)).toMatch(/keeps integer counts up to 1125899906842624/);
  expect(large(true, 2 ** 60)).toBe("");
});

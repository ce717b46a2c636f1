import { expect, test } from "vitest";
import { Buckets, bucketFraction, bucketQuantile } from "./buckets.ts";

const inf = Number.POSITIVE_INFINITY;

function bucketsOf(pairs: readonly (readonly [number, number])[]): Buckets {
  const buckets = new Buckets(pairs.length);
  for (const [bound, count] of pairs) buckets.push(bound, count);
  return buckets;
}

test.each<[string, number, [number, number][], number]>([
  [
    "interpolates",
    0.5,
    [
      [1, 2],
      [2, 4],
      [inf, 4],
    ],
    1,
  ],
  [
    "from 0 in the first bucket",
    0.25,
    [
      [1, 4],
      [inf, 4],
    ],
    0.25,
  ],
  [
    "the first bound where it is not positive",
    0.1,
    [
      [-1, 4],
      [inf, 8],
    ],
    -1,
  ],
  [
    "the highest finite bound",
    0.99,
    [
      [1, 2],
      [2, 4],
      [inf, 8],
    ],
    2,
  ],
  [
    "q below 0",
    -1,
    [
      [1, 2],
      [inf, 4],
    ],
    -inf,
  ],
  [
    "q above 1",
    2,
    [
      [1, 2],
      [inf, 4],
    ],
    inf,
  ],
  [
    "q NaN",
    Number.NaN,
    [
      [1, 2],
      [inf, 4],
    ],
    Number.NaN,
  ],
  [
    "without +Inf",
    0.5,
    [
      [1, 2],
      [2, 4],
    ],
    Number.NaN,
  ],
  ["with one bucket", 0.5, [[inf, 4]], Number.NaN],
  [
    "without observations",
    0.5,
    [
      [1, 0],
      [inf, 0],
    ],
    Number.NaN,
  ],
  [
    "equal bounds are added",
    0.5,
    [
      [1, 2],
      [1, 2],
      [inf, 8],
    ],
    1,
  ],
  [
    "counts that fall are lifted",
    0.5,
    [
      [1, 4],
      [2, 3],
      [4, 8],
      [inf, 8],
    ],
    1,
  ],
])("a quantile: %s", (_, q, pairs, want) => {
  expect(bucketQuantile(q, bucketsOf(pairs))).toBe(want);
});

test("what was lifted is reported, rounding errors are not", () => {
  const fallen = bucketsOf([
    [1, 4],
    [2, 3],
    [4, 8],
    [8, 5],
    [inf, 9],
  ]);
  bucketQuantile(0.5, fallen);
  expect(fallen).toMatchObject({ lifted: true, liftedMin: 2, liftedMax: 8, liftedDiff: 3 });
  const rounded = bucketsOf([
    [1, 4],
    [2, 4 - 1e-13],
    [inf, 9],
  ]);
  bucketQuantile(0.5, rounded);
  expect(rounded.lifted).toBe(false);
});

test.each<[string, number, number, [number, number][], number]>([
  [
    "between bounds",
    1,
    2,
    [
      [1, 2],
      [2, 6],
      [inf, 8],
    ],
    0.5,
  ],
  [
    "inside of buckets",
    0.5,
    1.5,
    [
      [1, 2],
      [2, 6],
      [inf, 8],
    ],
    0.375,
  ],
  [
    "all",
    -inf,
    inf,
    [
      [1, 2],
      [2, 6],
      [inf, 8],
    ],
    1,
  ],
  [
    "nothing of the bucket without an end",
    2,
    100,
    [
      [1, 2],
      [2, 6],
      [inf, 8],
    ],
    0,
  ],
  [
    "nothing of a first bucket below 0",
    -5,
    1,
    [
      [-1, 4],
      [1, 6],
      [inf, 8],
    ],
    0.25,
  ],
  [
    "the wrong way round",
    2,
    1,
    [
      [1, 2],
      [inf, 8],
    ],
    0,
  ],
  [
    "NaN",
    Number.NaN,
    1,
    [
      [1, 2],
      [inf, 8],
    ],
    Number.NaN,
  ],
  [
    "without observations",
    0,
    1,
    [
      [1, 0],
      [inf, 0],
    ],
    Number.NaN,
  ],
  ["without +Inf", 0, 1, [[1, 2]], Number.NaN],
])("a fraction: %s", (_, lower, upper, pairs, want) => {
  expect(bucketFraction(lower, upper, bucketsOf(pairs))).toBe(want);
});

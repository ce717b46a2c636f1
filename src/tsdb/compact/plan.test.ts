import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlockMeta } from "../block/meta.ts";
import { blockRanges, hints, planCompactions } from "./plan.ts";

interface Shape {
  readonly tombstones?: number;
  readonly series?: number;
  readonly failed?: boolean;
  readonly hints?: readonly string[];
}

function block(minTime: number, maxTime: number, shape: Shape = {}): { readonly meta: BlockMeta } {
  return {
    meta: {
      ulid: `${minTime}-${maxTime}`,
      minTime,
      maxTime,
      stats: {
        numSamples: 1,
        numFloatSamples: 1,
        numHistogramSamples: 0,
        numChunks: 1,
        numSeries: shape.series ?? 0,
        numTombstones: shape.tombstones ?? 0,
      },
      compaction: {
        level: 1,
        sources: [],
        deletable: false,
        parents: [],
        failed: shape.failed ?? false,
        hints: shape.hints ?? [],
      },
      version: 1,
    },
  };
}

type Times = readonly [mint: number, maxt: number, shape?: Shape];
const plan = (
  times: readonly Times[],
  ranges = [20, 60, 180, 540, 1620],
): readonly (readonly (readonly number[])[])[] =>
  planCompactions(
    times.map(([mint, maxt, shape]) => block(mint, maxt, shape)),
    ranges,
  ).map((group) => group.map(({ meta }) => [meta.minTime, meta.maxTime]));

/** With the ranges 20, 60, 180, 540, 1620. */
const cases: readonly (readonly [
  string,
  readonly Times[],
  readonly (readonly (readonly [number, number])[])[],
])[] = [
  ["nothing", [], []],
  ["one block", [[0, 20]], []],
  [
    "two within a range that is not over",
    [
      [0, 20],
      [20, 40],
    ],
    [],
  ],
  [
    "a full range, but its last block is the newest",
    [
      [0, 20],
      [20, 40],
      [40, 60],
    ],
    [],
  ],
  [
    "a full range",
    [
      [0, 20],
      [20, 40],
      [40, 60],
      [60, 80],
    ],
    [
      [
        [0, 20],
        [20, 40],
        [40, 60],
      ],
    ],
  ],
  [
    "a range with a gap that is over",
    [
      [0, 20],
      [40, 60],
      [60, 80],
    ],
    [
      [
        [0, 20],
        [40, 60],
      ],
    ],
  ],
  [
    "a range that may still get a block",
    [
      [0, 20],
      [20, 40],
      [60, 80],
    ],
    [],
  ],
  [
    "the same, later",
    [
      [0, 20],
      [20, 40],
      [60, 80],
      [80, 100],
    ],
    [
      [
        [0, 20],
        [20, 40],
      ],
    ],
  ],
  [
    "after the range a single block",
    [
      [0, 60],
      [60, 80],
      [80, 100],
      [100, 120],
    ],
    [],
  ],
  [
    "not the level above while the one below is incomplete",
    [
      [0, 60],
      [60, 120],
      [120, 180],
      [180, 200],
    ],
    [
      [
        [0, 60],
        [60, 120],
        [120, 180],
      ],
    ],
  ],
  [
    "the lower level first",
    [
      [0, 60],
      [60, 120],
      [120, 140],
      [140, 160],
      [160, 180],
      [180, 200],
    ],
    [
      [
        [120, 140],
        [140, 160],
        [160, 180],
      ],
    ],
  ],
  [
    "several ranges of a level at once",
    [
      [0, 20],
      [20, 40],
      [40, 60],
      [60, 80],
      [80, 100],
      [100, 120],
      [120, 140],
    ],
    [
      [
        [0, 20],
        [20, 40],
        [40, 60],
      ],
      [
        [60, 80],
        [80, 100],
        [100, 120],
      ],
    ],
  ],
  [
    "a block over the end of its range is left out",
    [
      [0, 20],
      [20, 40],
      [40, 65],
      [70, 80],
      [80, 100],
      [120, 140],
    ],
    [
      [
        [0, 20],
        [20, 40],
      ],
    ],
  ],
  [
    "a failed block keeps its range",
    [
      [0, 20, { failed: true }],
      [20, 40],
      [40, 60],
      [60, 80],
    ],
    [],
  ],
  [
    "overlapping ones first, even the newest",
    [
      [0, 20],
      [10, 30],
      [20, 40],
      [50, 60],
    ],
    [
      [
        [0, 20],
        [10, 30],
        [20, 40],
      ],
    ],
  ],
  [
    "the first run of overlaps",
    [
      [0, 20],
      [10, 30],
      [40, 60],
      [50, 70],
    ],
    [
      [
        [0, 20],
        [10, 30],
      ],
    ],
  ],
  [
    "an overlap with a block before the last",
    [
      [0, 100],
      [10, 20],
      [30, 40],
    ],
    [
      [
        [0, 100],
        [10, 20],
        [30, 40],
      ],
    ],
  ],
  [
    "touching is not overlapping",
    [
      [0, 20],
      [20, 30],
    ],
    [],
  ],
  [
    "many tombstones in a big block",
    [
      [0, 540, { tombstones: 10, series: 10 }],
      [540, 560],
    ],
    [[[0, 540]]],
  ],
  [
    "few of them",
    [
      [0, 540, { tombstones: 10, series: 1000 }],
      [540, 560],
    ],
    [],
  ],
  [
    "5 % and no more",
    [
      [0, 180, { tombstones: 5, series: 99 }],
      [180, 200],
    ],
    [],
  ],
  [
    "a small block",
    [
      [0, 60, { tombstones: 1, series: 10 }],
      [60, 80],
    ],
    [],
  ],
  [
    "a small block without anything left",
    [
      [0, 60, { tombstones: 10, series: 10 }],
      [60, 80],
    ],
    [[[0, 60]]],
  ],
  ["the newest is left alone", [[0, 60, { tombstones: 10, series: 10 }]], []],
  [
    "blocks of some series only among themselves",
    [
      [0, 20],
      [0, 20, { hints: [hints.staleSeries] }],
      [20, 40],
      [20, 40, { hints: [hints.selectedSeries] }],
      [40, 60],
    ],
    [],
  ],
  [
    "and after the others",
    [
      [0, 20, { hints: [hints.staleSeries] }],
      [10, 20, { hints: [hints.staleSeries] }],
      [0, 20],
      [10, 30],
    ],
    [
      [
        [0, 20],
        [10, 30],
      ],
    ],
  ],
  [
    "but they are compacted",
    [
      [0, 20, { hints: [hints.staleSeries] }],
      [0, 20],
      [20, 40],
      [10, 20, { hints: [hints.staleSeries] }],
    ],
    [
      [
        [0, 20],
        [10, 20],
      ],
    ],
  ],
  [
    "samples that came out of order are mixed with the others",
    [
      [0, 20],
      [0, 20, { hints: [hints.outOfOrder] }],
    ],
    [
      [
        [0, 20],
        [0, 20],
      ],
    ],
  ],
  [
    "before 1970",
    [
      [-60, -40],
      [-40, -20],
      [-20, 0],
      [0, 20],
    ],
    [
      [
        [-60, -40],
        [-40, -20],
        [-20, 0],
      ],
    ],
  ],
];

test.each(cases)("%s", (_, blocks, want) => {
  expect(plan(blocks)).toEqual(want);
});

test("the order of the blocks does not matter", () => {
  for (const [name, blocks, want] of cases) {
    const reversed = plan([...blocks].reverse());
    const sorted = (groups: typeof reversed) => groups.map((group) => group.map(String).sort());
    expect([name, sorted(reversed)]).toEqual([name, sorted(want)]);
  }
});

describe("compacting until there is nothing to do", () => {
  test("ends, leaves the newest alone and no overlap, and loses no time", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 3 })), { maxLength: 30 }),
        (drawn) => {
          let blocks = drawn.map(([at, length]) => block(at * 20, (at + length) * 20));
          const covered = (list: typeof blocks) =>
            new Set(
              list.flatMap(({ meta }) =>
                Array.from({ length: (meta.maxTime - meta.minTime) / 20 }, (_, i) => meta.minTime / 20 + i),
              ),
            );
          const before = covered(blocks);
          for (let rounds = 0; ; rounds++) {
            const groups = planCompactions(blocks, [20, 60, 180, 540]);
            if (groups.length === 0) break;
            expect(rounds).toBeLessThan(100);
            const used = groups.flat();
            expect(new Set(used).size).toBe(used.length);
            blocks = [
              ...blocks.filter((one) => !used.includes(one)),
              ...groups.map((group) =>
                block(
                  Math.min(...group.map(({ meta }) => meta.minTime)),
                  Math.max(...group.map(({ meta }) => meta.maxTime)),
                ),
              ),
            ];
          }
          const sorted = blocks.map(({ meta }) => meta).sort((a, b) => a.minTime - b.minTime);
          for (let i = 1; i < sorted.length; i++)
            expect(sorted[i].minTime).toBeGreaterThanOrEqual(sorted[i - 1].maxTime);
          const after = covered(blocks);
          for (const time of before) expect(after.has(time)).toBe(true);
        },
      ),
    );
  });
});

test.each([
  [20, 1000, [20, 60, 180, 540]],
  [20, 20, [20]],
  [20, 10, [20]],
  [20, 60, [20, 60]],
])("ranges from %i to %i", (min, max, want) => {
  expect(blockRanges(min, max)).toEqual(want);
});

import { expect, test } from "vitest";
import { type StatFamily, statsPage } from "./stat-families.ts";
import { storageFamilies } from "./storage-families.ts";

const families = storageFamilies("snappy");

test("families are written with their samples; what is not known is left out", () => {
  const some: StatFamily[] = [
    { name: "a_total", type: "counter", help: "A.", samples: [{ suffix: "", value: (stats) => stats["a"] }] },
    {
      name: "b",
      type: "summary",
      help: "B.",
      samples: [
        { suffix: "_sum", value: (stats) => stats["b"] },
        { suffix: "_count", value: () => Number.POSITIVE_INFINITY },
      ],
    },
  ];
  expect(statsPage(some, { b: 1e21 })).toBe("# HELP b B.\n# TYPE b summary\nb_sum 1e+21\nb_count +Inf\n");
  expect(statsPage(some, { a: 0.5 })).toContain("# HELP a_total A.\n# TYPE a_total counter\na_total 0.5\n");
});

test("every family stands once, and counters are called so", () => {
  const names = families.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(families.filter(({ name, type }) => (type === "counter") !== name.endsWith("_total"))).toEqual([]);
});

test("the times of an empty head are those of Prometheus", () => {
  const page = statsPage(families, {
    minTime: Number.POSITIVE_INFINITY,
    maxTime: Number.NEGATIVE_INFINITY,
    blocksMinTime: Number.POSITIVE_INFINITY,
  });
  const line = (name: string) => page.split("\n").find((text) => text.startsWith(`${name} `));
  expect(line("prometheus_tsdb_head_min_time")).toBe("prometheus_tsdb_head_min_time 9223372036854776000");
  expect(line("prometheus_tsdb_head_max_time")).toBe("prometheus_tsdb_head_max_time -9223372036854776000");
  expect(line("prometheus_tsdb_lowest_timestamp_seconds")).toBe(
    "prometheus_tsdb_lowest_timestamp_seconds 9223372036854776",
  );
});

test("the lowest time is that of blocks and head together", () => {
  const page = statsPage(families, { minTime: 5500, blocksMinTime: 2500 });
  expect(page).toContain("\nprometheus_tsdb_lowest_timestamp 2500\n");
  expect(page).toContain("\nprometheus_tsdb_lowest_timestamp_seconds 2\n");
  expect(statsPage(families, { minTime: 5500 })).not.toContain("lowest");
});

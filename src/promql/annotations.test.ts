import { expect, test } from "vitest";
import { Annotations, annotationTexts, lineAndColumn } from "./annotations.ts";

const at = (start: number) => ({ start, end: start + 1 });

test.each([
  ["abc", 0, "1:1"],
  ["abc", 2, "1:3"],
  ["a\nbc", 3, "2:2"],
  ["a\n\nbc", 3, "3:1"],
  ["äbc", 1, "1:3"], // columns count bytes
  ["😀b", 2, "1:5"],
])("%j, %d", (query, start, want) => {
  expect(lineAndColumn(query, at(start))).toBe(want);
});

test("equal texts come once, with the position of the last", () => {
  const annotations = new Annotations();
  annotations.warn(annotationTexts.invalidQuantile(2), at(0));
  annotations.info(annotationTexts.possibleNonCounter("a"), at(1));
  annotations.warn(annotationTexts.invalidQuantile(2), at(3));
  annotations.warn(annotationTexts.invalidQuantile(1e6), at(4));
  expect(annotations.texts("abcdefg")).toEqual({
    warnings: [
      "PromQL warning: quantile value should be between 0 and 1, got 2 (1:4)",
      "PromQL warning: quantile value should be between 0 and 1, got 1e+06 (1:5)",
    ],
    infos: [
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "a" (1:2)',
    ],
  });
});

test("what stood apart comes up where it is appended", () => {
  const annotations = new Annotations();
  annotations.warn("before", at(0));
  const late = annotations.apart(() => {
    annotations.warn("twice", at(4));
    annotations.forcedMonotonicity(at(5), 0, 1, 1, 1);
  });
  annotations.warn("twice", at(1));
  annotations.forcedMonotonicity(at(2), 0, 1, 1, 1);
  annotations.append(late);
  const { warnings, infos } = annotations.texts("abcdefg");
  expect(warnings).toEqual(["PromQL warning: before (1:1)", "PromQL warning: twice (1:5)"]);
  expect(infos).toEqual([expect.stringMatching(/over 2 samples .* \(1:3\)$/)]);
});

test("forced monotonicity is summed up over steps and series", () => {
  const annotations = new Annotations();
  annotations.forcedMonotonicity(at(0), 60_000, 0.5, 1, 3);
  annotations.forcedMonotonicity(at(0), 120_999, 0.1, 0.1, 12.5);
  const { infos } = annotations.texts("x");
  expect(infos).toEqual([
    "PromQL info: input to histogram_quantile needed to be fixed for monotonicity " +
      "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), " +
      "from buckets 0.1 to 1, with a max diff of 12, over 2 samples " +
      "from 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z (1:1)",
  ]);
});

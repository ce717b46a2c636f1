// What happens at each step on the way to a full memory: the arena of a small head is the meter.
import { expect, test } from "vitest";
import { append, dumpAll, stage, testHead } from "../../../test/head/fixture.ts";
import { NarthexError } from "../../base/errors.ts";
import { Purpose, pageWords } from "../../kernels/head-layout.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { refusedSeries } from "../../storage/appender.ts";
import { Collection } from "./collection.ts";

const every = [new Matcher("=", "never", "")];
const t0 = 1_700_000_000_000;
const mebibyte = 2 ** 20;

/** Takes pages until `pages` are taken. */
function fill(head: ReturnType<typeof testHead>["head"], pages: number): number {
  return head.arena.alloc((pages - head.arena.pagesTaken) * pageWords, Purpose.staging);
}

test("new series are refused at the limit, known ones go on, and both again when there is room", () => {
  const { head, appender, reader } = testHead({}, { pages: 2048 });
  head.budget.pages = 1000;
  head.budget.limitText = "512MiB";
  append(appender, [[{ __name__: "known", job: "a" }, t0, 1]]);
  expect(head.budget.score()).toBeLessThan(0.1);

  const filler = fill(head, 900);
  expect(head.budget.score()).toBeLessThan(1);
  expect(appender.series(Labels.of({ __name__: "still", job: "a" }))).not.toBe(refusedSeries);

  const last = fill(head, 1000 - head.budget.pagesKept);
  expect(head.budget.score()).toBe(1);
  expect(appender.refusal).toBeUndefined();
  for (let i = 0; i < 3; i++) {
    expect(appender.series(Labels.of({ __name__: "new", i: `${i}`, job: "culprit" }))).toBe(refusedSeries);
  }
  const held = Math.ceil(head.budget.heldBytes / mebibyte);
  expect(appender.refusal).toEqual({
    count: 3,
    reason: `the head holds 2 series in ${held} MiB, all that --storage.tsdb.memory-limit=512MiB leaves for it`,
  });
  stage(appender, [[{ __name__: "known", job: "a" }, t0 + 1, 2]]);
  appender.commit();
  expect(appender.refusal).toBeUndefined();
  expect(dumpAll(reader, every)['{__name__="known", job="a"}']).toHaveLength(2);
  expect(head.stats.seriesRefused).toBe(3);
  expect(head.budget.refused.culprits(5)).toEqual([{ job: "culprit", metric: "new", count: 3 }]);

  head.arena.free(last, Purpose.staging);
  head.arena.free(filler, Purpose.staging);
  expect(head.budget.score()).toBeLessThan(0.1);
  expect(appender.series(Labels.of({ __name__: "new", job: "culprit" }))).not.toBe(refusedSeries);
});

test("without room for known series the batch is refused as a whole, and said to be so before", () => {
  const { head, appender, reader } = testHead({}, { pages: 2048 });
  head.arena.pagesMax = 1000;
  head.budget.pages = 1000;
  append(appender, [[{ a: "1" }, t0, 1]]);
  expect(appender.saturated).toBe("");
  fill(head, 990);
  expect(appender.saturated).toContain("the head holds 1 series");
  stage(appender, [[{ a: "1" }, t0 + 1, 1]]);
  let refused: unknown;
  try {
    appender.commit();
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(NarthexError);
  expect((refused as NarthexError).code).toBe("MEMORY");
  expect((refused as Error).message).toContain("the memory of the head is full");
  expect(dumpAll(reader, every)['{a="1"}']).toHaveLength(1);
});

test("the end of the memory is a limit like any other", () => {
  const { head, appender, reader } = testHead({}, { pages: 192 });
  append(appender, [[{ a: "1" }, t0, 1]]);
  let created = 0;
  while (
    appender.series(Labels.of({ name: `some_series_with_a_name_of_its_own_${created}` })) !== refusedSeries
  ) {
    created++;
  }
  expect(created).toBeGreaterThan(1000);
  expect(appender.refusal?.reason).toContain("all that its memory leaves for it");
  append(appender, [[{ a: "1" }, t0 + 1, 1]]);
  expect(dumpAll(reader, every)['{a="1"}']).toHaveLength(2);
  expect(head.stats.series).toBe(created + 1);
});

test("max_series, in all and of a job", () => {
  const { head, appender } = testHead({}, { pages: 2048 });
  const series = (job: string, i: number) => appender.series(Labels.of({ __name__: "m", i: `${i}`, job }));
  head.budget.limits = { series: 5, seriesByJob: { a: 2, unlimited: 0 } };
  expect([series("a", 0), series("a", 1)]).not.toContain(refusedSeries);
  expect(series("a", 2)).toBe(refusedSeries);
  expect(appender.refusal?.reason).toBe(
    "the series of their job have reached its tsdb.limits.max_series_per_job",
  );
  expect([series("a", 0), series("unlimited", 0), series("b", 0), series("b", 1)]).not.toContain(
    refusedSeries,
  );
  expect(series("b", 2)).toBe(refusedSeries);
  expect(appender.refusal).toEqual({
    count: 2,
    reason: "the head holds 5 series and tsdb.limits.max_series is 5",
  });
  appender.rollback();
  expect(appender.refusal).toBeUndefined();
  // A reload that raises the limits.
  head.budget.limits = { series: 0, seriesByJob: {} };
  expect([series("a", 2), series("b", 2)]).not.toContain(refusedSeries);
  expect(head.budget.refused.total).toBe(2);
});

test("series of a job that were collected make room for others", () => {
  const { head, appender } = testHead({}, { pages: 2048 });
  head.budget.limits = { series: 0, seriesByJob: { a: 1 } };
  append(appender, [[{ __name__: "old", job: "a" }, t0, 1]]);
  append(appender, [[{ __name__: "other", job: "b" }, t0 + 10_000_000, 1]]);
  expect(appender.series(Labels.of({ __name__: "new", job: "a" }))).toBe(refusedSeries);
  appender.rollback();
  Collection.truncation(head, t0 + 5_000_000).runToEnd();
  expect(appender.series(Labels.of({ __name__: "new", job: "a" }))).not.toBe(refusedSeries);
});

test("pages stay resident, whatever is freed in them", () => {
  const { head } = testHead({}, { pages: 2048 });
  const before = head.arena.pagesTaken;
  const filler = fill(head, 900);
  head.arena.free(filler, Purpose.staging);
  expect(head.arena.pagesTaken).toBe(before);
  expect(head.arena.pagesTakenMost).toBe(900);
});

// Selection, label names and values against a naive filter, over random series and matchers.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { append, hints, noContext, type TestHead, testHead } from "../../../test/head/fixture.ts";
import { QueryError } from "../../base/errors.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { compareLabels, Labels } from "../../model/labels.ts";
import { Matcher, type MatchType } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { Collection } from "./collection.ts";

const t0 = 1_700_000_000_000;
const names = ["__name__", "a", "b", "cé"];
const values = ["", "1", "2", "10", "foo", "foobar", "ünï", "\u{1F600}", "\ufb01", "x".repeat(200)];

const labelSet = fc
  .tuple(...names.map(() => fc.constantFrom(...values)))
  .map((row) => Labels.of(Object.fromEntries(names.map((name, i) => [name, row[i]]))))
  .filter((labels) => labels.size > 0);
const matcher = fc
  .tuple(
    fc.constantFrom<MatchType>("=", "!=", "=~", "!~"),
    fc.constantFrom(...names, "missing"),
    fc.constantFrom(...values, ".*", ".+", "foo.*", "1|2|foo", "1||2", "(1|2).?", "f.+r", "[^f]*"),
  )
  .map(([type, name, value]) => new Matcher(type, name, value));

function filter(all: readonly Labels[], matchers: readonly Matcher[]): Labels[] {
  return all.filter((labels) => matchers.every((one) => one.matches(labels.get(one.name))));
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compareUtf8);
}

function headWith(series: readonly Labels[], pages = 256): TestHead {
  const world = testHead({}, { pages });
  for (const labels of series) append(world.appender, [[labels.toObject(), t0, 1]]);
  return world;
}

test("series, names and values as a filter over all series finds them", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(labelSet, { minLength: 1, maxLength: 40, selector: (labels) => labels.key }),
      fc.array(fc.array(matcher, { minLength: 1, maxLength: 4 }), { minLength: 8, maxLength: 8 }),
      (all, queries) => {
        const { reader } = headWith(all);
        const querier = reader.querier(0, t0 * 2);
        const keys = (found: readonly { readonly labels: Labels }[]) => found.map(({ labels }) => labels.key);
        for (const matchers of queries) {
          const want = filter(all, matchers);
          const unsorted = querier.select(noContext, matchers, 0, t0, hints, false);
          expect(keys(unsorted), matchers.join()).toEqual(want.map((labels) => labels.key));
          const sorted = querier.select(noContext, matchers, 0, t0, hints, true);
          expect(keys(sorted), matchers.join()).toEqual(
            [...want].sort(compareLabels).map((labels) => labels.key),
          );
          const wantNames = distinct(want.flatMap((labels) => [...labels.entries()].map(([name]) => name)));
          expect(querier.labelNames(noContext, matchers, 0), matchers.join()).toEqual(wantNames);
          for (const name of names) {
            const wantValues = distinct(
              want.map((labels) => labels.get(name)).filter((value) => value !== ""),
            );
            expect(querier.labelValues(noContext, name, matchers, 0), `${name} of ${matchers}`).toEqual(
              wantValues,
            );
          }
        }
        expect(querier.labelNames(noContext, [], 2)).toEqual(
          distinct(all.flatMap((labels) => Object.keys(labels.toObject()))).slice(0, 2),
        );
        querier.close();
      },
    ),
    { numRuns: 25 },
  );
});

describe("with lists that span many blocks", () => {
  const world = testHead({}, { pages: 1024 });
  const count = 6000;
  const all = Array.from({ length: count }, (_, i) =>
    Labels.of({ job: "j", even: `${i % 2}`, hundred: `${i % 100}`, id: `${i}` }),
  );
  const refs = Uint32Array.from(all, (labels) => world.appender.series(labels));
  world.appender.append(
    refs,
    new Float64Array(count).fill(t0),
    new Float64Array(count),
    count,
    new Uint8Array(count),
  );
  world.appender.commit();
  const querier = world.reader.querier(0, t0);

  test.each([
    ["one long list", '{job="j"}', [["=", "job", "j"]]],
    [
      "two long lists",
      "",
      [
        ["=", "job", "j"],
        ["=", "even", "1"],
      ],
    ],
    [
      "a long and a short one",
      "",
      [
        ["=", "job", "j"],
        ["=", "hundred", "7"],
      ],
    ],
    [
      "a single series",
      "",
      [
        ["=", "job", "j"],
        ["=", "even", "1"],
        ["=", "id", "4711"],
      ],
    ],
    [
      "nothing in common",
      "",
      [
        ["=", "even", "0"],
        ["=", "hundred", "7"],
      ],
    ],
    [
      "a union",
      "",
      [
        ["=~", "hundred", "1|2|3|4|5|77"],
        ["=", "even", "1"],
      ],
    ],
    ["a union by expression", "", [["=~", "hundred", "1.?"]]],
    [
      "a difference",
      "",
      [
        ["=", "job", "j"],
        ["!=", "even", "1"],
      ],
    ],
    [
      "a difference of a few",
      "",
      [
        ["=", "hundred", "7"],
        ["!~", "id", "7|107|207"],
      ],
    ],
    ["a difference from all", "", [["!=", "even", "1"]]],
    [
      "a regular expression",
      "",
      [
        ["=~", "id", "1.*9"],
        ["!~", "id", ".*5.*"],
      ],
    ],
    [
      "any value",
      "",
      [
        ["=~", "hundred", ".+"],
        ["!=", "missing", "x"],
      ],
    ],
  ] as const)("%s", (_, __, rows) => {
    const matchers = rows.map(([type, name, value]) => new Matcher(type, name, value));
    const found = querier
      .select(noContext, matchers, 0, t0, hints, false)
      .map(({ labels }) => labels.get("id"));
    expect(found).toEqual(filter(all, matchers).map((labels) => labels.get("id")));
    const values = querier.labelValues(noContext, "hundred", matchers, 0);
    expect(values).toEqual(distinct(filter(all, matchers).map((labels) => labels.get("hundred"))));
  });

  test("no chunk is read for names and values", () => {
    const before = world.chunks.reads;
    querier.labelValues(noContext, "id", [new Matcher("=", "even", "1")], 0);
    querier.labelNames(noContext, [new Matcher("=", "even", "1")], 0);
    querier.select(noContext, [new Matcher("=", "even", "1")], 0, t0, { ...hints, func: "series" }, false);
    expect(world.chunks.reads).toBe(before);
  });

  test("work is announced and memory charged", () => {
    let checks = 0;
    let bytes = 0;
    const context: QueryContext = {
      check: () => checks++,
      chargeBytes: (count) => (bytes += count),
      releaseBytes() {},
    };
    querier.select(context, [new Matcher("=", "job", "j")], 0, t0, hints, false);
    expect(checks).toBeGreaterThan(4);
    expect(bytes).toBeGreaterThan(count * 200);
    const refusing = {
      ...noContext,
      check() {
        throw new QueryError("canceled", "gone");
      },
    };
    expect(() => querier.select(refusing, [new Matcher("=", "job", "j")], 0, t0, hints, false)).toThrow(
      "gone",
    );
  });
});

describe("times", () => {
  const { appender, reader, head } = testHead({ samplesPerChunk: 10 }, { pages: 256 });
  for (let i = 0; i < 100; i++) {
    append(appender, [
      [{ s: "long" }, t0 + i * 1000, i],
      ...(i < 30 ? [[{ s: "ended" }, t0 + i * 1000, i] as const] : []),
      ...(i >= 70 ? [[{ s: "late" }, t0 + i * 1000, i] as const] : []),
    ]);
  }
  const every = [new Matcher("=~", "s", ".+")];

  test.each([
    [0, 29, ["ended", "long"]],
    [30, 69, ["long"]],
    [29, 70, ["ended", "late", "long"]],
    [70, 99, ["late", "long"]],
    [99, 200, ["late", "long"]],
    [100, 200, []],
    [-100, -1, []],
  ])("series in [%i, %i]", (from, to, want) => {
    const querier = reader.querier(0, t0 * 2);
    const found = querier.select(noContext, every, t0 + from * 1000, t0 + to * 1000, hints, true);
    const withSamples = found.filter((series) => {
      const out = new SampleColumns();
      series.read(out, t0 + from * 1000, t0 + to * 1000);
      return out.n > 0;
    });
    expect(withSamples.map(({ labels }) => labels.get("s")).sort()).toEqual(want);
    querier.close();
  });

  test("any part of a series, across chunks", () => {
    const querier = reader.querier(0, t0 * 2);
    const [series] = querier.select(noContext, [new Matcher("=", "s", "long")], 0, t0 * 2, hints, false);
    querier.doneSelecting();
    for (let from = 0; from < 100; from += 7) {
      for (let to = from; to < 100; to += 11) {
        const out = new SampleColumns(1);
        out.reserve(1);
        series.read(out, t0 + from * 1000, t0 + to * 1000);
        expect([...out.v.subarray(0, out.n)]).toEqual(
          Array.from({ length: to - from + 1 }, (_, i) => from + i),
        );
      }
    }
    expect(() => querier.select(noContext, every, 0, t0, hints, false)).toThrow("BUG");
    querier.close();
    querier.close();
  });

  test("deleted intervals are left out", () => {
    head.deleted.add(1, { mint: t0 + 10_000, maxt: t0 + 19_000 });
    head.deleted.add(1, { mint: t0 + 90_000, maxt: t0 + 97_000 });
    head.deleted.publish();
    const querier = reader.querier(0, t0 * 2);
    const out = new SampleColumns();
    const [series] = querier.select(noContext, [new Matcher("=", "s", "long")], 0, t0 * 2, hints, false);
    series.read(out, t0, t0 * 2);
    const left = Array.from({ length: 100 }, (_, i) => i).filter(
      (i) => !(i >= 10 && i < 20) && !(i >= 90 && i < 98),
    );
    expect([...out.v.subarray(0, out.n)]).toEqual(left);
    querier.close();
  });

  test("after collection nothing before its time is seen", () => {
    Collection.truncation(head, t0 + 55_000).runToEnd();
    const querier = reader.querier(0, t0 * 2);
    const found = querier.select(noContext, every, 0, t0 * 2, hints, true);
    expect(found.map(({ labels }) => labels.get("s"))).toEqual(["late", "long"]);
    const out = new SampleColumns();
    found[1].read(out, 0, t0 * 2);
    expect(out.t[0]).toBe(t0 + 55_000);
    expect(querier.labelValues(noContext, "s", [], 0)).toEqual(["late", "long"]);
    querier.close();
  });
});

test("an empty head has nothing", () => {
  const { reader } = testHead({}, { pages: 256 });
  expect(reader.state().initialized).toBe(false);
  const querier = reader.querier(-Infinity, Infinity);
  expect(querier.select(noContext, [new Matcher("=~", "a", ".*")], 0, t0, hints, true)).toEqual([]);
  expect(querier.labelNames(noContext, [], 0)).toEqual([]);
  expect(querier.labelValues(noContext, "a", [], 0)).toEqual([]);
});

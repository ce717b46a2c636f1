// Writer, reader and matching together: what is written is found again, and damage is noticed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unlimited } from "../../../test/tsdb/chunk-series.ts";
import { CorruptionError } from "../../base/errors.ts";
import { PageCache } from "../../base/page-cache.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { compareLabels, Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { labelNamesFor, labelValuesFor, postingsForMatchers } from "./match.ts";
import { IndexReader } from "./reader.ts";
import { Spool } from "./spool.ts";
import { IndexWriter } from "./writer.ts";

interface Entry {
  readonly labels: Labels;
  readonly chunks: readonly number[];
}

/** Sorted, each label set once; every series with two chunks. */
function entries(records: readonly Record<string, string>[]): Entry[] {
  const byKey = new Map(records.map((record) => [Labels.of(record).key, Labels.of(record)]));
  return [...byKey.values()]
    .filter((labels) => labels.size > 0)
    .sort(compareLabels)
    .map((labels, i) => ({ labels, chunks: [i, i + 10, 8 + i * 100, i + 11, i + 11, 58 + i * 100] }));
}

function writeIndex(series: readonly Entry[]): MemFs {
  const fs = new MemFs();
  const writer = new IndexWriter(fs, "index");
  for (const { labels, chunks } of series) writer.addSeries(labels, chunks);
  writer.finish();
  return fs;
}

function openIndex(fs: MemFs): IndexReader {
  return IndexReader.open(new PageCache(1 << 20).open(fs, "index"));
}

const value = fc.constantFrom(
  "",
  "a",
  "b",
  "aa",
  "ab",
  "é",
  "\uffff",
  "\u{1f600}",
  "x".repeat(300),
  "1",
  "2",
  "3",
);
const record = fc.record({ __name__: value, job: value, "é.x": value, zz: value }, { requiredKeys: [] });
const matcher = fc
  .tuple(
    fc.constantFrom("=", "!=", "=~", "!~"),
    fc.constantFrom("__name__", "job", "é.x", "zz", "missing"),
    fc.constantFrom("", "a", "b|2", "a.*", ".*", ".+", "a|", "[ab]+", "é", "none", "[^a]*", "1|2|3|none"),
  )
  .map(([type, name, text]) => new Matcher(type as "=", name, text));

const someSeries = (maxLength: number) => fc.array(record, { maxLength }).map(entries);

test("series, postings and label values come back as they were written", () => {
  fc.assert(
    fc.property(someSeries(200), (series) => {
      const index = openIndex(writeIndex(series));
      const refs = [...index.postings("", "")];
      expect(refs.map((ref) => index.series(ref, -Infinity, Infinity))).toEqual(series);
      const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels.toObject())))].sort(
        compareUtf8,
      );
      expect(index.labelNames()).toEqual(names);
      for (const name of names) {
        const values = [...new Set(series.map(({ labels }) => labels.get(name)).filter(Boolean))].sort(
          compareUtf8,
        );
        const found: string[] = [];
        index.forEachValue(name, "", (each, handle) => {
          found.push(each);
          expect([...index.postingsAt(handle)]).toEqual(
            refs.filter((_, i) => series[i].labels.get(name) === each),
          );
          expect(index.postings(name, each)).toEqual(index.postingsAt(handle));
          return true;
        });
        expect(found).toEqual(values);
        expect(index.valueCount(name)).toBe(values.length);
      }
    }),
    { numRuns: 50 },
  );
});

test("matching equals filtering", () => {
  fc.assert(
    fc.property(
      someSeries(60),
      fc.array(matcher, { minLength: 1, maxLength: 3 }),
      fc.nat(5),
      (series, matchers, limit) => {
        const index = openIndex(writeIndex(series));
        const refs = [...index.postings("", "")];
        const wanted = series.filter(({ labels }) =>
          matchers.every((one) => one.matches(labels.get(one.name))),
        );
        const found = postingsForMatchers(unlimited, index, matchers);
        expect([...found]).toEqual(wanted.map((each) => refs[series.indexOf(each)]));

        const names = new Set(wanted.flatMap(({ labels }) => Object.keys(labels.toObject())));
        expect(labelNamesFor(unlimited, index, matchers)).toEqual([...names].sort(compareUtf8));
        for (const name of ["job", "missing"]) {
          const all = [...new Set(wanted.map(({ labels }) => labels.get(name)).filter(Boolean))].sort(
            compareUtf8,
          );
          const want = limit > 0 ? all.slice(0, limit) : all;
          expect(labelValuesFor(unlimited, index, name, matchers, limit)).toEqual(want);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("without matchers: all names and values", () => {
  const index = openIndex(writeIndex(entries([{ a: "1", b: "2" }, { a: "2" }])));
  expect(labelNamesFor(unlimited, index, [])).toEqual(["a", "b"]);
  expect(labelValuesFor(unlimited, index, "a", [], 0)).toEqual(["1", "2"]);
  expect(labelValuesFor(unlimited, index, "a", [], 1)).toEqual(["1"]);
});

test("symbols longer than what is read at once", () => {
  const long = ["x", "y", "z"].map((letter) => letter.repeat(100_000));
  const series = entries(
    long.flatMap((i) => [
      { i, a: "b" },
      { i, a: "c" },
    ]),
  );
  const index = openIndex(writeIndex(series));
  const refs = [...index.postings("", "")];
  expect(refs.map((ref) => index.series(ref, 0, 1e9)?.labels.get("i"))).toEqual([...long, ...long]);
  expect(labelValuesFor(unlimited, index, "i", [], 0)).toEqual(long);
  expect([...index.postings("i", long[1])]).toEqual([refs[1], refs[4]]);
});

test("the spool gives back what it got, over many blocks", () => {
  const spool = new Spool();
  const sizes = Array.from({ length: 500 }, (_, i) => (i * 7919) % 12_000);
  for (const size of [...sizes, 2_000_000]) spool.add(new Uint8Array(size).fill(size));
  const back = [...spool.entries()];
  expect(back.map((entry) => entry.length)).toEqual([...sizes, 2_000_000]);
  expect(back.every((entry) => entry.every((byte) => byte === (entry.length & 255)))).toBe(true);
});

describe("many values", () => {
  const padded = (i: number) => String(i).padStart(4, "0") + "x".repeat(i % 200);
  const ordered: Entry[] = Array.from({ length: 3000 }, (_, i) =>
    Labels.of({ __name__: "m", i: padded(i), half: String(i % 2) }),
  )
    .sort(compareLabels)
    .map((labels, i) => ({ labels, chunks: [i, i + 5, 8 + i] }));
  const index = openIndex(writeIndex(ordered));
  const refs = index.postings("", "");

  test("each is found, neighbours that do not exist are not", () => {
    for (const [i, { labels }] of ordered.entries()) {
      expect([...index.postings("i", labels.get("i"))]).toEqual([refs[i]]);
      if (i % 50 === 0) expect(index.postings("i", `${labels.get("i")}!`).length).toBe(0);
    }
    for (const absent of ["", "!", "zzz", "0000 "]) expect(index.postings("i", absent).length).toBe(0);
  });

  test("a prefix reads only what begins with it", () => {
    const seen: string[] = [];
    index.forEachValue("i", "29", (value) => {
      seen.push(value);
      return value.startsWith("29");
    });
    expect(seen.length).toBe(100);
    expect(postingsForMatchers(unlimited, index, [new Matcher("=~", "i", "29.*")]).length).toBe(100);
  });

  test("series outside the range are left out", () => {
    expect(index.series(refs[0], 6, 100)).toBeUndefined();
    expect(index.series(refs[0], -10, -1)).toBeUndefined();
    expect(index.series(refs[0], 5, 5)?.chunks).toEqual([0, 5, 8]);
  });

  test("a query that is cancelled stops", () => {
    const cancelled = {
      ...unlimited,
      check: () => {
        throw new Error("cancelled");
      },
    };
    expect(() => postingsForMatchers(cancelled, index, [new Matcher("=~", "i", ".*x")])).toThrow("cancelled");
  });
});

test("series out of order, overlapping chunks and missing labels are our own mistakes", () => {
  const fresh = () => new IndexWriter(new MemFs(), "index");
  const writer = fresh();
  writer.addSeries(Labels.of({ b: "a" }), [0, 1, 8]);
  expect(() => writer.addSeries(Labels.of({ a: "b" }), [0, 1, 9])).toThrow(/BUG: series are added in order/);
  expect(() => fresh().addSeries(Labels.of({ a: "b" }), [0, 5, 8, 5, 6, 9])).toThrow(/BUG: the chunks of/);
  expect(() => fresh().addSeries(Labels.empty, [0, 5, 8])).toThrow(/BUG: a series has labels/);
});

test("an index without series", () => {
  const index = openIndex(writeIndex([]));
  expect(index.labelNames()).toEqual([]);
  expect(postingsForMatchers(unlimited, index, [new Matcher("=", "a", "")]).length).toBe(0);
});

test("every damaged byte gives an error or the right answer", () => {
  const series = entries(["a", "b", "c"].map((job, i) => ({ __name__: "up", job, i: String(i) })));
  const good = writeIndex(series).readFile("index");
  const answer = (bytes: Uint8Array) => {
    const fs = new MemFs();
    fs.open("index", "create").writeAt(bytes, 0);
    const index = openIndex(fs);
    const refs = [...postingsForMatchers(unlimited, index, [new Matcher("=~", "job", "a|b")])];
    return JSON.stringify([
      refs.map((ref) => index.series(ref, 0, 100)),
      labelNamesFor(unlimited, index, []),
      labelValuesFor(unlimited, index, "i", [new Matcher("!=", "job", "a")], 0),
    ]);
  };
  const want = answer(good);
  let errors = 0;
  for (let at = 0; at < good.length; at++) {
    for (const damage of [0xff, 1 << (at % 8)]) {
      const bytes = good.slice();
      bytes[at] ^= damage;
      try {
        expect(answer(bytes), `byte ${at} ^ ${damage}`).toBe(want);
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        errors++;
      }
    }
  }
  expect(errors).toBeGreaterThan(good.length);
  for (let cut = 0; cut < good.length; cut++) {
    expect(() => answer(good.subarray(0, cut)), `cut at ${cut}`).toThrow(CorruptionError);
  }
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram } from "../model/histogram.ts";
import { compareLabels, Labels } from "../model/labels.ts";
import { mergeQueriers, mergeRuns } from "./merge.ts";
import type { Querier, QueryContext, Series } from "./querier.ts";
import { SampleColumns } from "./sample-columns.ts";

const context: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };
const hints = { startMs: 0, endMs: 0, stepMs: 0, func: "" };

/** Series name → time → bits of the value. */
type Source = Record<string, Record<number, bigint>>;

class FakeQuerier implements Querier {
  readonly #source: Source;
  closed = 0;
  done = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  select(...[, , mint, maxt, , sorted]: Parameters<Querier["select"]>): readonly Series[] {
    expect(sorted).toBe(true);
    return Object.entries(this.#source)
      .map(
        ([name, samples]): Series => ({
          labels: Labels.of({ __name__: name }),
          read(out, from, to) {
            for (const [t, bits] of Object.entries(samples)) {
              if (Number(t) < Math.max(mint, from) || Number(t) > Math.min(maxt, to)) continue;
              out.reserve(1);
              out.t[out.n] = Number(t);
              new BigUint64Array(out.v.buffer)[out.n++] = bits;
            }
          },
        }),
      )
      .sort((a, b) => compareLabels(a.labels, b.labels));
  }

  labelNames(): string[] {
    return ["__name__"];
  }

  labelValues(_context: QueryContext, _name: string, _matchers: unknown, limit: number): string[] {
    const names = Object.keys(this.#source).sort();
    return limit > 0 ? names.slice(0, limit) : names;
  }

  doneSelecting(): void {
    this.done++;
  }

  close(): void {
    this.closed++;
  }
}

function readAll(querier: Querier, mint: number, maxt: number): Record<string, [number, bigint][]> {
  const out = new SampleColumns(2);
  const result: Record<string, [number, bigint][]> = {};
  const series = querier.select(context, [], mint, maxt, hints, true);
  for (let i = 1; i < series.length; i++) {
    expect(compareLabels(series[i - 1].labels, series[i].labels)).toBeLessThan(0);
  }
  for (const { labels, read } of series.map((one) => ({ labels: one.labels, read: one.read.bind(one) }))) {
    out.clear();
    out.reserve(1);
    out.t[out.n++] = 99999;
    read(out, mint, maxt);
    expect(out.t[0]).toBe(99999);
    const bits = new BigUint64Array(out.v.buffer);
    const samples = Array.from({ length: out.n - 1 }, (_, i): [number, bigint] => [
      out.t[i + 1],
      bits[i + 1],
    ]);
    if (samples.length > 0) result[labels.get("__name__")] = samples;
  }
  return result;
}

const stale = 0x7ff0000000000002n;
const source = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d"),
  fc.dictionary(fc.nat(30).map(String), fc.constantFrom(stale, 1n, 2n, 3n)),
) as fc.Arbitrary<Source>;

test("equals the union of the sources, the first one winning", () => {
  fc.assert(
    fc.property(
      fc.array(source, { minLength: 2, maxLength: 5 }),
      fc.nat(30),
      fc.nat(30),
      (sources, mint, maxt) => {
        const want: Record<string, [number, bigint][]> = {};
        for (const name of ["a", "b", "c", "d"]) {
          const merged: Record<number, bigint> = {};
          for (const each of [...sources].reverse()) Object.assign(merged, each[name]);
          const samples = Object.entries(merged)
            .map(([t, bits]): [number, bigint] => [Number(t), bits])
            .filter(([t]) => t >= mint && t <= maxt);
          if (samples.length > 0) want[name] = samples;
        }
        expect(readAll(mergeQueriers(sources.map((each) => new FakeQuerier(each))), mint, maxt)).toEqual(
          want,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("label values are merged, sorted and limited", () => {
  const queriers = [{ b: {}, "\u{1f600}": {} }, { a: {}, "\uffff": {}, b: {} }, {}].map(
    (each) => new FakeQuerier(each as Source),
  );
  const merged = mergeQueriers(queriers);
  expect(merged.labelValues(context, "__name__", [], 0)).toEqual(["a", "b", "\uffff", "\u{1f600}"]);
  expect(merged.labelValues(context, "__name__", [], 2)).toEqual(["a", "b"]);
  expect(merged.labelNames(context, [], 0)).toEqual(["__name__"]);
  merged.close();
  expect(queriers.map((querier) => querier.closed)).toEqual([1, 1, 1]);
});

test("a single source is handed through; none is empty", () => {
  const only = new FakeQuerier({});
  expect(mergeQueriers([only])).toBe(only);
  expect(readAll(mergeQueriers([]), 0, 10)).toEqual({});
  expect(mergeQueriers([]).labelValues(context, "x", [], 0)).toEqual([]);
});

test("that no select follows, and the end, reach every source", () => {
  const sources = [new FakeQuerier({ a: { 1: 1n } }), new FakeQuerier({ b: { 2: 2n } })];
  const merged = mergeQueriers(sources);
  merged.doneSelecting?.();
  merged.close();
  expect(sources.map(({ done, closed }) => [done, closed])).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

test("histograms go where their samples go", () => {
  const one = (sum: number) => new Histogram({ isFloat: true, sum });
  const columns = new SampleColumns();
  columns.pushHistogram(1, one(1));
  columns.pushHistogram(3, one(3));
  columns.reserve(1);
  columns.t[2] = 1;
  columns.v[columns.n++] = 9;
  columns.pushHistogram(2, one(2));
  columns.pushHistogram(4, one(4));
  mergeRuns(columns, 0, 2);
  expect([...columns.t.subarray(0, columns.n)]).toEqual([1, 2, 3, 4]);
  expect(columns.histograms?.map((histogram) => histogram?.sum)).toEqual([1, 2, 3, 4]);
});

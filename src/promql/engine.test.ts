import { beforeEach, describe, expect, test } from "vitest";
import { MemoryStorage } from "../../test/promql/memory-storage.ts";
import { QueryError } from "../base/errors.ts";
import { Histogram } from "../model/histogram.ts";
import { Labels } from "../model/labels.ts";
import type { Querier, Queryable, Series } from "../storage/querier.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { Engine, type EngineOptions, type QueryOptions } from "./engine.ts";
import type { QueryResult } from "./result.ts";

const minute = 60_000;

/** `count` series `x{i="…"}` with a sample per minute over an hour. */
function storageOf(count: number, name = "x"): MemoryStorage {
  const storage = new MemoryStorage();
  for (let i = 0; i < count; i++) {
    const series = storage.series(Labels.of({ __name__: name, i: String(i) }));
    for (let t = 0; t <= 60; t++) series.append(t * minute, new Float64Array([t + i]), 0);
  }
  return storage;
}

function engineOf(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({
    clock: new ManualClock(),
    lookbackMs: 5 * minute,
    samplesMax: 1e6,
    bytesMax: 2 ** 30,
    timeoutMs: 2 * minute,
    noStepSubqueryIntervalMs: () => minute,
    ...options,
  });
}

function failureOf(run: () => unknown): { type: string; message: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { type: error.type, message: error.message };
  }
  throw new Error("expected a QueryError");
}

/** A millisecond passes with every look at it. */
class TickingClock extends ManualClock {
  override monotonicMs(): number {
    this.advance(1);
    return super.monotonicMs();
  }
}

/** Counts what is asked of a storage, and may interfere. */
class Watched implements Queryable {
  selects = 0;
  reads = 0;
  done = 0;
  /** How much had been read when the storage was told that no select follows. */
  readsBeforeDone = -1;
  closed = 0;
  onRead: () => void = () => {};
  readonly #storage: Queryable;

  constructor(storage: Queryable) {
    this.#storage = storage;
  }

  querier(mint: number, maxt: number): Querier {
    const querier = this.#storage.querier(mint, maxt);
    const watched = (series: Series): Series => ({
      labels: series.labels,
      read: (out, from, to) => {
        this.reads++;
        this.onRead();
        series.read(out, from, to);
      },
    });
    return {
      select: (...args) => {
        this.selects++;
        return querier.select(...args).map(watched);
      },
      labelNames: (...args) => querier.labelNames(...args),
      labelValues: (...args) => querier.labelValues(...args),
      doneSelecting: () => {
        this.readsBeforeDone = this.reads;
        this.done++;
      },
      close: () => {
        this.closed++;
        querier.close();
      },
    };
  }
}

describe("limits", () => {
  const tooMany = {
    type: "execution",
    message: "query processing would load too many samples into memory in query execution",
  };

  test.each([
    '{__name__=~".+"}[30d]',
    'sum(max_over_time({__name__=~".+"}[30d]))',
    "x",
    "sum(x)",
  ])("too many samples: %s", (query) => {
    const run = () => engineOf({ samplesMax: 50 }).instant(storageOf(60), query, 60 * minute);
    expect(failureOf(run)).toEqual(tooMany);
  });

  test("the steps of a range query count together", () => {
    const range = (samplesMax: number) =>
      engineOf({ samplesMax }).range(storageOf(1), "x", 0, 60 * minute, minute).stats.samples.peakSamples;
    expect(range(61)).toBe(61);
    expect(failureOf(() => range(60))).toEqual(tooMany);
  });

  test("an aggregation fits into the memory of its groups, collecting all series does not", () => {
    const engine = engineOf({ bytesMax: 64 * 1024 });
    const range = (query: string) => engine.range(storageOf(500), query, 0, 60 * minute, minute);
    expect(range("sum(x)").value).toMatchObject({ labels: [Labels.empty] });
    expect(failureOf(() => range("sort(x)"))).toMatchObject({
      type: "execution",
      message: expect.stringContaining("more than 0 MiB of memory"),
    });
  });

  test("the timeout of the engine or of the query, whichever is shorter", () => {
    for (const [engineMs, queryMs] of [
      [50, undefined],
      [100_000, 50],
      [50, 100_000],
    ]) {
      const clock = new ManualClock();
      const storage = new Watched(storageOf(100));
      storage.onRead = () => clock.advance(1);
      const engine = engineOf({ clock, timeoutMs: engineMs });
      const options: QueryOptions = queryMs === undefined ? {} : { timeoutMs: queryMs };
      expect(failureOf(() => engine.instant(storage, "sum(x)", 0, options))).toEqual({
        type: "timeout",
        message: "query timed out in expression evaluation",
      });
      expect(storage.reads).toBeLessThan(80);
      expect(storage.closed).toBe(1);
    }
  });

  test.each([
    "quantile_over_time(0.5, x[1h])",
    "max_over_time(x[1h])",
    "predict_linear(x[1h], 5)",
  ])("also between the windows of one long series: %s", (query) => {
    const storage = new MemoryStorage();
    const series = storage.series(Labels.of({ __name__: "x" }));
    for (let t = 0; t < 20_000; t++) series.append(t * 100, new Float64Array([t]), 0);
    const engine = engineOf({ clock: new TickingClock(), timeoutMs: 5 });
    const run = () => engine.range(storage, query, 0, 2_000_000, 2_000);
    expect(failureOf(run).type).toBe("timeout");
  });

  test("a grid beyond all measure is refused, not tried", () => {
    const message = expect.stringContaining("MiB of memory in query execution");
    const engine = engineOf();
    for (const query of ["max_over_time(x[10y:1ms])", "count_over_time(vector(1)[10y:1ms])"]) {
      expect(failureOf(() => engine.instant(storageOf(1), query, 60 * minute)).message).toEqual(message);
    }
    expect(failureOf(() => engine.range(storageOf(1), "x", 0, 1e15, 1)).message).toEqual(message);
  });

  test("the storage is told when no select follows, before anything is read", () => {
    const storage = new Watched(storageOf(3));
    engineOf().instant(storage, "sum(x) + count(x)", 0);
    expect([storage.done, storage.readsBeforeDone, storage.closed]).toEqual([1, 0, 1]);
    expect(storage.reads).toBeGreaterThan(0);
  });

  test("a raised flag cancels", () => {
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const storage = new Watched(storageOf(100));
    storage.onRead = () => {
      if (storage.reads === 10) Atomics.store(cancelled, 0, 1);
    };
    expect(failureOf(() => engineOf().instant(storage, "sum(x)", 0, { cancelled }))).toEqual({
      type: "canceled",
      message: "query was canceled in expression evaluation",
    });
    expect(storage.reads).toBe(10);
    expect(storage.closed).toBe(1);
  });
});

describe("what is refused", () => {
  test.each([
    ["x[5m]", 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'],
    ['"text"', 'invalid expression type "string" for range query, must be Scalar or instant Vector'],
  ])("a range query of %s", (query, message) => {
    const run = () => engineOf().range(storageOf(1), query, 0, minute, minute);
    expect(failureOf(run)).toEqual({ type: "bad_data", message });
  });

  const features = { experimentalFunctions: true, extendedRangeSelectors: true, fillModifiers: true };
  test.each([
    ["histogram_stddev(x)", '"histogram_stddev"'],
    ["x </ 5", "</"],
    ["mad_over_time(x[5m])", '"mad_over_time"'],
    ["step()", '"step"'],
    ["limitk(1, x)", "limitk"],
    ["limit_ratio(0.5, x)", "limit_ratio"],
    ["rate(x[5m] anchored)", "anchored"],
    ["x smoothed", "smoothed"],
    ["x + fill(0) x", "fill"],
  ])("%s is named and refused", (query, name) => {
    const failure = failureOf(() => engineOf({ features }).instant(storageOf(1), query, 0));
    expect(failure.message).toContain(name);
    expect(failure.message).toContain("not supported yet");
  });
});

describe("work is done once", () => {
  let storage: Watched;
  beforeEach(() => {
    storage = new Watched(storageOf(3));
  });
  const range = (query: string): QueryResult =>
    engineOf().range(storage, query, 20 * minute, 60 * minute, minute);

  test.each([
    ["what occurs twice", "sum(rate(x[5m])) / (sum(rate(x[5m])) + 1)", 1, 3],
    ["also inside of other things", "avg(x) + max(x)", 1, 3],
    ["what differs in the offset does not", "x - x offset 1m", 2, 6],
    ["a selector pinned by @", "x @ 600", 1, 3],
    ["what is pinned as a whole", "sum(rate(x[5m] @ end())) + on () group_right sum(x)", 2, 6],
  ])("%s: %s", (_, query, selects, reads) => {
    range(query);
    expect(storage).toMatchObject({ selects, reads, closed: 1 });
  });

  test("the same answer as without", () => {
    const twice = range("x / x + x");
    const apart = range("x / (x + 0) + (x * 1)");
    expect(twice.value).toEqual(apart.value);
  });

  test("and annotations point to the last occurrence, as in Prometheus", () => {
    const { infos } = range("rate(x[5m]) + rate(x[5m])");
    expect(infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:20)',
    ]);
  });
});

describe("statistics", () => {
  // The numbers of Prometheus 3.5.3 for the same data.
  test.each([
    ["x", 3, 3, 3],
    ["sum(x)", 3, 3, 3],
    ["x[5m]", 15, 15, 15],
    ["rate(x[5m])", 15, 15, 8],
    ["max_over_time(x[5m:1m])", 15, 15, 23],
    ["x + x", 6, 6, 15],
  ])("of %s", (query, totalQueryableSamples, samplesRead, peakSamples) => {
    const { samples } = engineOf().instant(storageOf(3), query, 30 * minute).stats;
    expect(samples).toEqual({ totalQueryableSamples, samplesRead, peakSamples });
  });
});

test("results have the form that the API needs", () => {
  const storage = storageOf(2);
  const engine = engineOf();
  expect(engine.instant(storage, "1 + 1", 5).value).toEqual({ type: "scalar", t: 5, value: 2 });
  expect(engine.instant(storage, '"a"', 5).value).toEqual({ type: "string", t: 5, text: "a" });
  expect(engine.instant(storage, "-x", minute).value).toEqual({
    type: "vector",
    t: minute,
    labels: [Labels.of({ i: "0" }), Labels.of({ i: "1" })],
    values: new Float64Array([-1, -2]),
  });
  expect(engine.instant(storage, 'x{i="1"}[2m]', minute).value).toEqual({
    type: "matrix",
    form: "samples",
    labels: [Labels.of({ __name__: "x", i: "1" })],
    offsets: new Uint32Array([0, 2]),
    t: new Float64Array([0, minute]),
    v: new Float64Array([1, 2]),
  });
  expect(engine.range(storage, 'x{i="1"} > 2', 0, 2 * minute, minute).value).toEqual({
    type: "matrix",
    form: "grid",
    startMs: 0,
    stepMs: minute,
    steps: 3,
    labels: [Labels.of({ __name__: "x", i: "1" })],
    values: new Float64Array([1, 2, 3]),
    present: new Uint8Array([0, 0, 1]),
  });
});

test("the lookback can be set for a query", () => {
  const at = (lookbackMs: number) => engineOf().instant(storageOf(1), "x", 70 * minute, { lookbackMs }).value;
  expect(at(10 * minute)).toMatchObject({ labels: [] });
  expect(at(10 * minute + 1)).toMatchObject({ values: new Float64Array([60]) });
});

describe("native histograms", () => {
  const h = (count: number) => new Histogram({ isFloat: true, count, zeroCount: count, sum: 2 * count });
  const storage = new MemoryStorage();
  const mixed = storage.series(Labels.of({ __name__: "mixed" }));
  for (let k = 0; k <= 10; k++) {
    if (k === 4) mixed.append(k * minute, new Float64Array([7]), 0);
    else mixed.samples.pushHistogram(k * minute, h(k));
  }
  storage.series(Labels.of({ __name__: "floats", i: "1" })).append(10 * minute, new Float64Array([5]), 0);

  const shown = (query: string, t: number): (string | number)[] => {
    const { value } = engineOf().instant(storage, query, t);
    if (value.type !== "vector") throw new Error(`a ${value.type}`);
    return [...value.values].map((v, i) => {
      const histogram = value.histograms?.[i];
      return histogram === undefined ? v : `h${histogram.count}`;
    });
  };
  test.each<[string, (string | number)[]]>([
    ["mixed", ["h10"]],
    ["mixed offset 6m", [7]],
    ["mixed @ 300", ["h5"]],
    ["last_over_time(mixed[3m])", ["h10"]],
    ["last_over_time(mixed[8m:2m])", ["h10"]],
    ["count_over_time(mixed[20m])", [11]],
    ["present_over_time(mixed[1m])", [1]],
    ["changes(mixed[20m])", [10]],
    ["resets(mixed[20m])", [2]],
    ["max_over_time(mixed[20m])", [7]],
    ["timestamp(mixed)", [600]],
    ["timestamp(mixed or floats)", [600, 600]],
    ["count(mixed)", [1]],
    ["group(mixed)", [1]],
    ["max(mixed)", []],
    ["topk(1, mixed)", []],
    ["abs(mixed)", []],
    ["sort(mixed)", []],
    ["scalar(mixed) + vector(1)", [Number.NaN]],
    ["absent(mixed)", []],
    ["histogram_count(mixed)", [10]],
    ["histogram_sum(mixed)", [20]],
    ["histogram_avg(mixed)", [2]],
    ["histogram_count(floats)", []],
    ["mixed or floats", ["h10", 5]],
    ["mixed and on () floats", ["h10"]],
    ["mixed unless on () floats", []],
    ['label_replace(mixed, "x", "y", "", "")', ["h10"]],
  ])("%s", (query, want) => {
    expect(shown(query, 10 * minute)).toEqual(want);
  });

  test.each([
    ["rate(mixed[5m])", 'the function "rate"'],
    ["sum_over_time(mixed[5m])", 'the function "sum_over_time"'],
    ["sum(mixed)", "the aggregation sum"],
    ['count_values("x", mixed)', "the aggregation count_values"],
    ["mixed + floats", "the operator +"],
    ["mixed * 2", "the operator *"],
    ["-mixed", "the operator -"],
    ["histogram_quantile(0.5, mixed)", 'the function "histogram_quantile"'],
  ])("%s is named and refused", (query, what) => {
    const { type, message } = failureOf(() => engineOf().instant(storage, query, 10 * minute));
    expect(type).toBe("execution");
    expect(message).toContain(`${what} on native histograms is not supported yet`);
  });

  test("ranges, what is left out is told, and they count by their size", () => {
    const { value, infos, stats } = engineOf().range(storage, "mixed", 3 * minute, 5 * minute, minute);
    expect(value).toMatchObject({ labels: [mixed.labels], present: Uint8Array.of(1, 1, 1) });
    if (value.type !== "matrix" || value.form !== "grid") throw new Error("no grid");
    expect(value.histograms?.get(0)?.map((one) => one?.count)).toEqual([3, undefined, 5]);
    expect(infos).toEqual([]);
    expect(stats.samples.totalQueryableSamples).toBe(11 + 1 + 11);
    const told = engineOf().instant(storage, "max(mixed)", 10 * minute);
    expect(told.infos).toEqual(["PromQL info: ignored histogram in max aggregation (1:5)"]);
  });
});

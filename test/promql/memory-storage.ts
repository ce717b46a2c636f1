/** Series in plain arrays, as a source for the engine: the simplest thing that keeps the contract of a Queryable. */
import { QueryError } from "../../src/base/errors.ts";
import { compareUtf8 } from "../../src/base/strings.ts";
import { compareLabels, type Labels } from "../../src/model/labels.ts";
import type { Matcher } from "../../src/model/matcher.ts";
import type { Querier, Queryable, QueryContext, SelectHints, Series } from "../../src/storage/querier.ts";
import { SampleColumns } from "../../src/storage/sample-columns.ts";

/** What reading a native histogram throws until the engine knows them. */
export const nativeHistogramMessage = "native histograms cannot be queried yet";

export class MemorySeries implements Series {
  readonly labels: Labels;
  readonly samples = new SampleColumns(16);
  /** Times of native histograms, which nothing can read yet. */
  readonly histogramTimes: number[] = [];

  constructor(labels: Labels) {
    this.labels = labels;
  }

  /** Later than all before it. */
  append(t: number, values: Float64Array, index: number): void {
    const { samples } = this;
    samples.reserve(1);
    samples.t[samples.n] = t;
    samples.v.set(values.subarray(index, index + 1), samples.n);
    samples.n++;
  }

  read(out: SampleColumns, mint: number, maxt: number): void {
    if (this.histogramTimes.some((t) => t >= mint && t <= maxt)) {
      throw new QueryError("execution", nativeHistogramMessage);
    }
    const { t, v, n } = this.samples;
    let from = 0;
    while (from < n && t[from] < mint) from++;
    let to = from;
    while (to < n && t[to] <= maxt) to++;
    out.reserve(to - from);
    out.t.set(t.subarray(from, to), out.n);
    out.v.set(v.subarray(from, to), out.n);
    const { histograms } = this.samples;
    for (let i = from; i < to; i++) {
      if (histograms?.[i] === undefined) continue;
      out.histograms ??= [];
      out.histograms[out.n + i - from] = histograms[i];
    }
    out.n += to - from;
  }
}

export class MemoryStorage implements Queryable {
  readonly #series = new Map<string, MemorySeries>();

  /** The series with these labels, made if need be. */
  series(labels: Labels): MemorySeries {
    let series = this.#series.get(labels.key);
    if (series === undefined) {
      series = new MemorySeries(labels);
      this.#series.set(labels.key, series);
    }
    return series;
  }

  querier(): Querier {
    return new MemoryQuerier([...this.#series.values()]);
  }
}

class MemoryQuerier implements Querier {
  readonly #series: readonly MemorySeries[];

  constructor(series: readonly MemorySeries[]) {
    this.#series = series;
  }

  select(
    context: QueryContext,
    matchers: readonly Matcher[],
    _mint: number,
    _maxt: number,
    _hints: SelectHints,
    sorted: boolean,
  ): readonly Series[] {
    context.check();
    const found = this.#matching(matchers);
    return sorted ? found.sort((a, b) => compareLabels(a.labels, b.labels)) : found;
  }

  labelNames(_context: QueryContext, matchers: readonly Matcher[], limit: number): string[] {
    return firstSorted(
      this.#matching(matchers).flatMap(({ labels }) => [...labels.entries()].map(([name]) => name)),
      limit,
    );
  }

  labelValues(_context: QueryContext, name: string, matchers: readonly Matcher[], limit: number): string[] {
    const values = this.#matching(matchers).map(({ labels }) => labels.get(name));
    return firstSorted(
      values.filter((value) => value !== ""),
      limit,
    );
  }

  close(): void {}

  #matching(matchers: readonly Matcher[]): MemorySeries[] {
    return this.#series.filter(({ labels }) =>
      matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
    );
  }
}

function firstSorted(values: readonly string[], limit: number): string[] {
  const unique = [...new Set(values)].sort(compareUtf8);
  return limit === 0 ? unique : unique.slice(0, limit);
}

/**
 * Several queriers as one: blocks, head, later remote ones. Series with equal labels become one series whose samples
 * are merged in time order; of samples with equal times the first source's is kept.
 */
import { compareUtf8 } from "../base/strings.ts";
import { compareLabels, type Labels } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { Querier, QueryContext, SelectHints, Series } from "./querier.ts";
import { SampleColumns } from "./sample-columns.ts";

/**
 * A querier over all of `queriers`, which it closes. Reads are cheapest where they come in time order, oldest first.
 * With exactly one, that one is the result and keeps its order of series; with several, series are always sorted.
 */
export function mergeQueriers(queriers: readonly Querier[]): Querier {
  return queriers.length === 1 ? queriers[0] : new MergedQuerier(queriers);
}

class MergedQuerier implements Querier {
  readonly #queriers: readonly Querier[];

  constructor(queriers: readonly Querier[]) {
    this.#queriers = queriers;
  }

  select(
    context: QueryContext,
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    hints: SelectHints,
  ): readonly Series[] {
    const sets = this.#queriers.map((querier) => querier.select(context, matchers, mint, maxt, hints, true));
    return mergeSets(context, sets);
  }

  labelNames(context: QueryContext, matchers: readonly Matcher[], limit: number): string[] {
    return mergeSorted(
      this.#queriers.map((querier) => querier.labelNames(context, matchers, limit)),
      limit,
    );
  }

  labelValues(context: QueryContext, name: string, matchers: readonly Matcher[], limit: number): string[] {
    return mergeSorted(
      this.#queriers.map((querier) => querier.labelValues(context, name, matchers, limit)),
      limit,
    );
  }

  doneSelecting(): void {
    for (const querier of this.#queriers) querier.doneSelecting?.();
  }

  close(): void {
    for (const querier of this.#queriers) querier.close();
  }
}

/** Sorted lists to one: sorted, each string once, at most `limit` (0: no limit). */
function mergeSorted(lists: readonly string[][], limit: number): string[] {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length <= 1) return filled[0] ?? [];
  const all = [...new Set(filled.flat())].sort(compareUtf8);
  return limit > 0 ? all.slice(0, limit) : all;
}

/** Halves at a time, so that many sets of different series cost no more than sorting them. */
function mergeSets(context: QueryContext, sets: readonly (readonly Series[])[]): readonly Series[] {
  const filled = sets.filter((set) => set.length > 0);
  if (filled.length <= 1) return filled[0] ?? [];
  context.check();
  const half = filled.length >> 1;
  return mergePair(mergeSets(context, filled.slice(0, half)), mergeSets(context, filled.slice(half)));
}

function mergePair(a: readonly Series[], b: readonly Series[]): readonly Series[] {
  const out: Series[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const order = compareLabels(a[i].labels, b[j].labels);
    if (order < 0) out.push(a[i++]);
    else if (order > 0) out.push(b[j++]);
    else out.push(new MergedSeries(parts(a[i++]), parts(b[j++])));
  }
  while (i < a.length) out.push(a[i++]);
  while (j < b.length) out.push(b[j++]);
  return out;
}

/** One series out of two with equal labels; of samples with equal times the first one's is kept. */
export function mergeSeries(a: Series, b: Series): Series {
  return new MergedSeries(parts(a), parts(b));
}

function parts(series: Series): readonly Series[] {
  return series instanceof MergedSeries ? series.parts : [series];
}

class MergedSeries implements Series {
  readonly labels: Labels;
  /** The same series of several sources, in the order of these. */
  readonly parts: readonly Series[];

  constructor(a: readonly Series[], b: readonly Series[]) {
    this.labels = a[0].labels;
    this.parts = [...a, ...b];
  }

  read(out: SampleColumns, mint: number, maxt: number): void {
    const start = out.n;
    for (const part of this.parts) {
      const middle = out.n;
      part.read(out, mint, maxt);
      if (middle > start && out.n > middle && out.t[middle] <= out.t[middle - 1]) {
        mergeRuns(out, start, middle);
      }
    }
  }
}

const scratch = new SampleColumns();

/** Makes one run of two sorted ones, [start, middle) and [middle, n); the first wins where times are equal. */
export function mergeRuns(out: SampleColumns, start: number, middle: number): void {
  const { t, n } = out;
  const count = n - start;
  scratch.clear();
  scratch.reserve(count);
  scratch.t.set(t.subarray(start, n));
  scratch.v.set(out.v.subarray(start, n));
  const { starts, histograms } = out;
  const startsFrom = starts?.slice(start, n);
  const histogramsFrom = histograms?.slice(start, n);
  // Values move as pairs of words, so that a staleness marker stays one.
  const to = new Uint32Array(out.v.buffer, out.v.byteOffset, out.v.length * 2);
  const from = new Uint32Array(scratch.v.buffer, 0, count * 2);
  const times = scratch.t;
  const half = middle - start;
  let kept = start;
  for (let i = 0, j = half; i < half || j < count; kept++) {
    const takeFirst = j >= count || (i < half && times[i] <= times[j]);
    const source = takeFirst ? i : j;
    if (takeFirst) {
      if (j < count && times[i] === times[j]) j++;
      i++;
    } else j++;
    t[kept] = times[source];
    to[2 * kept] = from[2 * source];
    to[2 * kept + 1] = from[2 * source + 1];
    if (starts !== undefined && startsFrom !== undefined) starts[kept] = startsFrom[source];
    if (histograms !== undefined) histograms[kept] = histogramsFrom?.[source];
  }
  out.truncate(kept);
}

/** `metric{label="value"}`: at every step the last sample that is not older than the lookback. */
import { isStale } from "../../model/value.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import { Column, type Histograms } from "../column.ts";
import type { Grid } from "../grid.ts";
import { lastTimeOf } from "../grid.ts";
import type { QueryRun } from "../query-run.ts";
import { pointWeight } from "../samples.ts";
import type { Selector } from "../selection.ts";
import type { Emit, VectorNode } from "./node.ts";
import { SampleBuffer } from "./sample-buffer.ts";

export class InstantSelectorNode implements VectorNode {
  readonly selector: Selector;
  /** Emits the samples' own times, in seconds, instead of their values: what `timestamp(selector)` wants. */
  readonly #times: boolean;

  constructor(selector: Selector, times = false) {
    this.selector = selector;
    this.#times = times;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return run.selection(this.selector).distinctWithoutName;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const { at, mint, maxt } = this.selector;
    // As in Prometheus, timestamp(x offset 5m @ t) looks back from t, but only at what the offset lets it see.
    const offsetMs = this.#times && at !== undefined ? 0 : this.selector.offsetMs;
    const first = (at ?? grid.startMs) - offsetMs;
    const last = (at ?? lastTimeOf(grid)) - offsetMs;
    const column = new Column(grid.steps);
    const buffer = new SampleBuffer(run);
    for (const series of run.selection(this.selector).series) {
      const samples = buffer.read(series, Math.max(first - run.lookbackMs + 1, mint), Math.min(last, maxt));
      if (samples.n === 0) continue;
      lookBack(samples, first, at === undefined ? grid.stepMs : 0, run.lookbackMs, this.#times, column);
      if (column.count === 0) continue;
      const weight = weightOf(column);
      run.samples.hold(weight);
      run.samples.count(weight, weight);
      emit(series.labels, column);
    }
    buffer.free();
  }
}

/** For every step the last sample in (time - lookback, time], nothing where that is a staleness marker. */
function lookBack(
  { t, v, n, histograms }: SampleColumns,
  firstMs: number,
  stepMs: number,
  lookbackMs: number,
  times: boolean,
  out: Column,
): void {
  const { values, present } = out;
  const steps = values.length;
  const found: Histograms | undefined = histograms === undefined || times ? undefined : [];
  let time = firstMs;
  let next = 0;
  let count = 0;
  for (let k = 0; k < steps; k++, time += stepMs) {
    while (next < n && t[next] <= time) next++;
    const last = next - 1;
    if (last < 0 || t[last] <= time - lookbackMs || isStale(v, last)) {
      present[k] = 0;
      continue;
    }
    values[k] = times ? t[last] / 1000 : v[last];
    if (found !== undefined) found[k] = histograms?.[last];
    present[k] = 1;
    count++;
  }
  out.count = count;
  out.histograms = found;
}

/** As how many samples the elements count: a histogram by its size. */
function weightOf({ count, present, histograms }: Column): number {
  if (histograms === undefined) return count;
  let weight = count;
  for (let k = 0; k < histograms.length; k++) {
    const histogram = histograms[k];
    if (histogram !== undefined && present[k] === 1) weight += pointWeight(histogram) - 1;
  }
  return weight;
}

/** Where the windows of a range-vector function come from: series of the storage, or a subquery. */
import type { Labels } from "../../model/labels.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import type { Column } from "../column.ts";
import { Windows } from "../functions/windows.ts";
import { bytesPerStep, type Grid, gridOf, lastTimeOf, timeOf } from "../grid.ts";
import type { Position } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import type { Selector } from "../selection.ts";
import type { VectorNode } from "./node.ts";
import { SampleBuffer } from "./sample-buffer.ts";

/** The windows are valid during the call. */
export type VisitWindows = (labels: Labels, windows: Windows) => void;

export interface RangeSource {
  /** Where annotations about the range vector point to. */
  readonly position: Position;
  /** Samples that its windows hold come from the storage. */
  readonly fromStorage: boolean;
  /** Visits the series that have samples in any window; afterwards `run.samples.held` counts what it still holds. */
  visit(run: QueryRun, grid: Grid, visit: VisitWindows): void;
  distinctWithoutName(run: QueryRun): boolean;
}

/** `selector[range]` */
export class MatrixSource implements RangeSource {
  readonly position: Position;
  readonly fromStorage = true;
  readonly selector: Selector;
  readonly rangeMs: number;

  constructor(selector: Selector, rangeMs: number, position: Position) {
    this.selector = selector;
    this.rangeMs = rangeMs;
    this.position = position;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return run.selection(this.selector).distinctWithoutName;
  }

  visit(run: QueryRun, grid: Grid, visit: VisitWindows): void {
    const windows = new Windows(run, grid, this.rangeMs, this.selector.offsetMs, this.selector.at);
    const buffer = new SampleBuffer(run);
    for (const series of run.selection(this.selector).series) {
      const samples = buffer.read(series, windows.mint, windows.maxt);
      if (samples.n === 0) continue;
      windows.load(samples);
      visit(series.labels, windows);
    }
    buffer.free();
  }
}

/** What `expr[range:step]` says about time, computed durations resolved. */
export interface SubqueryTimes {
  readonly rangeMs: number;
  readonly stepMs: number;
  readonly offsetMs: number;
  readonly at: number | undefined;
}

/** `expr[range:step]`: the expression on a grid of its own, whose times are multiples of the step. */
export class SubquerySource implements RangeSource {
  /** Prometheus does not keep the place of a subquery. */
  readonly position: Position = { start: 0, end: 0 };
  readonly fromStorage = false;
  readonly #times: SubqueryTimes;
  readonly #expr: VectorNode;

  constructor(times: SubqueryTimes, expr: VectorNode) {
    this.#times = times;
    this.#expr = expr;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#expr.distinctWithoutName(run);
  }

  visit(run: QueryRun, grid: Grid, visit: VisitWindows): void {
    const { rangeMs, offsetMs, at } = this.#times;
    const windows = new Windows(run, grid, rangeMs, offsetMs, at);
    const inner = subqueryGrid(this.#times, grid);
    if (inner.steps === 0) return;
    const bytes = inner.steps * bytesPerStep;
    run.chargeBytes(bytes);
    const buffer = new SampleBuffer(run);
    this.#expr.evaluate(run, inner, (labels, column) => {
      toSamples(column, inner, buffer.samples);
      buffer.charge();
      windows.load(buffer.samples);
      visit(labels, windows);
    });
    buffer.free();
    run.releaseBytes(bytes);
  }
}

/** The first step is the first multiple of the step after the oldest window's begin; division cuts off towards 0. */
export function subqueryGrid({ rangeMs, stepMs, offsetMs, at }: SubqueryTimes, outer: Grid): Grid {
  const begin = (at ?? outer.startMs) - offsetMs - rangeMs;
  const end = (at ?? lastTimeOf(outer)) - offsetMs;
  let start = stepMs * Math.trunc(begin / stepMs);
  if (start <= begin) start += stepMs;
  return gridOf(start, end, stepMs);
}

export function toSamples(column: Column, grid: Grid, out: SampleColumns): void {
  out.clear();
  out.reserve(column.count);
  const { t, v } = out;
  const { histograms } = column;
  if (histograms !== undefined) out.histograms = [];
  let n = 0;
  for (let k = 0; k < grid.steps; k++) {
    if (column.present[k] === 0) continue;
    t[n] = timeOf(grid, k);
    if (out.histograms !== undefined) out.histograms[n] = histograms?.[k];
    v[n++] = column.values[k];
  }
  out.n = n;
}

/** A function over a range vector: `rate(x[5m])`, `quantile_over_time(0.9, x[1h:1m])`. */

import type { Labels } from "../../model/labels.ts";
import { Column, type Histograms } from "../column.ts";
import type { RangeFunction } from "../functions/range-function.ts";
import { markPresent, type Windows } from "../functions/windows.ts";
import type { Grid } from "../grid.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { Position } from "../parser/ast.ts";
import { type QueryRun, sameLabelset } from "../query-run.ts";
import { pointWeight } from "../samples.ts";
import { evaluateEarly } from "./early.ts";
import { notOnHistograms } from "./floats-only.ts";
import type { Emit, ScalarNode, VectorNode } from "./node.ts";
import { RangeAnnotations } from "./range-annotations.ts";
import type { RangeSource } from "./range-source.ts";

/** A scalar argument, and where annotations about it point to. */
export interface PlacedScalar {
  readonly node: ScalarNode;
  readonly position: Position;
}

const noParam = new Float64Array(0);

export class RangeCallNode implements VectorNode {
  readonly #name: string;
  readonly #func: RangeFunction;
  readonly #source: RangeSource;
  readonly #param: PlacedScalar | undefined;

  constructor(name: string, func: RangeFunction, source: RangeSource, param: PlacedScalar | undefined) {
    this.#name = name;
    this.#func = func;
    this.#source = source;
    this.#param = param;
  }

  distinctWithoutName(run: QueryRun): boolean {
    return this.#func.keepsName !== true || this.#source.distinctWithoutName(run);
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const { kernel, samplesMin, keepsName } = this.#func;
    const before = run.samples.held;
    let param: Float64Array = noParam;
    const evaluateParam = () => {
      param = this.#param?.node.evaluate(run, grid) ?? noParam;
    };
    let paramsTurn = () => {};
    // Prometheus evaluates a subquery before the other argument, but looks into the storage after it.
    if (this.#source.fromStorage) evaluateParam();
    else paramsTurn = evaluateEarly(run, evaluateParam, () => this.#source.visit(run, grid, () => {}));
    const annotations = new RangeAnnotations(run, this.#func, this.#source.position, {
      values: param,
      position: this.#param?.position ?? this.#source.position,
    });
    const column = new Column(grid.steps);
    const tally = new WindowTally(run, this.#source.fromStorage);
    const seen = keepsName || this.#source.distinctWithoutName(run) ? undefined : new Set<string>();
    this.#source.visit(run, grid, (inputLabels, windows) => {
      tally.addWindows(windows);
      if (windows.histograms !== undefined) this.#takeHistograms(inputLabels, windows, annotations);
      markPresent(windows, samplesMin, column);
      if (column.count === 0) return;
      kernel(windows, column, param, grid);
      tally.addOutput(column.count);
      if (column.count === 0) return;
      annotations.note(inputLabels, column);
      const labels = keepsName ? inputLabels : dropMetadata(inputLabels);
      if (seen !== undefined) {
        if (seen.has(labels.key)) throw sameLabelset();
        seen.add(labels.key);
      }
      emit(labels, column);
    });
    paramsTurn();
    tally.settle(before + param.length);
  }

  /** Leaves in the windows what the function can take. */
  #takeHistograms(labels: Labels, windows: Windows, annotations: RangeAnnotations): void {
    const { histograms } = this.#func;
    if (histograms === "taken") return;
    let mixed = false;
    for (let k = 0; k < windows.steps; k++) {
      const count = windows.histogramsIn(k);
      if (count > 0 && histograms === undefined) throw notOnHistograms(`the function "${this.#name}"`);
      if (count > 0 && count < windows.hi[k] - windows.lo[k]) mixed = true;
    }
    if (mixed) annotations.noteIgnoredHistograms(labels);
    windows.dropHistograms();
  }
}

/** What Prometheus would hold: all outputs, and the windows of one series after the other (see samples.ts). */
class WindowTally {
  readonly #run: QueryRun;
  readonly #fromStorage: boolean;
  readonly #queryableBefore: number;
  #queryable = 0;
  #read = 0;
  #outputs = 0;
  #extra = 0;
  #lastWindow = 0;

  constructor(run: QueryRun, fromStorage: boolean) {
    this.#run = run;
    this.#fromStorage = fromStorage;
    this.#queryableBefore = run.samples.queryable;
  }

  addWindows(windows: Windows): void {
    const { steps } = windows;
    const { lo, hi } = windows.histograms === undefined ? windows : weighed(windows, windows.histograms);
    let largest = 0;
    let seen = 0;
    for (let k = 0; k < steps; k++) {
      const size = hi[k] - lo[k];
      if (size > largest) largest = size;
      this.#queryable += size;
      this.#read += hi[k] - Math.max(lo[k], seen);
      seen = hi[k];
    }
    this.#lastWindow = steps === 0 ? 0 : hi[steps - 1] - lo[steps - 1];
    this.#extra = Math.max(this.#extra, this.#outputs + largest);
    if (this.#fromStorage) this.#run.samples.touch(this.#extra);
  }

  addOutput(count: number): void {
    this.#outputs += count;
    this.#extra = Math.max(this.#extra, this.#outputs + this.#lastWindow);
  }

  /** A subquery's own samples do not count: its results do, as often as windows hold them. */
  settle(before: number): void {
    const { samples } = this.#run;
    if (!this.#fromStorage) samples.resetQueryable(this.#queryableBefore);
    samples.count(this.#queryable, this.#fromStorage ? this.#read : 0);
    samples.touch(this.#extra);
    samples.held = before;
    samples.hold(this.#outputs);
  }
}

/** The ends of the windows, counted in samples as which everything before them counts. */
function weighed(
  { lo, hi, steps }: Windows,
  histograms: Histograms,
): { readonly lo: Float64Array; readonly hi: Float64Array } {
  const n = steps === 0 ? 0 : hi[steps - 1];
  const before = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    const histogram = histograms[i];
    before[i + 1] = before[i] + (histogram === undefined ? 1 : pointWeight(histogram));
  }
  return { lo: Float64Array.from(lo, (i) => before[i]), hi: Float64Array.from(hi, (i) => before[i]) };
}

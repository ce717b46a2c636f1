/** `histogram_quantile(q, v)` and `histogram_fraction(lower, upper, v)` over the buckets of classic histograms. */
import type { Labels } from "../../model/labels.ts";
import { parseFloatText } from "../../model/parse-float.ts";
import { annotationTexts } from "../annotations.ts";
import type { Block } from "../block.ts";
import { Column } from "../column.ts";
import { Buckets, bucketFraction, bucketQuantile } from "../functions/buckets.ts";
import { checkQuantile } from "../functions/range-functions.ts";
import { type Grid, timeOf } from "../grid.ts";
import { dropMetadata } from "../metadata-labels.ts";
import type { Position } from "../parser/ast.ts";
import type { QueryRun } from "../query-run.ts";
import { StepTally, settleSteps } from "../samples.ts";
import { collect, Merger } from "./collect.ts";
import type { Emit, VectorNode } from "./node.ts";
import type { PlacedScalar } from "./range-call.ts";
import { denseTally } from "./scalars.ts";

export interface HistogramOperand {
  readonly node: VectorNode;
  readonly position: Position;
}

/** Computes a histogram's result at step k. */
type OfBuckets = (buckets: Buckets, k: number) => number;

abstract class HistogramNode implements VectorNode {
  readonly #operand: HistogramOperand;
  readonly #params: readonly PlacedScalar[];

  constructor(params: readonly PlacedScalar[], operand: HistogramOperand) {
    this.#params = params;
    this.#operand = operand;
  }

  protected abstract prepare(run: QueryRun, grid: Grid, params: readonly Float64Array[]): OfBuckets;

  distinctWithoutName(): boolean {
    return true;
  }

  evaluate(run: QueryRun, grid: Grid, emit: Emit): void {
    const before = run.samples.held;
    const params = this.#params.map(({ node }) => node.evaluate(run, grid));
    const { block, tally } = collect(run, grid, this.#operand.node);
    const compute = this.prepare(run, grid, params);
    const bounds = this.#boundsOf(run, block);
    const output = new StepTally(grid.steps);
    const merger = new Merger(run, grid);
    const column = new Column(grid.steps);
    for (const { labels, rows } of histogramsIn(block, bounds)) {
      run.check();
      evaluateHistogram(block, rows, bounds, compute, column);
      if (column.count === 0) continue;
      output.add(column);
      merger.add(labels, column);
    }
    block.free();
    merger.flush(emit);
    settleSteps(run.samples, before, grid.steps, [denseTally(grid, params.length), tally], output);
  }

  /** The upper bound of every row; undefined (and a warning) where the label is none. */
  #boundsOf(run: QueryRun, block: Block): (number | undefined)[] {
    return block.labels.map((labels) => {
      const le = labels.get("le");
      const bound = parseFloatText(le);
      if (bound === undefined)
        run.annotations.warn(annotationTexts.badBucketLabel(le), this.#operand.position);
      return bound;
    });
  }
}

export class HistogramQuantileNode extends HistogramNode {
  readonly #q: PlacedScalar;
  readonly #position: Position;

  constructor(q: PlacedScalar, operand: HistogramOperand) {
    super([q], operand);
    this.#q = q;
    this.#position = operand.position;
  }

  protected prepare(run: QueryRun, grid: Grid, [q]: readonly Float64Array[]): OfBuckets {
    for (const value of new Set(q)) {
      const complaint = checkQuantile(value);
      if (complaint !== undefined) run.annotations.warn(complaint, this.#q.position);
    }
    return (buckets, k) => {
      const quantile = bucketQuantile(q[k], buckets);
      if (buckets.lifted) {
        const { liftedMin, liftedMax, liftedDiff } = buckets;
        run.annotations.forcedMonotonicity(this.#position, timeOf(grid, k), liftedMin, liftedMax, liftedDiff);
      }
      return quantile;
    };
  }
}

export class HistogramFractionNode extends HistogramNode {
  constructor(lower: PlacedScalar, upper: PlacedScalar, operand: HistogramOperand) {
    super([lower, upper], operand);
  }

  protected prepare(_run: QueryRun, _grid: Grid, [lower, upper]: readonly Float64Array[]): OfBuckets {
    return (buckets, k) => bucketFraction(lower[k], upper[k], buckets);
  }
}

interface Histogram {
  readonly labels: Labels;
  /** Its buckets' rows, by upper bound. */
  readonly rows: readonly number[];
}

/** The rows with a bound, grouped by all labels but `le`, the name included. */
function histogramsIn(block: Block, bounds: readonly (number | undefined)[]): Histogram[] {
  const le = new Set(["le"]);
  const histograms = new Map<string, { labels: Labels; rows: number[] }>();
  for (let row = 0; row < block.rows; row++) {
    if (bounds[row] === undefined) continue;
    const labels = block.labels[row].drop(le);
    const known = histograms.get(labels.key);
    if (known === undefined) histograms.set(labels.key, { labels: dropMetadata(labels), rows: [row] });
    else known.rows.push(row);
  }
  const boundOf = (row: number) => bounds[row] as number;
  for (const { rows } of histograms.values()) rows.sort((a, b) => compareBounds(boundOf(a), boundOf(b)));
  return [...histograms.values()];
}

function compareBounds(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function evaluateHistogram(
  block: Block,
  rows: readonly number[],
  bounds: readonly (number | undefined)[],
  compute: OfBuckets,
  out: Column,
): void {
  const { steps, present, values } = block;
  const buckets = new Buckets(rows.length);
  out.clear();
  for (let k = 0; k < steps; k++) {
    buckets.clear();
    for (const row of rows) {
      if (present[row * steps + k] === 1) buckets.push(bounds[row] as number, values[row * steps + k]);
    }
    if (buckets.n === 0) continue;
    out.values[k] = compute(buckets, k);
    out.present[k] = 1;
    out.count++;
  }
}

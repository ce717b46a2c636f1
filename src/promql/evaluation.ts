/** Runs a plan and gives its result the form that the API asks for. */
import { compareLabels, Labels } from "../model/labels.ts";
import { SampleColumns } from "../storage/sample-columns.ts";
import { Block } from "./block.ts";
import { Column, type Histograms } from "./column.ts";
import { bytesPerStep, type Grid, gridOf } from "./grid.ts";
import type { ScalarNode } from "./operators/node.ts";
import type { RangeSource } from "./operators/range-source.ts";
import type { Plan } from "./plan/plan.ts";
import type { QueryTimes } from "./plan/scope.ts";
import type { QueryRun } from "./query-run.ts";
import type { QueryValue } from "./result.ts";
import { histogramsBytes, pointWeight } from "./samples.ts";

/** A result that may still have to be sorted: that is timed apart. */
export type Unsorted = () => QueryValue;

export function evaluateInstant(run: QueryRun, { root }: Plan, t: number): Unsorted {
  const grid: Grid = { startMs: t, stepMs: 1, steps: 1 };
  switch (root.type) {
    case "string":
      return () => ({ type: "string", t, text: root.text });
    case "scalar": {
      const [value] = root.node.evaluate(run, grid);
      return () => ({ type: "scalar", t, value });
    }
    case "vector": {
      const block = new Block(run, 1);
      root.node.evaluate(run, grid, (labels, column) => block.add(labels, column));
      const { labels, values, histograms } = block;
      const elements = histograms.size === 0 ? undefined : labels.map((_, row) => histograms.get(row)?.[0]);
      return () => ({
        type: "vector",
        t,
        labels,
        values: values.slice(0, labels.length),
        histograms: elements,
      });
    }
    case "matrix":
      return collectSamples(run, root.source, grid);
  }
}

export function evaluateRange(run: QueryRun, { root }: Plan, times: QueryTimes): Unsorted {
  const grid = gridOf(times.startMs, times.endMs, times.stepMs);
  run.chargeBytes(grid.steps * bytesPerStep);
  const block = new Block(run, grid.steps);
  if (grid.steps > 0) {
    if (root.type === "vector") {
      root.node.evaluate(run, grid, (labels, column) => block.add(labels, column));
    } else if (root.type === "scalar") {
      block.add(Labels.empty, scalarColumn(run, root.node, grid));
    }
  }
  return () => sortedMatrix(block, grid);
}

function scalarColumn(run: QueryRun, node: ScalarNode, grid: Grid): Column {
  const column = new Column(grid.steps);
  column.fill();
  column.values.set(node.evaluate(run, grid));
  return column;
}

/** The rows of `labels` in the order of their labels. */
function sortedRows(labels: readonly Labels[]): number[] {
  const rows = Array.from(labels, (_, row) => row);
  return rows.sort((a, b) => compareLabels(labels[a], labels[b]));
}

function sortedMatrix(block: Block, grid: Grid): QueryValue {
  const { steps } = grid;
  const rows = sortedRows(block.labels);
  const values = new Float64Array(rows.length * steps);
  const present = new Uint8Array(rows.length * steps);
  const histograms = new Map<number, Histograms>();
  rows.forEach((row, i) => {
    const ofRow = block.histograms.get(row);
    if (ofRow !== undefined) histograms.set(i, ofRow);
    values.set(block.values.subarray(row * steps, (row + 1) * steps), i * steps);
    present.set(block.present.subarray(row * steps, (row + 1) * steps), i * steps);
  });
  const labels = rows.map((row) => block.labels[row]);
  return {
    type: "matrix",
    form: "grid",
    startMs: grid.startMs,
    stepMs: grid.stepMs,
    steps,
    labels,
    values,
    present,
    ...(histograms.size === 0 ? {} : { histograms }),
  };
}

/** What a range vector holds at one time. */
function collectSamples(run: QueryRun, source: RangeSource, grid: Grid): Unsorted {
  const labels: Labels[] = [];
  const ends: number[] = [0];
  const all = new SampleColumns();
  let charged = 0;
  source.visit(run, grid, (seriesLabels, { t, v, histograms, lo, hi }) => {
    const count = hi[0] - lo[0];
    if (count === 0) return;
    const found = histograms?.slice(lo[0], hi[0]);
    if (source.fromStorage) {
      const weight = found === undefined ? count : weightOf(found, count);
      run.samples.hold(weight);
      run.samples.count(weight, weight);
    }
    all.reserve(count);
    const bytes = all.t.length * 16;
    run.chargeBytes(bytes - charged);
    charged = bytes;
    if (found !== undefined) {
      run.chargeBytes(histogramsBytes(found));
      all.histograms ??= [];
      for (let i = 0; i < count; i++) all.histograms[all.n + i] = found[i];
    }
    all.t.set(t.subarray(lo[0], hi[0]), all.n);
    all.v.set(v.subarray(lo[0], hi[0]), all.n);
    all.n += count;
    labels.push(seriesLabels);
    ends.push(all.n);
  });
  return () => sortedSamples(labels, ends, all);
}

/** As how many samples `count` samples count that have these histograms among them. */
function weightOf(histograms: Histograms, count: number): number {
  let weight = count;
  for (const histogram of histograms) if (histogram !== undefined) weight += pointWeight(histogram) - 1;
  return weight;
}

/** `ends[i]` is where series i begins, `ends[i + 1]` where it ends. */
function sortedSamples(labels: readonly Labels[], ends: readonly number[], all: SampleColumns): QueryValue {
  const rows = sortedRows(labels);
  const offsets = new Uint32Array(rows.length + 1);
  const t = new Float64Array(all.n);
  const v = new Float64Array(all.n);
  const histograms: Histograms | undefined = all.histograms === undefined ? undefined : [];
  let n = 0;
  rows.forEach((row, i) => {
    if (histograms !== undefined) {
      for (let k = ends[row]; k < ends[row + 1]; k++) histograms[n + k - ends[row]] = all.histograms?.[k];
    }
    t.set(all.t.subarray(ends[row], ends[row + 1]), n);
    v.set(all.v.subarray(ends[row], ends[row + 1]), n);
    n += ends[row + 1] - ends[row];
    offsets[i + 1] = n;
  });
  const sorted = rows.map((row) => labels[row]);
  return { type: "matrix", form: "samples", labels: sorted, offsets, t, v, histograms };
}

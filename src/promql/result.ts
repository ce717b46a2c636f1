/** What a query answers. Values lie in columns; nobody changes a result after the engine handed it out. */
import type { Labels } from "../model/labels.ts";
import type { Histograms } from "./column.ts";
import type { QueryStats } from "./stats.ts";

export interface QueryResult {
  readonly value: QueryValue;
  /** Texts with the position in the query, as Prometheus prints them; not limited in number. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

export type QueryValue = ScalarValue | StringValue | VectorValue | GridMatrix | SampleMatrix;

export interface ScalarValue {
  readonly type: "scalar";
  /** Milliseconds, as all times here. */
  readonly t: number;
  readonly value: number;
}

export interface StringValue {
  readonly type: "string";
  readonly t: number;
  readonly text: string;
}

/**
 * Of an instant query: `values[i]` belongs to `labels[i]`, all at time `t`, in the order of the evaluation. Element i is a
 * native histogram where `histograms[i]` is one.
 */
export interface VectorValue {
  readonly type: "vector";
  readonly t: number;
  readonly labels: readonly Labels[];
  readonly values: Float64Array;
  readonly histograms?: Histograms | undefined;
}

/**
 * Of a range query: series by series, sorted by labels, on the steps `startMs + k * stepMs`, 0 <= k < steps.
 * Series i has `values[i * steps + k]` where `present[i * steps + k]` is 1, and always at least one value. There it is a
 * native histogram where `histograms.get(i)` has one at k.
 */
export interface GridMatrix {
  readonly type: "matrix";
  readonly form: "grid";
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly labels: readonly Labels[];
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms?: ReadonlyMap<number, Histograms>;
}

/**
 * Of an instant query for a range (`x[5m]`): the samples themselves. Series i has the samples
 * `offsets[i] <= k < offsets[i + 1]` of `t` and `v`; sorted by labels. Sample k is a native histogram where
 * `histograms[k]` is one.
 */
export interface SampleMatrix {
  readonly type: "matrix";
  readonly form: "samples";
  readonly labels: readonly Labels[];
  readonly offsets: Uint32Array;
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly histograms?: Histograms | undefined;
}

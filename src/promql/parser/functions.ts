/** The signatures of all functions of PromQL 3.14. What they compute is the engine's business. */
import type { ValueType } from "./ast.ts";

export interface FunctionSignature {
  readonly name: string;
  readonly argTypes: readonly ValueType[];
  /**
   * 0: exactly the arguments of `argTypes`. Otherwise the last of them may be missing, or come up to `variadic` times
   * (without bound if negative).
   */
  readonly variadic: number;
  readonly returnType: ValueType;
  /** Refused unless experimental functions are switched on. */
  readonly experimental: boolean;
}

/** `arguments -> result`, `?` after an argument that may be missing, `?n` up to n times, `*` any number of times. */
const stable: Record<string, string> = {
  "vector -> vector": `abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg
    histogram_count histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt
    tan tanh timestamp`,
  "matrix -> vector": `absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta
    increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time
    stdvar_over_time sum_over_time`,
  "vector? -> vector": "day_of_month day_of_week day_of_year days_in_month hour minute month year",
  "vector scalar -> vector": "clamp_max clamp_min",
  "vector scalar scalar -> vector": "clamp",
  "vector scalar? -> vector": "round",
  "vector string string string string -> vector": "label_replace",
  "vector string string string* -> vector": "label_join",
  "scalar vector -> vector": "histogram_quantile",
  "scalar scalar vector -> vector": "histogram_fraction",
  "scalar matrix -> vector": "quantile_over_time",
  "matrix scalar -> vector": "predict_linear",
  "scalar -> vector": "vector",
  "vector -> scalar": "scalar",
  "-> scalar": "pi time",
};

const experimental: Record<string, string> = {
  "vector -> vector": "start_timestamp",
  "matrix -> vector": `mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time
    ts_of_min_over_time`,
  "matrix scalar scalar -> vector": "double_exponential_smoothing",
  "vector string scalar scalar?9 -> vector": "histogram_quantiles",
  "vector vector? -> vector": "info",
  "vector string* -> vector": "sort_by_label sort_by_label_desc",
  "scalar scalar -> scalar": "max_of min_of",
  "-> scalar": "end range start step",
};

/** By name. */
export const functions: ReadonlyMap<string, FunctionSignature> = new Map(
  [...signatures(stable, false), ...signatures(experimental, true)].map((func) => [func.name, func]),
);

function signatures(table: Record<string, string>, isExperimental: boolean): FunctionSignature[] {
  return Object.entries(table).flatMap(([shape, names]) => {
    const [left, right] = shape.split("->");
    const argTypes = left.split(" ").filter((word) => word !== "");
    const optional = /(?:\?(\d*)|(\*))$/.exec(argTypes.at(-1) ?? "");
    const variadic = optional === null ? 0 : optional[2] === "*" ? -1 : Number(optional[1] || 1);
    return names.split(/\s+/).map((name) => ({
      name,
      argTypes: argTypes.map((word) => word.replace(/[?*]\d*$/, "") as ValueType),
      variadic,
      returnType: right.trim() as ValueType,
      experimental: isExperimental,
    }));
  });
}

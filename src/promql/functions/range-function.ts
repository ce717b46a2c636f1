/** What the table of range-vector functions holds. */
import type { Column } from "../column.ts";
import type { Grid } from "../grid.ts";
import type { Windows } from "./windows.ts";

/**
 * Computes `out.values[k]` for every step that is present in `out`; what it writes to the others does not matter.
 * `param` holds the scalar argument's value at every step, if the function has one.
 */
export type RangeKernel = (windows: Windows, out: Column, param: Float64Array, grid: Grid) => void;

export interface RangeFunction {
  readonly kernel: RangeKernel;
  /** A window with fewer samples has no result. */
  readonly samplesMin: 1 | 2;
  /** The result is a sample of the series itself: it keeps its name. */
  readonly keepsName?: boolean;
  /**
   * What becomes of native histograms in a window: the function takes them like floats, or looks at the floats alone.
   * Undefined: it computes with them, which this engine cannot yet.
   */
  readonly histograms?: "taken" | "ignored";
  /** Meant for counters: a float series whose name does not look like one is reported. */
  readonly forCounters?: boolean;
  /** The warning that a value of the scalar argument deserves. */
  readonly checkParam?: (value: number) => string | undefined;
}

/**
 * One series as a range vector sees it: its samples (without staleness markers), and for every step of the grid the
 * window of them that lies in (end - range, end]. A kernel computes a whole column from that in one pass.
 */
import { isStale } from "../../model/value.ts";
import type { QueryContext } from "../../storage/querier.ts";
import type { SampleColumns } from "../../storage/sample-columns.ts";
import type { Column, Histograms } from "../column.ts";
import type { Grid } from "../grid.ts";

/** After about so many samples, a few milliseconds of work, a kernel looks whether its query still has to go on. */
const samplesPerCheck = 1 << 16;

export class Windows {
  readonly steps: number;
  readonly rangeMs: number;
  /** The windows end at `firstEndMs + k * stepMs`; under `@` all of them at the same time, with a stepMs of 0. */
  readonly firstEndMs: number;
  readonly stepMs: number;
  /** Times and values of the samples. */
  t: Float64Array = new Float64Array(0);
  v: Float64Array = new Float64Array(0);
  /** Sample i is a histogram where element i is one; undefined where there is none in any window. */
  histograms: Histograms | undefined = undefined;
  /** The window of step k are the samples `lo[k] <= i < hi[k]`. */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  readonly #context: QueryContext;
  #samplesSinceCheck = 0;

  constructor(context: QueryContext, grid: Grid, rangeMs: number, offsetMs: number, at: number | undefined) {
    this.#context = context;
    this.steps = grid.steps;
    this.rangeMs = rangeMs;
    this.firstEndMs = (at ?? grid.startMs) - offsetMs;
    this.stepMs = at === undefined ? grid.stepMs : 0;
    this.lo = new Int32Array(grid.steps);
    this.hi = new Int32Array(grid.steps);
  }

  /** The bounds, both inclusive, of the samples that any window can hold. */
  get mint(): number {
    return this.firstEndMs - this.rangeMs + 1;
  }

  get maxt(): number {
    return this.firstEndMs + (this.steps - 1) * this.stepMs;
  }

  /** Kernels that look at all samples of a window say so before they do: a query must be able to end in time. */
  enter(k: number): void {
    this.#samplesSinceCheck += this.hi[k] - this.lo[k];
    if (this.#samplesSinceCheck < samplesPerCheck) return;
    this.#samplesSinceCheck = 0;
    this.#context.check();
  }

  /** Takes over the samples and finds the windows. Staleness markers in `samples` are removed. */
  load(samples: SampleColumns): void {
    dropStale(samples);
    this.t = samples.t;
    this.v = samples.v;
    this.histograms = samples.histograms;
    findWindows(samples.t, samples.n, this);
  }

  /** How many histograms the window of step k holds. */
  histogramsIn(k: number): number {
    const { histograms } = this;
    if (histograms === undefined) return 0;
    let count = 0;
    for (let i = this.lo[k]; i < this.hi[k]; i++) if (histograms[i] !== undefined) count++;
    return count;
  }

  /** Takes the histograms out of all windows. */
  dropHistograms(): void {
    const { t, v, histograms, hi, steps } = this;
    if (histograms === undefined) return;
    const n = steps === 0 ? 0 : hi[steps - 1];
    let kept = 0;
    for (let i = 0; i < n; i++) {
      if (histograms[i] !== undefined) continue;
      t[kept] = t[i];
      v.copyWithin(kept++, i, i + 1);
    }
    this.histograms = undefined;
    findWindows(t, kept, this);
  }
}

function dropStale(samples: SampleColumns): void {
  const { t, v, n, histograms } = samples;
  let kept = 0;
  for (let i = 0; i < n; i++) {
    // biome-ignore lint/suspicious/noSelfCompare: only a NaN can be a staleness marker
    if (v[i] !== v[i] && isStale(v, i)) continue;
    if (kept < i) {
      t[kept] = t[i];
      v.copyWithin(kept, i, i + 1);
      if (histograms !== undefined) histograms[kept] = histograms[i];
    }
    kept++;
  }
  samples.truncate(kept);
}

function findWindows(t: Float64Array, n: number, windows: Windows): void {
  const { lo, hi, rangeMs, stepMs, steps } = windows;
  let end = windows.firstEndMs;
  let first = 0;
  let next = 0;
  for (let k = 0; k < steps; k++) {
    while (next < n && t[next] <= end) next++;
    while (first < next && t[first] <= end - rangeMs) first++;
    lo[k] = first;
    hi[k] = next;
    end += stepMs;
  }
}

/** Makes present exactly the steps whose window has at least `minimum` samples. */
export function markPresent(windows: Windows, minimum: number, out: Column): void {
  const { lo, hi, steps } = windows;
  const { present } = out;
  let count = 0;
  for (let k = 0; k < steps; k++) {
    const enough = hi[k] - lo[k] >= minimum ? 1 : 0;
    present[k] = enough;
    count += enough;
  }
  out.count = count;
  out.histograms = undefined;
}

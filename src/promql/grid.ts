/** The times at which an expression is evaluated: `startMs + k * stepMs` for 0 <= k < steps. */
export interface Grid {
  readonly startMs: number;
  /** 1 for an instant query. */
  readonly stepMs: number;
  readonly steps: number;
}

/** All steps from `startMs` up to and including `endMs`; none if the end lies before the start. */
export function gridOf(startMs: number, endMs: number, stepMs: number): Grid {
  return { startMs, stepMs, steps: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 };
}

/** What the operators on a grid need at least, for the budget: `x[10y:1ms]` has to be refused, not tried. */
export const bytesPerStep = 18;

export function timeOf(grid: Grid, step: number): number {
  return grid.startMs + step * grid.stepMs;
}

export function lastTimeOf(grid: Grid): number {
  return timeOf(grid, grid.steps - 1);
}

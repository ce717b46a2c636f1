/**
 * Early cuts: blocks cut from the head before a whole block range has gathered, to free memory. They hold all series, so
 * that a Prometheus that starts on them, and skips its WAL up to the end of the newest block, misses nothing; end at a
 * multiple of an eighth of the block range, and never after the time up to which samples may still come.
 */

/** Milliseconds; both inclusive. */
export interface CutRange {
  readonly mint: number;
  readonly maxt: number;
}

const stepsPerRange = 8;

/**
 * What can be cut from a head that begins at `mint` and takes nothing before `minValidTime` any more; undefined where
 * that is less than a step. A block never crosses a multiple of the block range.
 */
export function earlyCut(mint: number, minValidTime: number, blockRangeMs: number): CutRange | undefined {
  const step = blockRangeMs / stepsPerRange;
  const end = Math.floor(minValidTime / step) * step;
  if (!(end - mint >= step)) return undefined;
  const rangeEnd = (Math.floor(mint / blockRangeMs) + 1) * blockRangeMs;
  return { mint, maxt: Math.min(end, rangeEnd) - 1 };
}

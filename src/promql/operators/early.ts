/**
 * Evaluates an operand before its turn, because another one needs its result, as if it had been its turn: Prometheus
 * evaluates operands completely and from left to right, which shows in what is held at once, in the order of
 * annotations, and in whose error is reported.
 */
import type { QueryRun } from "../query-run.ts";

/**
 * `operand` is evaluated now, `earlier` is what Prometheus evaluates before it (only to see whether that fails, too).
 * The function returned is to be called when that is done.
 */
export function evaluateEarly(run: QueryRun, operand: () => void, earlier: () => void): () => void {
  const { samples, annotations } = run;
  const before = samples.held;
  let peak = 0;
  const late = annotations.apart(() => {
    try {
      peak = samples.peakOf(operand);
    } catch (error) {
      earlier();
      throw error;
    }
  });
  const held = samples.held - before;
  samples.held = before;
  return () => {
    samples.touch(peak);
    samples.hold(held);
    annotations.append(late);
  };
}

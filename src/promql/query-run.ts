/**
 * One running query: its limits, its querier, and what it has to say besides the result. Made by the engine for one
 * query, handed through all operators, and the storage's {@link QueryContext}.
 */
import type { Clock } from "../base/env.ts";
import { QueryError } from "../base/errors.ts";
import type { Querier, QueryContext, Series } from "../storage/querier.ts";
import { Annotations } from "./annotations.ts";
import type { SharedNode, SharedResult } from "./operators/shared.ts";
import { SampleCounter } from "./samples.ts";
import { Selection, type Selector, selectionKey } from "./selection.ts";

export interface RunLimits {
  readonly samplesMax: number;
  readonly bytesMax: number;
  /** On the clock's monotonic time. */
  readonly deadlineMs: number;
  readonly cancelled: Int32Array | undefined;
  readonly heldKiB?: Int32Array | undefined;
}

const checksPerLook = 16;

export class QueryRun implements QueryContext {
  readonly querier: Querier;
  readonly annotations = new Annotations();
  readonly samples: SampleCounter;
  readonly lookbackMs: number;
  /** Results of nodes that are used more than once. */
  readonly shared = new Map<SharedNode, SharedResult>();
  readonly #clock: Clock;
  readonly #limits: RunLimits;
  #bytes = 0;
  readonly #selections = new Map<Selector, Selection>();
  #checks = 0;

  constructor(clock: Clock, querier: Querier, limits: RunLimits, lookbackMs: number) {
    this.#clock = clock;
    this.querier = querier;
    this.#limits = limits;
    this.lookbackMs = lookbackMs;
    this.samples = new SampleCounter(limits.samplesMax);
  }

  /** Asks the storage for all selectors of a plan, before anything is evaluated. */
  select(selectors: readonly Selector[]): void {
    const known = new Map<string, Selection>();
    for (const selector of selectors) {
      const key = selectionKey(selector);
      const selection = known.get(key) ?? new Selection(this.#seriesOf(selector));
      known.set(key, selection);
      this.#selections.set(selector, selection);
    }
    this.querier.doneSelecting?.();
  }

  #seriesOf({ matchers, mint, maxt, hints }: Selector): readonly Series[] {
    return this.querier.select(this, matchers, mint, maxt, hints, false);
  }

  selection(selector: Selector): Selection {
    return this.#selections.get(selector) as Selection;
  }

  /** Whether any series of the query has `__type__` or `__unit__` labels, which go where the name goes. */
  get typeLabels(): boolean {
    for (const { typeLabels } of this.#selections.values()) if (typeLabels) return true;
    return false;
  }

  check(): void {
    const { cancelled, deadlineMs } = this.#limits;
    if (cancelled !== undefined && Atomics.load(cancelled, 0) !== 0) {
      throw new QueryError("canceled", "query was canceled in expression evaluation");
    }
    // Looking at the clock costs more than a small series.
    if (this.#checks++ % checksPerLook === 0 && this.#clock.monotonicMs() > deadlineMs) {
      throw new QueryError("timeout", "query timed out in expression evaluation");
    }
  }

  chargeBytes(count: number): void {
    this.#bytes += count;
    this.#report();
    if (this.#bytes > this.#limits.bytesMax) {
      const mebibytes = Math.floor(this.#limits.bytesMax / 2 ** 20);
      throw new QueryError(
        "execution",
        `query processing would use more than ${mebibytes} MiB of memory in query execution; ` +
          "select fewer series, a shorter time or a larger step",
      );
    }
  }

  releaseBytes(count: number): void {
    this.#bytes -= count;
    this.#report();
  }

  warn(text: string): void {
    this.annotations.ofStorage.add(text);
  }

  #report(): void {
    const { heldKiB } = this.#limits;
    if (heldKiB !== undefined) heldKiB[0] = this.#bytes / 1024;
  }
}

export function sameLabelset(): QueryError {
  return new QueryError("execution", "vector cannot contain metrics with the same labelset");
}

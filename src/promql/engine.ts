/**
 * The PromQL engine: parses a query, plans it, evaluates it over one querier. Synchronous, for a thread of its own; it
 * keeps nothing from query to query.
 *
 * Errors: ParseError for what the parser refuses, QueryError with the API's error type for everything else.
 */
import type { Clock } from "../base/env.ts";
import { QueryError } from "../base/errors.ts";
import type { Queryable } from "../storage/querier.ts";
import { evaluateInstant, evaluateRange } from "./evaluation.ts";
import { type Expression, typeOf } from "./parser/ast.ts";
import { type ParserFeatures, parseExpression } from "./parser/parser.ts";
import type { Plan } from "./plan/plan.ts";
import { planQuery } from "./plan/planner.ts";
import type { QueryTimes } from "./plan/scope.ts";
import { QueryRun } from "./query-run.ts";
import type { QueryResult } from "./result.ts";

export interface EngineOptions {
  readonly clock: Clock;
  /** How far back an instant selector looks for the last sample. */
  readonly lookbackMs: number;
  /** `--query.max-samples` */
  readonly samplesMax: number;
  /** Memory that one query may hold. */
  readonly bytesMax: number;
  /** A word of shared memory that is kept at the KiB that the running query holds. */
  readonly heldKiB?: Int32Array;
  /** `--query.timeout` */
  readonly timeoutMs: number;
  /** The step of a subquery over `rangeMs` that names none: the global evaluation interval. */
  readonly noStepSubqueryIntervalMs: (rangeMs: number) => number;
  /** What the parser accepts beyond the stable language. */
  readonly features?: ParserFeatures;
}

export interface QueryOptions {
  /** In place of the engine's. */
  readonly lookbackMs?: number;
  /** Where shorter than the engine's. */
  readonly timeoutMs?: number;
  /** A word of shared memory: the query ends soon after it is not 0 any more. */
  readonly cancelled?: Int32Array;
}

export class Engine {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Evaluates `query` at one time (milliseconds). */
  instant(queryable: Queryable, query: string, t: number, options: QueryOptions = {}): QueryResult {
    const times = { startMs: t, endMs: t, stepMs: 0, lookbackMs: this.#lookbackMs(options) };
    return this.#run(queryable, query, times, options, () => {});
  }

  /** Evaluates `query` at `startMs`, `startMs + stepMs`, … up to and including `endMs`. */
  range(
    queryable: Queryable,
    query: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options: QueryOptions = {},
  ): QueryResult {
    const times = { startMs, endMs, stepMs, lookbackMs: this.#lookbackMs(options) };
    return this.#run(queryable, query, times, options, checkRangeType);
  }

  #lookbackMs({ lookbackMs = 0 }: QueryOptions): number {
    return lookbackMs > 0 ? lookbackMs : this.#options.lookbackMs;
  }

  #run(
    queryable: Queryable,
    query: string,
    times: QueryTimes,
    options: QueryOptions,
    check: (expr: Expression) => void,
  ): QueryResult {
    const { clock, samplesMax, bytesMax, heldKiB, noStepSubqueryIntervalMs, features } = this.#options;
    const started = clock.monotonicMs();
    const timeoutMs = Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, this.#options.timeoutMs);
    const expr = parseExpression(query, features);
    check(expr);
    const plan = planQuery(expr, { ...times, noStepSubqueryIntervalMs });
    const querier = queryable.querier(plan.mint, plan.maxt);
    try {
      const limits = {
        samplesMax,
        bytesMax,
        deadlineMs: started + timeoutMs,
        cancelled: options.cancelled,
        heldKiB,
      };
      const run = new QueryRun(clock, querier, limits, times.lookbackMs);
      return execute(run, plan, query, times, clock, started);
    } finally {
      querier.close();
    }
  }
}

function checkRangeType(expr: Expression): void {
  const type = typeOf(expr);
  if (type === "vector" || type === "scalar") return;
  const name = type === "matrix" ? "range vector" : type;
  throw new QueryError(
    "bad_data",
    `invalid expression type "${name}" for range query, must be Scalar or instant Vector`,
  );
}

function execute(
  run: QueryRun,
  plan: Plan,
  query: string,
  times: QueryTimes,
  clock: Clock,
  started: number,
): QueryResult {
  run.check();
  run.select(plan.selectors);
  const prepared = clock.monotonicMs();
  const unsorted =
    times.stepMs === 0 ? evaluateInstant(run, plan, times.startMs) : evaluateRange(run, plan, times);
  const evaluated = clock.monotonicMs();
  const value = unsorted();
  const sorted = clock.monotonicMs();
  return {
    value,
    ...run.annotations.texts(query),
    stats: {
      timings: {
        evalTotalTime: (sorted - started) / 1000,
        resultSortTime: (sorted - evaluated) / 1000,
        queryPreparationTime: (prepared - started) / 1000,
        innerEvalTime: (evaluated - prepared) / 1000,
      },
      samples: run.samples.stats(),
    },
  };
}
